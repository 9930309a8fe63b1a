"""Stage `release`: the run of each cell that validation reviews prefer, for others to use.

Of the last recipe in params.yaml. No test review takes part in the choice.
"""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

from stages.runtime.command_line import main
from stages.runtime.files import (
    MODELS,
    REPORTS,
    json_text,
    load_text,
    new_file,
    new_folder,
    not_there,
    run_folder,
)
from stages.params.study import Params

RELEASED = Path("data/released")


def release(params: Params) -> None:
    """Copy the best run of each cell to data/released, and say in reports/released.json which it is."""
    recipe, cells = params.recipes[-1], ("rnn", "lstm")
    released: dict[str, dict[str, Any]] = {}
    for cell in cells:
        accuracies = {
            seed: validation_accuracy(run_folder(recipe, cell, seed)) for seed in sorted(params.seeds)
        }
        best = max(accuracies, key=lambda seed: accuracies[seed])  # of equals the first
        released[cell] = {
            "recipe": recipe,
            "cell": cell,
            "seed": best,
            "validation_accuracy": accuracies[best],
        }
        print(f"release: {recipe} {cell} seed {best}, validation accuracy {accuracies[best]:.4f}")
    with new_folder(RELEASED) as folder:
        for cell, run in released.items():
            model = run_folder(recipe, cell, run["seed"]) / "model.keras"
            if not model.is_file():
                raise not_there(model)
            (folder / cell).mkdir()
            shutil.copyfile(model, folder / cell / "model.keras")
            new_file(folder / cell / "run.json", json_text(run))
    new_file(REPORTS / "released.json", json_text(released))
    delete_others(
        MODELS / recipe, {run_folder(recipe, cell, seed) for cell in cells for seed in params.seeds}
    )


def validation_accuracy(run: Path) -> float:
    """Return the accuracy on validation reviews that a run had after the epoch that was kept."""
    kept = json.loads(load_text(run / "summary.json"))["kept_epoch"]
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
    main(release)
