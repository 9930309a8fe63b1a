"""Folders as mirrors, and the disk that is written to: what `download` says of broken and full ones."""

import os
import shutil
from pathlib import Path

import pytest

from tests.faults.downloads import FILES, Place, serving
from tests.faults.isolation import isolated

NEXT = "the next mirror is tried; without one, a line says why"
NOTHING = "what was there before; nothing half-written"


def as_others() -> tuple[str, ...]:
    """Return how a command begins that may read no more than its files' modes say, even if root runs it."""
    if os.geteuid():
        return ()
    if not shutil.which("setpriv"):
        pytest.skip("root may read every file")
    return ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


@pytest.mark.fault("a file of a local mirror cannot be read: the disk is broken", NEXT, NOTHING)
def test_a_file_that_cannot_be_read_is_left_for_the_next_mirror(
    place: Place, mirror: Path, tmp_path: Path, intact: dict[str, str]
) -> None:
    unreadable = Path("/proc/self/mem")  # reading its beginning is an input/output error, for everyone
    if not unreadable.exists():
        pytest.skip(f"{unreadable} is not there")
    (tmp_path / FILES[0]).symlink_to(unreadable)
    place.mirrors = [str(tmp_path)]
    place.fails(f"{tmp_path}: cannot be read (Input/output error)")
    place.mirrors.append(str(mirror))
    assert place.succeeds() == intact


@pytest.mark.fault("a file of a local mirror may not be read", NEXT, NOTHING)
def test_a_file_that_may_not_be_read_is_named(place: Place, tmp_path: Path) -> None:
    (tmp_path / FILES[0]).touch(mode=0)
    place.mirrors = [str(tmp_path)]
    place.fails(f"{tmp_path}: cannot be read (Permission denied)", *as_others())


@pytest.mark.fault("a file of a local mirror is a terabyte long", f"after 64 MiB {NEXT}", NOTHING)
def test_a_file_that_is_too_large_is_not_read(place: Place, tmp_path: Path) -> None:
    with (tmp_path / FILES[0]).open("wb") as file:
        file.truncate(2**40)  # takes no room
    place.mirrors = [str(tmp_path)]
    place.fails(f"{tmp_path}: larger than the 67,108,864 bytes")


@pytest.mark.fault("a file of a local mirror is a pipe that nobody writes to", NEXT, NOTHING)
def test_a_pipe_is_no_file(place: Place, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / FILES[0])
    place.mirrors = [str(tmp_path), "x" * 5000]
    line = place.fails(f"{tmp_path}: no such file")
    assert "cannot be read (File name too long)" in line


@pytest.mark.fault(
    "the reviews grow beyond the allowed file size", "a line says that they cannot be written", NOTHING
)
def test_a_file_size_limit_is_said_as_such(place: Place, mirror: Path) -> None:
    limit = "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))"
    with serving(mirror) as server:
        place.mirrors = [f"{server.address}/good"]
        old = place.folder / "data/raw/old"
        old.parent.mkdir(parents=True)
        old.write_text("of before")
        line = place.fails("File too large", preamble=limit)
    assert "no mirror" not in line
    assert old.read_text() == "of before"


@pytest.mark.fault("the disk is full where data/ is", "a line says that they cannot be written", NOTHING)
def test_a_full_disk_is_said_as_such(place: Place, mirror: Path) -> None:
    (place.folder / "data").mkdir()
    script = 'mount -t tmpfs -o size=16k none data; "$@"; status=$?; ls -A data >left; exit $status'
    with serving(mirror) as server:
        place.mirrors = [f"{server.address}/good"]
        line = place.fails("No space left on device", *isolated("--mount", "sh", "-c", script, "sh"))
    assert "no mirror" not in line
    assert not (place.folder / "left").read_text()


@pytest.mark.fault("the disk is full where temporary files are", "nothing: none are needed", "everything")
def test_a_full_temporary_folder_does_no_harm(
    place: Place, mirror: Path, tmp_path: Path, intact: dict[str, str]
) -> None:
    (tmp_path / "full").mkdir()
    script = 'mount -t tmpfs -o nr_inodes=1 none "$TMPDIR"; ! touch "$TMPDIR/file" 2>/dev/null && exec "$@"'
    full = isolated("--mount", "sh", "-c", script, "sh")
    with serving(mirror) as server:
        place.mirrors = [f"{server.address}/good"]
        assert place.succeeds(*full, env={"TMPDIR": f"{tmp_path}/full"}) == intact
