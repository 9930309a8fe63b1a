"""Models that are compared must be made with the same code and versions."""

from collections.abc import Mapping
from typing import Any

from stages.networks.provenance import differing
from stages.runtime.errors import StageError

ADVICE = "train all with the same: `dvc repro --force --single-item STAGE` trains one again"


def common_provenance(made: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the code of all models together, and the packages and Python that all were made with.

    made: name of the model → its provenance. Raises `StageError` where two were made with different ones.
    """
    (first, one), *_ = made.items()
    code: dict[str, str] = {}
    for name, other in made.items():
        for package, (mine, theirs) in differing(versions(one), versions(other)).items():
            raise StageError(
                f"{first} and {name} were trained with different versions: "
                f"{package} {mine} and {theirs}; {ADVICE}"
            )
        for path, digest in other["code"].items():
            if code.setdefault(path, digest) != digest:
                raise StageError(f"{name} was trained with another {path} than others, as {first}; {ADVICE}")
    return {"code": code, "packages": one["packages"], "python": one["python"]}


def versions(made: Mapping[str, Any]) -> dict[str, str]:
    """Return Python's and each package's version, of a model's provenance."""
    return {**made["packages"], "Python": made["python"]}
