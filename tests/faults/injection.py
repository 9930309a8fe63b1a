"""What a process does to files below a folder, and how it ends when one of these operations fails.

The process is a fork of this one, so libraries that were imported here cost nothing again. strace (Debian:
strace) watches it, injects the fault, and sees what C libraries do as well. Only its first thread is watched.
"""

import ctypes
import os
import re
import runpy
import shutil
import subprocess
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

KILL = "SIGKILL"
ERRORS = ("ENOSPC", "EIO", "EACCES")
FAULTS = (KILL, *ERRORS)
ATTEMPTS = 5  # strace counts operations, and a library now and then opens a file more or less
# By the names of system calls; a question mark: where the machine has it.
ON_OPEN_FILES = (
    "write",
    "pwrite64",
    "writev",
    "fsync",
    "fdatasync",
    "ftruncate",
    "fallocate",
    "sendfile",
    "copy_file_range",
    "fchmod",
)
BY_PATH = (
    "open",
    "openat",
    "creat",
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "unlink",
    "unlinkat",
    "mkdir",
    "mkdirat",
    "rmdir",
    "chmod",
    "fchmodat",
)
CALLS = ",".join(f"?{name}" for name in (*ON_OPEN_FILES, *BY_PATH))
READING = re.compile(r"O_RDONLY")
PR_SET_PTRACER, ANY = 0x59616D61, -1


class Operation(NamedTuple):
    """A system call that changes a file or folder, or opens one to do so."""

    call: str
    number: int  # from 1, of the calls of that name
    path: str  # below the folder; of a rename both

    def injection(self, fault: str) -> str:
        """Return what strace is told so that the fault happens instead of this operation."""
        how = f"signal={KILL}" if fault == KILL else f"error={fault}"
        return f"--inject={self.call}:{how}:when={self.number}"


class Ended(NamedTuple):
    """How a process ended."""

    status: int  # −9: killed
    said: str  # on standard error
    operations: list[Operation]
    hit: Operation | None  # the one that the fault was injected into


def run_module(name: str, *arguments: str) -> None:
    """Run a module as `python -m NAME ARGUMENTS` does, though it may have been imported."""
    sys.modules.pop(name, None)
    sys.argv = [name, *arguments]
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def run(work: Callable[[], object], notes: Path, folder: Path | None = None, *injection: str) -> Ended:
    """Run `work` in a fork and wait for its end; with `folder`, note what it does below that folder.

    notes: an empty folder elsewhere. injection: of `Operation.injection`.
    """
    said, trace = notes / "said", notes / "trace"
    trace.write_text("")
    readable, writable = os.pipe()
    child = os.fork()
    if not child:
        _work(work, readable, said)
    os.close(readable)
    tracer = _attach(child, trace, injection) if folder else None
    os.write(writable, b"1")
    os.close(writable)
    _, ended = os.waitpid(child, 0)
    if tracer:
        tracer.communicate()
    operations, hit = _parsed(trace.read_text(), folder) if folder else ([], None)
    return Ended(os.waitstatus_to_exitcode(ended), said.read_text(), operations, hit)


def _work(work: Callable[[], object], start: int, said: Path) -> None:
    status = 1
    try:
        ctypes.CDLL(None).prctl(PR_SET_PTRACER, ANY)  # where only parents may watch their children
        errors = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(errors, 2)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.read(start, 1)
        work()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else bool(end.code)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _attach(process: int, trace: Path, injection: tuple[str, ...]) -> subprocess.Popen[str]:
    """Let strace watch a process, and return it when it does."""
    tracer = subprocess.Popen(
        ["strace", f"--attach={process}", f"--output={trace}", f"--trace={CALLS}", "-y", "-s0", *injection],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert tracer.stderr
    line = tracer.stderr.readline()
    assert "attached" in line, line
    return tracer


def _parsed(trace: str, folder: Path) -> tuple[list[Operation], Operation | None]:
    """Return the operations below a folder that strace has noted, and the one it injected a fault into."""
    seen: Counter[str] = Counter()
    operations: list[Operation] = []
    hit = None
    for line in trace.splitlines():
        if not (match := re.match(r"(\w+)\((.*)", line)):
            continue
        call, rest = match.groups()
        seen[call] += 1
        paths = list(_paths(call, rest, folder))
        if paths and not (call.startswith("open") and READING.search(rest)):
            operations.append(Operation(call, seen[call], " → ".join(paths)))
        if "(INJECTED)" in rest or rest.endswith("= ?"):
            hit = operations[-1] if paths and operations else None
    return operations, hit


def _paths(call: str, arguments: str, folder: Path) -> Iterator[str]:
    """Yield the paths below a folder, as it names them, that a line of strace's is about."""
    arguments = arguments.rpartition(" = ")[0]  # what it returned may be a file, too
    if call in ON_OPEN_FILES:
        found = re.findall(r"\d+<(/[^>]*)>", arguments)
    else:
        found = [
            os.path.normpath(Path(base or folder, path))
            for base, path in re.findall(r'(?:(?:AT_FDCWD|\d+)<(/[^>]*)>, )?"([^"]*)"', arguments)
        ]
    for each in map(Path, found):
        if each.is_relative_to(folder):
            yield str(each.relative_to(folder))


def available() -> bool:
    """Return whether strace is here and may watch."""
    if not shutil.which("strace"):
        return False
    return subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True).returncode == 0
