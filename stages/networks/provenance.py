"""What a trained model was made with: its settings, the code and the packages, as they were at the start.

DVC takes its hashes after a command has run: were a file edited meanwhile, `dvc.lock` would record the new
file beside the old model. So a run notes what it began with, and does not end well where that has changed.
"""

import sys
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from stages.runtime import sources
from stages.runtime.errors import StageError

# Those that decide what a model is, or what it is trained on.
PACKAGES = ("keras", "networkx", "numpy", "scikit-learn", "scipy", "tensorflow")
FILE = "provenance.json"
ADVICE = "train it again, and change nothing meanwhile"


def provenance(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings, versions, and the digest that each module imported so far had at the start."""
    specs = [getattr(module, "__spec__", None) for module in sys.modules.values()]
    loaded = {spec.origin for spec in specs if spec and spec.origin}
    return {
        "settings": dict(settings),
        "code": {
            name: digest for name, digest in sources.DIGESTS.items() if str(sources.ROOT / name) in loaded
        },
        "packages": {name: version(name) for name in PACKAGES},
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
    }


def check_current(run: str, made: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Raise `StageError` where `run` was not made with these settings or the code as it now lies on disk."""
    for name, (then, now) in differing(made["settings"], settings).items():
        raise StageError(f"{run} was trained with {name} = {then}, but params.yaml now has {now}; {ADVICE}")
    for name, digest in made["code"].items():
        file = sources.ROOT / name
        if not file.is_file() or sources.digest(file) != digest:
            raise StageError(f"{run} was trained with another {name} than the present one; {ADVICE}")


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
