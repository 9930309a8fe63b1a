"""Runs of recipes with given learning rates, in a table."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from stages.networks.provenance import FILE
from stages.params.recipe import CELLS, Recipe, changed
from stages.runtime.errors import StageError
from stages.runtime.files import RAW, load_array
from stages.scoring.checks import checked_provenance
from stages.scoring.variants import reached


class Run(NamedTuple):
    """What tells a run from the others."""

    recipe: str
    cell: str
    learning_rate: float
    seed: int


def rates_table(runs: Mapping[Path, Run], blocks: Mapping[str, Recipe]) -> dict[str, Any]:
    """Return what every run of a side study reached on validation and test reviews.

    runs: folder → run; blocks: all recipes. Raises `StageError` where a run is missing, or was made with
    other settings, code or packages.
    """
    folder = next(iter(runs)).parent
    if missing := [run.name for run in runs if not (run / FILE).is_file()]:
        raise StageError(
            f"{folder} lacks {len(missing)} of {len(runs)} runs, such as {missing[0]}: "
            f"`dvc repro stages/{folder.parent.name}/dvc.yaml` trains them"
        )
    settings = {
        path: changed(
            run.recipe, blocks[run.recipe], [(f"{run.cell}.learning_rate", run.learning_rate)]
        ).settings(run.cell)
        for path, run in runs.items()
    }
    provenance = checked_provenance(settings)
    labels = load_array(RAW / "test_labels.npy")  # `pad` keeps the test reviews in their order
    others = {cell: {"learning_rate"} for cell in CELLS}  # what the runs set
    return {
        "runs": [run._asdict() | reached(path, labels) for path, run in runs.items()],
        "settings": {
            name: blocks[name].model_dump(mode="json", exclude=others)
            for name in dict.fromkeys(run.recipe for run in runs.values())
        },
        "provenance": provenance,
    }
