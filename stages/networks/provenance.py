"""What a trained model was made with: its settings, the code and the packages, as loaded when training began.

DVC takes its hashes after a command has run: were a file edited meanwhile, `dvc.lock` would record the new
file beside the old model. So a run notes what it began with, and does not end well where that has changed.
"""

import hashlib
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from stages.runtime.errors import StageError

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("keras", "numpy", "tensorflow")
FILE = "provenance.json"


def provenance(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings, versions, and the SHA-256 of each of this project's modules that are imported."""
    specs = [
        getattr(module, "__spec__", None)
        for name, module in sys.modules.items()
        if name == "__main__" or name.partition(".")[0] == "stages"
    ]
    files = {Path(spec.origin) for spec in specs if spec and spec.origin}
    return {
        "settings": dict(settings),
        "code": {
            file.relative_to(ROOT).as_posix(): _digest(file)
            for file in sorted(files)
            if file.is_relative_to(ROOT / "stages") and file.stat().st_size
        },
        "packages": {name: version(name) for name in PACKAGES},
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
    }


def check_current(run: str, made: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Raise `StageError` where `run` was not made with these settings or the code as it now lies on disk."""
    for name, (then, now) in differing(made["settings"], settings).items():
        raise StageError(f"{run} was trained with {name} = {then}, but params.yaml now has {now}; {ADVICE}")
    for name, digest in made["code"].items():
        if not (ROOT / name).is_file() or _digest(ROOT / name) != digest:
            raise StageError(
                f"{run} was trained with another {name} than the one that is there now; {ADVICE}"
            )


ADVICE = "train it again, and change nothing meanwhile"


def differing(
    one: Mapping[str, Any], other: Mapping[str, Any], prefix: str = ""
) -> dict[str, tuple[Any, Any]]:
    """Return dotted name → both values, for what two nested mappings do not have alike."""
    result: dict[str, tuple[Any, Any]] = {}
    for name in sorted(one.keys() | other.keys()):
        mine, theirs = one.get(name), other.get(name)
        if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
            result |= differing(mine, theirs, f"{prefix}{name}.")
        elif mine != theirs:
            result[prefix + name] = (mine, theirs)
    return result


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
