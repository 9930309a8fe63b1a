"""Stage `tabulate`: the side study of whole reviews in one file: the poolings tried, and all runs' scores."""

from itertools import product
from pathlib import Path

from stages.networks.provenance import FILE, check_current
from stages.params.recipe import CELLS, changed
from stages.params.study import load_params
from stages.runtime.command_line import stage_main
from stages.runtime.files import delete_others, json_text, load_json, write_atomically
from stages.scoring.histories import kept_accuracy
from stages.scoring.provenance import common_provenance

FOLDER = Path("data/whole_reviews")


def tabulate() -> None:
    """Write what each pooling reached on validation reviews, and the scores of every seed."""
    params = load_params()
    study, recipe = params.whole_reviews, params.blocks[params.whole_reviews.recipe]
    tried = {
        FOLDER / "tried" / f"{cell}-{pooling}": (cell, pooling)
        for cell, pooling in product(CELLS, study.poolings)
    }
    made = {}
    for run, (cell, pooling) in tried.items():
        made[str(run)] = load_json(run / FILE)
        variant = changed(study.recipe, recipe, [("model.pooling", pooling)])
        check_current(str(run), made[str(run)], variant.settings(cell))
    scores = {seed: FOLDER / "runs" / f"{study.recipe}-{seed}.json" for seed in study.seeds}
    runs = {seed: load_json(file) for seed, file in scores.items()}
    made |= {str(scores[seed]): run["provenance"] for seed, run in runs.items()}
    table = {
        "recipe": study.recipe,
        "tried": [
            {"cell": cell, "pooling": pooling, "validation_accuracy": kept_accuracy(run)}
            for run, (cell, pooling) in tried.items()
        ],
        "runs": {str(seed): run for seed, run in runs.items()},
        "provenance": common_provenance(made),
    }
    write_atomically(FOLDER / "table.json", json_text(table))
    delete_others(FOLDER / "tried", tried)
    delete_others(FOLDER / "runs", scores.values())


if __name__ == "__main__":
    stage_main(tabulate)
