"""The small tables under reports/ that `dvc metrics diff` compares and `dvc plots` draws."""

from collections.abc import Mapping

import pandas as pd

from stages.params.recipe import CELLS
from stages.reporting.comparison import Result
from stages.reporting.statistics import Runs, mean_over_seeds
from stages.scoring.packing import ROC_RATES


def metrics(results: Mapping[str, Result]) -> dict[str, dict[str, dict[str, float]]]:
    """Return recipe → column → metric → mean over seeds: what `dvc metrics diff` compares.

    On the test reviews; `validation_accuracy`, which alone may choose between settings, on those.
    With three digits, a tenth of a percentage point.
    """
    table: dict[str, dict[str, dict[str, float]]] = {}
    for recipe, result in results.items():
        table[recipe] = {
            column: {metric: round(each["mean"], 3) for metric, each in row.items()}
            for column, row in result.metrics.items()
        }
        for cell in CELLS:
            accuracy = mean_over_seeds(result.seeds, cell, "validation", "accuracy")
            table[recipe][cell]["validation_accuracy"] = round(float(accuracy), 3)
    return table


def learning_curves(runs: Runs) -> dict[str, pd.DataFrame]:
    """Return RECIPE-CELL → a row per seed and epoch: accuracy in validation and in training."""
    names = {"epoch": "epoch", "validation": "validation_accuracy", "training": "train_accuracy"}
    return {
        f"{recipe}-{cell}": pd.concat(
            pd.DataFrame({"seed": seed} | {name: run[cell]["history"][key] for name, key in names.items()})
            for seed, run in seeds.items()
        )
        for recipe, seeds in runs.items()
        for cell in CELLS
    }


def roc_curves(runs: Runs) -> dict[str, pd.DataFrame]:
    """Return recipe → each cell's true positive rate, mean over seeds, at each false positive rate."""
    return {
        recipe: pd.DataFrame(
            {"false_positive_rate": ROC_RATES}
            | {cell: mean_over_seeds(seeds, cell, "test", "roc") for cell in CELLS}
        )
        for recipe, seeds in runs.items()
    }
