"""Stage `tabulate_learning_rates`: what both cells reach with each learning rate, in one file."""

from itertools import product
from pathlib import Path
from typing import NamedTuple

from stages.networks.provenance import FILE
from stages.params.recipe import CELLS, changed
from stages.params.study import LearningRates, load_params
from stages.runtime.command_line import stage_main
from stages.runtime.errors import StageError
from stages.runtime.files import RAW, delete_others, json_text, load_array, write_atomically
from stages.scoring.checks import checked_provenance
from stages.scoring.variants import reached

FOLDER = Path("data/learning_rates")


class Run(NamedTuple):
    """What tells a run of the study from the others."""

    recipe: str
    cell: str
    learning_rate: float
    seed: int


def tabulate_learning_rates() -> None:
    """Write what every run reached on validation and test reviews."""
    params = load_params()
    study = params.learning_rates
    folders = {run: FOLDER / "runs" / "-".join(map(str, run)) for run in grid(study)}
    if missing := [folder.name for folder in folders.values() if not (folder / FILE).is_file()]:
        raise StageError(
            f"{FOLDER}/runs lacks {len(missing)} of {len(folders)} runs, such as {missing[0]}: "
            "`dvc repro stages/learning_rates/dvc.yaml` trains them"
        )
    settings = {}
    for run, folder in folders.items():
        rate = (f"{run.cell}.learning_rate", run.learning_rate)
        variant = changed(run.recipe, params.blocks[run.recipe], [rate])
        settings[folder] = variant.settings(run.cell)
    provenance = checked_provenance(settings)
    labels = load_array(RAW / "test_labels.npy")  # `pad` keeps the test reviews in their order
    others = {cell: {"learning_rate"} for cell in CELLS}  # what the runs set
    table = {
        "runs": [run._asdict() | reached(folder, labels) for run, folder in folders.items()],
        "settings": {
            name: params.blocks[name].model_dump(mode="json", exclude=others) for name in study.recipes
        },
        "provenance": provenance,
    }
    write_atomically(FOLDER / "table.json", json_text(table))
    delete_others(FOLDER / "runs", folders.values())


def grid(study: LearningRates) -> list[Run]:
    """Return all runs of the study."""
    return [Run(*each) for each in product(study.recipes, CELLS, study.learning_rate, study.seeds)]


if __name__ == "__main__":
    stage_main(tabulate_learning_rates)
