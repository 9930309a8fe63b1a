"""Stage `release`: of one recipe, each cell's run that validation reviews prefer, for others to use.

No test review takes part in the choice.
"""

import csv
import shutil
from pathlib import Path
from typing import Any

from stages.networks.provenance import FILE
from stages.params.recipe import CELLS
from stages.params.study import load_params
from stages.runtime.command_line import stage_main
from stages.runtime.files import (
    MODELS,
    RELEASED,
    REPORTS,
    json_text,
    load_json,
    load_text,
    missing_input,
    run_folder,
    write_atomically,
    write_folder,
)

COPIED = ("model.keras", FILE)


def release() -> None:
    """Copy the best run of each cell to data/released, and say in reports/released.json which it is."""
    params = load_params()
    recipe, seeds = params.release.recipe, sorted(params.seeds)
    released: dict[str, dict[str, Any]] = {}
    for cell in CELLS:
        accuracies = {seed: validation_accuracy(run_folder(recipe, cell, seed)) for seed in seeds}
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


def validation_accuracy(run: Path) -> float:
    """Return the accuracy on validation reviews that a run had after the epoch that was kept."""
    kept = load_json(run / "summary.json")["kept_epoch"]
    history = csv.DictReader(load_text(run / "history.csv").splitlines())
    return next(float(row["validation_accuracy"]) for row in history if int(row["epoch"]) == kept)


def delete_others(folder: Path, runs: set[Path]) -> None:
    """Delete what is in `folder` beside `runs`, such as the runs of a seed that was dropped.

    DVC tracks the folder: with left-overs in it, the same parameters would give two people two different
    `dvc.lock`. What DVC has made is still in its cache.
    """
    for left_over in sorted(set(folder.iterdir()) - runs):
        print(f"release: {left_over} belongs to nothing that params.yaml names: deleted")
        if left_over.is_dir() and not left_over.is_symlink():
            shutil.rmtree(left_over)
        else:
            left_over.unlink()


if __name__ == "__main__":
    stage_main(release)
