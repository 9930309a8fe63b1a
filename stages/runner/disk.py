"""Is there room for what is going to be trained, and was it a full disk that made a stage fail?"""

import re
import shutil

from stages.runtime.errors import StageError

NEEDED = 12_000_000  # bytes for a stage's results, in data/ and in DVC's cache: the mean of dvc.lock
# As the system, its quotas, SQLite (in which DVC keeps what it knows of files) and our own stages say it.
FULL = re.compile(r"No space left on device|Disk quota exceeded|disk is full")


def check_space(stages: int) -> None:
    """Raise `StageError` where this folder's disk has no room for the results of so many stages."""
    needed, free = stages * NEEDED, shutil.disk_usage(".").free
    if free < needed:
        raise StageError(
            f"the disk has {free / 1e9:.2f} GB left, and {stages} stages need about {needed / 1e9:.2f} GB: "
            "make room first"
        )


def full_disk(output: str) -> str | None:
    """Return the line of a failed stage's output that says that the disk is full; None where none does."""
    return next((line.strip() for line in output.splitlines() if FULL.search(line)), None)
