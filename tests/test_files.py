"""Files and folders appear whole or not at all, and drafts of a killed run do not stay."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.runtime.errors import StageError
from stages.runtime.files import (
    json_text,
    load_array,
    load_json,
    load_text,
    write_array,
    write_atomically,
    write_folder,
)
from tests.conftest import ROOT

KILLED = """
import os, signal
from pathlib import Path
from stages.runtime.files import write_folder
with write_folder(Path("target")) as folder:
    (folder / "half").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.fault(
    "an interrupt while a folder is written",
    "the half-written folder vanishes",
    "the former folder",
)
def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "target"
    with write_folder(target) as folder:
        write_atomically(folder / "old", "1")
    with pytest.raises(KeyboardInterrupt), write_folder(target) as folder:
        write_atomically(folder / "new", "2")
        raise KeyboardInterrupt
    assert [path.name for path in target.iterdir()] == ["old"]
    with write_folder(target) as folder:
        write_atomically(folder / "new", "2")
    assert [path.name for path in target.iterdir()] == ["new"]
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.fault(
    "SIGKILL while a folder is written",
    "what is left of it goes when the folder is written next",
    "the former folder, under its name",
)
def test_what_a_killed_process_left_goes_at_the_next_start(tmp_path: Path) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False
    )
    assert killed.returncode < 0
    assert [path.name for path in tmp_path.iterdir()] == [".target.draft"]
    with write_folder(tmp_path / "target") as folder:
        (folder / "whole").touch()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["target", "whole"]


@pytest.mark.fault(
    "SIGKILL between the two renames that replace a folder",
    "the former folder comes back when it is written next",
    "the former folder",
)
def test_a_folder_that_was_moved_aside_comes_back(tmp_path: Path) -> None:
    """Killed between its two renames, `write_folder` leaves the former folder under another name."""
    (tmp_path / ".target.former").mkdir()
    (tmp_path / ".target.former/old").touch()
    with pytest.raises(KeyboardInterrupt), write_folder(tmp_path / "target"):
        raise KeyboardInterrupt
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["old", "target"]


@pytest.mark.fault(
    "a folder cannot take the place of the former one",
    "it says so, in one line, exit status 1",
    "the former folder",
)
def test_a_folder_that_cannot_be_replaced_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "target/old").touch()
    replace = Path.replace

    def fail(self: Path, target: Path) -> Path:
        if self.name == ".target.draft":
            raise OSError(5, "Input/output error")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="Input/output"), write_folder(tmp_path / "target"):
        pass
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["old", "target"]


def test_everything_is_flushed_before_it_is_renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def record_fsync(handle: int) -> None:
        events.append(Path(f"/proc/self/fd/{handle}").readlink().name)
        fsync(handle)

    def record_replace(self: Path, target: Path) -> Path:
        events.append(f"{self.name} → {target.name}")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", record_fsync)
    monkeypatch.setattr(Path, "replace", record_replace)
    write_atomically(tmp_path / "text", "1")
    assert events == [".text.draft", ".text.draft → text", tmp_path.name]
    events.clear()
    with write_folder(tmp_path / "folder") as folder:
        (folder / "file").write_text("1")
    assert events == ["file", ".folder.draft", ".folder.draft → folder", tmp_path.name]


@pytest.mark.fault(
    "a full disk while a file is written",
    "the half-written file vanishes",
    "the former file",
)
def test_a_file_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "text"
    write_atomically(path, "old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, "new")
    with pytest.raises(OSError, match="No space left"):
        write_array(path, np.zeros(3))
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_arrays_and_json_come_back(tmp_path: Path) -> None:
    write_array(tmp_path / "a.npy", np.arange(3, dtype=np.int32))
    assert load_array(tmp_path / "a.npy").tolist() == [0, 1, 2]
    write_atomically(tmp_path / "a.json", json_text({"b": 1, "a": [0.5]}))
    assert load_json(tmp_path / "a.json") == {"a": [0.5], "b": 1}
    with pytest.raises(StageError, match=r"none.npy does not exist: run the stages before this one"):
        load_array(tmp_path / "none.npy")


@pytest.mark.fault(
    "{number} among results",
    "it does not get into a JSON file",
    "the former file",
)
@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_json_holds_finite_numbers_alone(number: float) -> None:
    with pytest.raises(StageError, match=r"a result is no finite number .*: nothing was written"):
        json_text({"loss": number})


@pytest.mark.fault(
    "an input of a stage, such as `{name}`, that is cut off or something else",
    "the stage names the file and what restores it, in one line, exit status 1",
    "the former results",
)
@pytest.mark.parametrize(
    ("name", "content", "load"),
    [
        ("a.npy", b"\x93NUMPY\x01\x00", load_array),  # cut off
        ("a.npy", b"no array", load_array),
        ("a.json", b'{"a": 1', load_json),
        ("a.json", b"\xff", load_json),
        ("a.csv", b"\xff", load_text),
    ],
)
def test_a_damaged_input_is_named_with_what_helps(
    tmp_path: Path, name: str, content: bytes, load: Callable[[Path], Any]
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(StageError) as error:
        load(tmp_path / name)
    said = str(error.value)
    assert said.startswith(f"{tmp_path / name} is damaged (") and "\n" not in said
    assert said.endswith("): delete it, and `dvc repro` restores it or makes it anew")
