"""How many stages this machine can run at a time."""

import math
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

MEMORY = 1_500_000_000  # bytes that a training run may need


def default_jobs() -> int:
    """Return how many runs of one thread fit into the processors and the memory that this process may use."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return fitting(processors, psutil.virtual_memory().available, Path("/"))


def fitting(processors: int, memory: int, root: Path) -> int:
    """Return how many runs fit into `processors`, `memory` in bytes and the control groups; at least 1.

    root: where Linux' folders `proc` and `sys` are; elsewhere there are no control groups.
    """
    limits = [float(processors), memory / MEMORY]
    for folder in _control_groups(root):
        limits += [math.ceil(quota) for quota in _quotas(folder)]
        limits += [limit / MEMORY for limit in _memory_limits(folder)]
    return max(1, int(min(limits)))


def _control_groups(root: Path) -> Iterator[Path]:
    """Yield the folders of the groups that this process is in, of versions 1 and 2, and of all above them."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            folder = root / "sys/fs/cgroup" / controller  # version 2 names no controllers
            yield folder
            for part in filter(None, path.split("/")):
                folder /= part
                yield folder


def _quotas(folder: Path) -> Iterator[float]:
    """Yield how many processors' time a group may take."""
    quota, _, period = _text(folder / "cpu.max").partition(" ")
    quota = quota or _text(folder / "cpu.cfs_quota_us")
    period = period or _text(folder / "cpu.cfs_period_us")
    with suppress(ValueError):  # "max", or no such file
        if int(quota) > 0:  # −1 in version 1: no limit
            yield int(quota) / int(period)


def _memory_limits(folder: Path) -> Iterator[int]:
    """Yield how many bytes a group may take."""
    for name in ("memory.max", "memory.limit_in_bytes"):
        with suppress(ValueError):
            yield int(_text(folder / name))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
