"""Stage `evaluate`: the comparison over all recipes and seeds, as numbers, curves, figures and a report.

Works on what `score` wrote about each run, without models or reviews.
"""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from stages import figures, report
from stages.command import main
from stages.files import REPORTS, RUNS, json_text, load_text, new_file, new_folder
from stages.params import Params
from stages.statistics import ROC_RATES, Runs, compare


def evaluate(params: Params) -> None:
    """Compare the cells over all recipes and seeds, and write everything under reports/."""
    runs = read_runs(params)
    comparison = compare(runs)
    drawn = {
        "accuracy": figures.accuracy(runs, params.published),
        "learning_curves": figures.learning_curves(runs, params.published),
        "roc": figures.roc(runs),
        "confusion": figures.confusion(runs),
    }
    texts = {
        name: report.render(name, comparison, runs, params.published) for name in ("results.md", "report.md")
    }

    new_file(REPORTS / "metrics.json", json_text(comparison))
    for name, tables in (("learning_curves", learning_curves(runs)), ("roc", roc_curves(runs))):
        with new_folder(REPORTS / name) as folder:
            for recipe, table in tables.items():
                text = table.to_csv(index=False, float_format="%.4f", lineterminator="\n")
                new_file(folder / f"{recipe}.csv", text)
    with new_folder(REPORTS / "figures") as folder:
        for name, figure in drawn.items():
            # No software version or date in the file: the same figures give the same bytes.
            figure.savefig(folder / f"{name}.png", metadata={"Software": None})
    for name, text in texts.items():
        new_file(REPORTS / name, text)
    print(f"evaluate: {len(params.recipes) * len(params.seeds) * 2} runs compared in {REPORTS}/report.md")


def read_runs(params: Params) -> Runs:
    """Return what `score` wrote on the runs that the parameters name, and delete what it wrote on others.

    A recipe or seed that was dropped leaves its file behind, and with it another hash of the folder
    that DVC tracks: the same parameters would give two people two different `dvc.lock`.
    """
    files = {
        (recipe, seed): RUNS / f"{recipe}-{seed}.json" for recipe in params.recipes for seed in params.seeds
    }
    runs = {
        recipe: {seed: json.loads(load_text(files[recipe, seed])) for seed in params.seeds}
        for recipe in params.recipes
    }
    for left_over in set(RUNS.iterdir()) - set(files.values()):
        print(f"evaluate: {left_over} belongs to no run that params.yaml names: deleted")
        left_over.unlink()
    return runs


def learning_curves(runs: Runs) -> dict[str, pd.DataFrame]:
    """Return recipe → a row per epoch: both cells' accuracy, mean over seeds, in validation and training."""
    return {
        recipe: pd.DataFrame(
            {
                "epoch": next(iter(seeds.values()))["rnn"]["history"]["epoch"],
                "rnn": _mean(seeds, "rnn", "history", "validation_accuracy"),
                "lstm": _mean(seeds, "lstm", "history", "validation_accuracy"),
                "rnn_training": _mean(seeds, "rnn", "history", "train_accuracy"),
                "lstm_training": _mean(seeds, "lstm", "history", "train_accuracy"),
            }
        )
        for recipe, seeds in runs.items()
    }


def roc_curves(runs: Runs) -> dict[str, pd.DataFrame]:
    """Return recipe → the true positive rate of both cells, mean over seeds, at each false positive rate."""
    return {
        recipe: pd.DataFrame(
            {
                "false_positive_rate": ROC_RATES,
                "rnn": _mean(seeds, "rnn", "test", "roc"),
                "lstm": _mean(seeds, "lstm", "test", "roc"),
            }
        )
        for recipe, seeds in runs.items()
    }


def _mean(seeds: Mapping[int, Mapping[str, Any]], cell: str, part: str, name: str) -> np.ndarray:
    return np.asarray([run[cell][part][name] for run in seeds.values()]).mean(axis=0)


if __name__ == "__main__":
    main(evaluate)
