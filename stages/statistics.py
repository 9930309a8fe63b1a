"""What the figures of several seeds say together."""

from collections.abc import Mapping
from typing import Any

import numpy as np

METRICS = ("accuracy", "loss", "auc", "f1")
DIGITS = 4  # of every figure that is written down: a hundredth of a percent point
ROC_RATES = np.linspace(0, 1, 101)  # false positive rates at which ROC curves are written down

Runs = Mapping[str, Mapping[int, Mapping[str, Any]]]  # recipe → seed → what `score` wrote


def summarise(values: Mapping[int, float]) -> dict[str, Any]:
    """Return mean, sample standard deviation (None for a single seed) and every seed's value, rounded."""
    numbers = list(values.values())
    return {
        "mean": round(float(np.mean(numbers)), DIGITS),
        "sd": round(float(np.std(numbers, ddof=1)), DIGITS) if len(numbers) > 1 else None,
        "seeds": {str(seed): round(value, DIGITS) for seed, value in values.items()},
    }


def compare(runs: Runs) -> dict[str, dict[str, dict[str, Any]]]:
    """Return recipe → `rnn`, `lstm` or `difference` → metric → summary over seeds, on the test reviews.

    The difference is LSTM minus RNN, seed by seed.
    """
    result: dict[str, dict[str, dict[str, Any]]] = {}
    for recipe, seeds in runs.items():
        result[recipe] = {"rnn": {}, "lstm": {}, "difference": {}}
        for metric in METRICS:
            rnn = {seed: run["rnn"]["test"][metric] for seed, run in seeds.items()}
            lstm = {seed: run["lstm"]["test"][metric] for seed, run in seeds.items()}
            difference = {seed: lstm[seed] - rnn[seed] for seed in seeds}
            for column, values in (("rnn", rnn), ("lstm", lstm), ("difference", difference)):
                result[recipe][column][metric] = summarise(values)
    return result
