"""Runs that are disturbed, or find what a disturbed run has left, on a small pipeline without data."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from ruamel.yaml import YAML

from stages.runner.alone import RUNNING, alone
from stages.runner.state import load_lock
from stages.runtime.errors import StageError
from tests.conftest import Project, eventually, run_in
from tests.ticking import ENVIRONMENT, IDENTITY, TICK, run, ticking


@pytest.fixture
def finished(undisturbed: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(undisturbed, tmp_path / "finished"))


@contextmanager
def running(ticks: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a run whose stages 0 and 1 tick for minutes."""
    (ticks / "tick.py").write_text(TICK.format(3000))
    with subprocess.Popen(
        [sys.executable, "run.py"],
        cwd=ticks,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert eventually(lambda: all(ticking(ticks, "01")), 120)
            (ticks / "tick.py").write_text(TICK.format(2))
            yield process
        finally:
            process.kill()


def below(process: int, command: str) -> psutil.Process:
    """Return the process below another one whose command line holds `command`, the last that was started."""
    found = [
        each
        for each in psutil.Process(process).children(recursive=True)
        if command in " ".join(each.cmdline())
    ]
    return found[-1]


@pytest.mark.fault(
    "a second run in the same folder",
    "it says in one line which process is at work, exit status 1",
    "the first run is not disturbed",
)
@pytest.mark.fault(
    "SIGKILL of a run, and another one at once",
    "what the killed run had started ends within seconds; the other one waits for that, and goes on",
    "what was finished; `dvc.lock` becomes the undisturbed run's",
)
def test_a_second_run_waits_or_says_which_is_at_work(ticks: Path, undisturbed: Path) -> None:
    with running(ticks) as first:
        second = run(ticks)
        assert (second.returncode, second.stdout) == (1, "")
        command = f"{sys.executable} run.py"
        said = f"run: `{command}` is at work here, process {first.pid}: wait until it has ended\n"
        assert second.stderr == said
        assert eventually(lambda: all(ticking(ticks, "01")))  # a busy machine stops anyone for half a second
        first.kill()
        first.wait()
        with alone(ticks / RUNNING):
            assert not any(ticking(ticks, "01"))
        third = run(ticks)
    assert third.returncode == 0, third.stderr
    assert "4 stages to run" in third.stdout
    assert load_lock(ticks / "dvc.lock") == load_lock(undisturbed / "dvc.lock")


@pytest.mark.fault(
    "two of `make report`, `make quick` and side studies in the same folder",
    "the second says in one line which process is at work, exit status 1",
    "the first one is not disturbed: quick's copy is not deleted",
)
def test_quick_and_side_studies_say_so_too(project: Project) -> None:
    (project.folder / ".quick").mkdir()
    for command in (["quick"], ["run", "stages/search/dvc.yaml"]):
        with alone(project.folder / RUNNING):
            result = project.run("python", "-m", f"stages.tools.{command[0]}", *command[1:], check=False)
        assert (result.returncode, result.stdout) == (1, "")
        said = f"is at work here, process {os.getpid()}: wait until it has ended\n"
        assert result.stderr.startswith(f"{command[0]}: `") and result.stderr.endswith(said)
    assert (project.folder / ".quick").is_dir()


def test_a_file_that_a_run_has_left_stops_nobody(finished: Path) -> None:
    """After a power cut it is there and names a process that may be another one now."""
    (finished / ".dvc/tmp/running").write_text(f"{os.getpid()} python -m stages.tools.run")
    assert run(finished).stdout == "Everything is up to date\n"


@pytest.mark.fault(
    "SIGKILL of {killed}",
    "the stage fails by name, the other worker finishes, no other stage is started, exit status 1",
    "all other stages; `dvc.lock` becomes the undisturbed run's with the next run",
)
@pytest.mark.parametrize(
    ("killed", "command"),
    [("one of two workers", "tick.py 0"), ("DVC during a stage", "--single-item tick@0")],
)
def test_one_worker_is_killed(ticks: Path, undisturbed: Path, killed: str, command: str) -> None:
    with running(ticks) as process:
        below(process.pid, command).kill()
        assert eventually(lambda: not ticking(ticks, "0")[0], 30)
        below(process.pid, "tick.py 1").send_signal(signal.SIGTERM)  # deaf to Ctrl-C, and long
        said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "run: tick@0" in said[1] and "failed" in said[1] and len(said[1].splitlines()) == 1
    assert not (ticks / "ticks-2").exists()
    run_in(ticks, "dvc", "repro")
    assert load_lock(ticks / "dvc.lock") == load_lock(undisturbed / "dvc.lock")


def test_every_half_of_a_lock_is_seen_or_harmless(undisturbed: Path, tmp_path: Path) -> None:
    """Cut off anywhere: what is taken for whole has entries that are those of the whole file, or none."""
    whole, half = (undisturbed / "dvc.lock").read_bytes(), tmp_path / "dvc.lock"
    stages = load_lock(undisturbed / "dvc.lock")
    taken = 0
    for length in range(len(whole)):
        half.write_bytes(whole[:length])
        try:
            found = load_lock(half)
        except StageError:
            continue
        taken += 1
        *complete, last = found
        assert all(found[name] == stages[name] for name in complete)
        # DVC runs a stage again, or takes it from its cache, whose entry lacks outputs.
        assert found[last] == stages[last] or found[last].get("outs") != stages[last]["outs"]
    assert taken < len(whole.splitlines())


def test_a_lock_that_ends_within_an_entry_is_not_whole(tmp_path: Path) -> None:
    lock = tmp_path / "dvc.lock"
    entry = f"    - path: b\n      hash: md5\n      md5: {'a' * 32}\n      size: 10\n"
    whole = f"schema: '2.0'\nstages:\n  a:\n    cmd: c\n    outs:\n{entry}"
    lock.write_text(whole)
    assert load_lock(lock)["a"]["outs"][0]["size"] == 10
    for cut in ("0\n", "      size: 10\n", entry.partition("\n")[2]):
        lock.write_text(whole.removesuffix(cut))
        with pytest.raises(StageError, match=r"is not whole"):
            load_lock(lock)


@pytest.mark.fault(
    "`dvc.lock` is half written, and was committed",
    "the runner says so in one line, with the command that puts it right, exit status 1",
    "everything: with that command and the next run it is the undisturbed run's, and nothing is run",
)
@pytest.mark.fault(
    "`dvc.lock` is half written, and was never committed",
    "the same, with another command",
    "the same",
)
@pytest.mark.fault(
    "`dvc.lock` lacks its last entries",
    "they are written again",
    "the results, which come from DVC's cache",
)
def test_half_a_lock_is_put_right(finished: Path) -> None:
    lock = finished / "dvc.lock"
    whole = lock.read_bytes()
    for command in ("git checkout HEAD dvc.lock", "rm dvc.lock"):
        if command.startswith("rm"):
            run_in(finished, "git", "rm", "--quiet", "--cached", "dvc.lock")
            run_in(finished, "git", *IDENTITY, "commit", "--quiet", "--message", "no lock")
        lock.write_bytes(whole[: len(whole) // 2])
        result = run(finished)
        assert (result.returncode, result.stdout) == (1, "")
        assert result.stderr.startswith("run: dvc.lock is not whole: ")
        assert f"Run `{command}`, then the same command again" in result.stderr
        assert len(result.stderr.splitlines()) == 1
        run_in(finished, *command.split())
        restored(finished, whole)
    lock.write_bytes(whole[: whole.index(b"  tick@1:")])
    restored(finished, whole)


def restored(folder: Path, lock: bytes) -> None:
    """Check that `dvc repro` runs nothing and makes this dvc.lock."""
    said = run_in(folder, "dvc", "repro").stdout
    assert "Running stage" not in said
    assert load_lock(folder / "dvc.lock") == YAML(typ="safe").load(lock)["stages"]


@pytest.mark.fault(
    "DVC's list of who reads and writes is half written",
    "the runner says so in one line, with the command that puts it right, exit status 1",
    "everything",
)
def test_half_a_list_of_locks_is_put_right(finished: Path) -> None:
    (finished / ".dvc/tmp/rwlock").write_text('{"write": {"/so')
    result = run(finished)
    assert (result.returncode, result.stdout) == (1, "")
    said = "run: .dvc/tmp/rwlock is damaged: run `rm .dvc/tmp/rwlock` while no DVC is at work here"
    assert result.stderr.startswith(said)
    (finished / ".dvc/tmp/rwlock").unlink()
    assert run(finished).stdout == "Everything is up to date\n"
