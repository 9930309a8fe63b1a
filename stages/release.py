"""Stage `release`: of one recipe, each cell's run that validation reviews prefer, for others to use.

No test review takes part in the choice.
"""

import shutil
from typing import Any

from stages.networks.provenance import FILE
from stages.params.recipe import CELLS
from stages.params.study import load_params
from stages.runtime.command_line import stage_main
from stages.runtime.files import (
    MODELS,
    RELEASED,
    REPORTS,
    delete_others,
    json_text,
    missing_input,
    run_folder,
    write_atomically,
    write_folder,
)
from stages.scoring.histories import kept_accuracy

COPIED = ("model.keras", FILE)


def release() -> None:
    """Copy the best run of each cell to data/released, and say in reports/released.json which it is."""
    params = load_params()
    recipe, seeds = params.release.recipe, sorted(params.seeds)
    released: dict[str, dict[str, Any]] = {}
    for cell in CELLS:
        accuracies = {seed: kept_accuracy(run_folder(recipe, cell, seed)) for seed in seeds}
        best = max(seeds, key=lambda seed: accuracies[seed])  # of equals the first
        released[cell] = {
            "recipe": recipe,
            "cell": cell,
            "seed": best,
            "validation_accuracy": accuracies[best],
        }
        print(f"release: {recipe} {cell} seed {best}, validation accuracy {accuracies[best]:.4f}")
    with write_folder(RELEASED) as folder:
        for cell, run in released.items():
            (folder / cell).mkdir()
            for name in COPIED:
                file = run_folder(recipe, cell, run["seed"]) / name
                if not file.is_file():
                    raise missing_input(file)
                shutil.copyfile(file, folder / cell / name)
            write_atomically(folder / cell / "run.json", json_text(run))
    write_atomically(REPORTS / "released.json", json_text(released))
    delete_others(MODELS / recipe, {run_folder(recipe, cell, seed) for cell in CELLS for seed in seeds})


if __name__ == "__main__":
    stage_main(release)
