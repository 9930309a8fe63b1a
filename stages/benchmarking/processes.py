"""The processes that are timed: how they are started, how they answer, how they end."""

import contextlib
import multiprocessing
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing import resource_tracker
from typing import Any, NamedTuple

from stages import StageError
from stages.runtime import processor


def usable_cores() -> list[int]:
    """Return the numbers of the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def settle(how: str, cores: list[int]) -> None:
    """Give this process its cores, as many threads, and its environment, before the libraries are loaded.

    how: as a `user` would start it, so that libraries choose their instructions and malloc what it keeps;
    with the same `allocator` setting as this pipeline's networks, which keep what is freed; or, as this
    pipeline's stages, with the `fixed` instructions that most processors have.
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
    if how != "fixed":
        for name in {*processor.ANYWHERE, *processor.ON_X86} - {"KERAS_BACKEND"}:
            os.environ.pop(name, None)
    os.environ |= dict.fromkeys(processor.THREADS, str(len(cores))) | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    if how == "allocator":
        processor.keep_memory()


class Took(NamedTuple):
    """What a call took; a minor page fault is a page of memory that the kernel has to hand out."""

    milliseconds: float
    faults: float
    megabytes: float  # the process' peak so far


def repeat(call: Callable[[int], Any], seconds: float = 0) -> Took:
    """Call `call` with 0, 1, … for so long, at least once, and return what a call took."""
    times, before, start = 0, resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    while not times or time.perf_counter() < start + seconds:
        call(times)
        times += 1
    spent, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    peak = after.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)  # from bytes or kB
    return Took(1000 * spent / times, (after.ru_minflt - before.ru_minflt) / times, peak)


class Worker:
    """A process of its own that sends answers. It ends with this one, which alone gets Ctrl-C."""

    def __init__(self, function: Callable[..., None], *arguments: Any) -> None:
        """Start `function(connection, *arguments)` in a fresh interpreter."""
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=function, args=(theirs, *arguments), daemon=True)
        resource_tracker.ensure_running()  # or `start` does it, and unblocks the signal
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # the new process inherits that
        try:
            self.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        theirs.close()  # so that its end is noticed here

    def ask(self, *request: Any) -> None:
        """Send a request; `receive` its answer later."""
        with contextlib.suppress(BrokenPipeError):  # `receive` says so
            self.connection.send(request)

    def receive(self) -> Any:
        """Return the next answer; raises `StageError` where the process has ended instead."""
        try:
            return self.connection.recv()
        except (EOFError, ConnectionResetError):
            raise StageError("a process that was timed has ended: see its error above") from None

    def end(self) -> None:
        """Let the process end."""
        self.connection.close()
        self.process.join()
