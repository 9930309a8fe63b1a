"""Stage `tabulate`: the side study of whole reviews in one file: the poolings tried, and all runs' scores."""

import io
from itertools import product
from pathlib import Path

import pandas as pd

from stages.params.recipe import CELLS
from stages.params.study import load_params
from stages.runtime.command_line import stage_main
from stages.runtime.files import delete_others, json_text, load_json, load_text, write_atomically

FOLDER = Path("data/whole_reviews")


def tabulate() -> None:
    """Write what each pooling reached on validation reviews, and the scores of every seed."""
    study = load_params().whole_reviews
    tried = {
        FOLDER / "tried" / f"{cell}-{pooling}": (cell, pooling)
        for cell, pooling in product(CELLS, study.poolings)
    }
    scores = {seed: FOLDER / "runs" / f"{study.recipe}-{seed}.json" for seed in study.seeds}
    table = {
        "recipe": study.recipe,
        "tried": [
            {"cell": cell, "pooling": pooling, "validation_accuracy": kept_accuracy(run)}
            for run, (cell, pooling) in tried.items()
        ],
        "runs": {str(seed): load_json(file) for seed, file in scores.items()},
    }
    write_atomically(FOLDER / "table.json", json_text(table))
    delete_others(FOLDER / "tried", tried)
    delete_others(FOLDER / "runs", scores.values())


def kept_accuracy(run: Path) -> float:
    """Return the accuracy on validation reviews that a run had after the epoch that was kept."""
    epoch = load_json(run / "summary.json")["kept_epoch"]
    history = pd.read_csv(io.StringIO(load_text(run / "history.csv")))
    return float(history["validation_accuracy"][history["epoch"] == epoch].iloc[0])


if __name__ == "__main__":
    stage_main(tabulate)
