"""What the runner starts ends with it, however it ends: the guard sees that its standard input closes."""

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, eventually

COMMAND = "import subprocess; print('started', flush=True); subprocess.run(['sleep', '60']); print('ended')"


def test_what_a_guarded_command_has_started_ends_when_its_input_closes() -> None:
    guarded = [sys.executable, "-m", "stages.runner.guard", sys.executable, "-c", COMMAND]
    pipe = subprocess.PIPE
    with subprocess.Popen(guarded, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin and process.stdout
        assert process.stdout.readline() == "started\n"
        process.stdin.close()
        try:
            assert process.wait(30) == 0
        finally:
            process.kill()
        assert process.stdout.read() == "ended\n"


def test_where_the_guard_is_killed_the_command_keeps_the_lock(tmp_path: Path) -> None:
    command = "import os; print(os.getpid(), flush=True); open(0).read(); import time; time.sleep(60)"
    guarded = [sys.executable, "-m", "stages.runner.guard", sys.executable, "-c", command]
    pipe = subprocess.PIPE

    def lock() -> None:
        with (tmp_path / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    with (tmp_path / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        held = (file.fileno(),)
        process = subprocess.Popen(guarded, cwd=ROOT, stdin=pipe, stdout=pipe, text=True, pass_fds=held)
    with process:
        assert process.stdout
        child = int(process.stdout.readline())
        try:
            process.kill()
            process.wait(30)
            with pytest.raises(BlockingIOError):
                lock()
        finally:
            os.kill(child, signal.SIGKILL)

    def free() -> bool:
        try:
            lock()
        except BlockingIOError:
            return False
        return True

    assert eventually(free, 30)
