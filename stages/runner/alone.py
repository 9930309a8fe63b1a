"""One run of a pipeline in a folder at a time: a second would fail with DVC's "is busy"."""

import fcntl
import os
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psutil

from stages.runtime.errors import StageError

RUNNING = Path(".dvc/tmp/running")  # the file that is locked; it names the process that has the lock
ENDING = 30  # seconds in which all ends that a killed process has started: see guard.py


@contextmanager
def alone(file: Path = RUNNING) -> Iterator[int]:
    """Hold the lock on `file` and yield its descriptor: a child that inherits it holds the lock as well.

    The system takes the lock back when the last of them has ended, however that comes; a file that is left
    means nothing. Raises `StageError`, which names the process, where another one holds it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a+", encoding="utf-8") as text:
        deadline = time.monotonic() + ENDING
        while holder := _holder(text):
            pid, _, command = holder.partition(" ")
            if pid.isdecimal() and psutil.pid_exists(int(pid)):
                raise StageError(f"`{command}` is at work here, process {pid}: wait until it has ended")
            if time.monotonic() > deadline:
                raise StageError(f"what `{command}` started here has not ended yet: try again later")
            time.sleep(0.2)
        text.truncate(0)
        text.write(f"{os.getpid()} {shlex.join(sys.orig_argv)}")
        text.flush()
        yield text.fileno()


def _holder(file: IO[str]) -> str | None:
    """Take the lock on an open file and return None, or return who has it: process and command."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        return file.read() or "? another command"
    return None
