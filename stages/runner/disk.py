"""Is there room for what is going to be trained, and was it a full disk that made a stage fail?"""

import re
import shutil
from pathlib import Path

from stages.runtime.errors import StageError

NEEDED = 25_000_000  # bytes for a stage's results, once under data/ and once in DVC's cache
# As the system, its quotas, SQLite (in which DVC keeps what it knows of files) and our own stages say it.
FULL = re.compile(r"No space left on device|Disk quota exceeded|disk is full")


def check_space(stages: int, *folders: Path) -> None:
    """Raise `StageError` where the folders' disks have no room for the results of so many stages."""
    needed = stages * NEEDED
    for folder in folders:
        existing = next(each for each in (folder, *folder.parents) if each.exists())
        free = shutil.disk_usage(existing).free
        if free < needed:
            raise StageError(
                f"the disk of {folder} has {free / 1e9:.2f} GB left, and {stages} stages may need "
                f"{needed / 1e9:.2f} GB: make room first"
            )


def full_disk(output: str) -> str | None:
    """Return the line of a failed stage's output that says that the disk is full; None where none does."""
    return next((line.strip() for line in output.splitlines() if FULL.search(line)), None)
