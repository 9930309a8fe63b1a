"""What this project's modules were when the process started: DIGESTS, path → SHA-256 in hexadecimal."""

import hashlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def digests() -> dict[str, str]:
    """Return the digest of every module below stages/ that is not empty, as it lies on disk now."""
    files = sorted(file for file in ROOT.glob("stages/**/*.py") if file.stat().st_size)
    return {file.relative_to(ROOT).as_posix(): digest(file) for file in files}


def digest(file: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


DIGESTS = digests()
