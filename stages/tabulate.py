"""Stage `tabulate`: the side study of whole reviews in one file: the poolings tried, and all runs' scores."""

from itertools import product
from pathlib import Path

from stages.params.recipe import CELLS
from stages.params.study import load_params
from stages.runtime.command_line import stage_main
from stages.runtime.files import delete_others, json_text, load_json, write_atomically
from stages.scoring.histories import kept_accuracy

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


if __name__ == "__main__":
    stage_main(tabulate)
