"""Are the probabilities calibrated? Expected calibration errors, and how far chance alone explains them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from stages.params.recipe import CELLS
from stages.reporting.comparison import Result
from stages.reporting.formatting import LABELS
from stages.reporting.statistics import Seeds, Summary, mean_interval, summarise
from stages.reporting.verdicts_calibration import better_calibrated, overconfident
from stages.scoring.calibration import BINS

BAGS = {"single": "bag of words", "pairs": "bag of word pairs"}

Measured = Mapping[str, Any]  # what `calibration` of stages/scoring measured on one model
Curve = tuple[list[float], list[float]]  # mean probabilities and shares of positive reviews, bin by bin


class CalibrationRow(NamedTuple):
    """A model's expected calibration error and overconfidence, over seeds."""

    recipe: str | None  # None: a bag-of-words model
    model: str
    error: Summary
    by_chance: float  # the error that a calibrated model with these probabilities would show
    overconfidence: Summary


class Calibration(NamedTuple):
    """How far probabilities are shares."""

    verdict: str
    confidence: str  # empty for a single seed
    rows: list[CalibrationRow]
    curves: dict[str, dict[str, Curve]]  # recipe → model → its reliability diagram
    bins: int


def calibration_section(
    results: Mapping[str, Result], headline: str, bags: Sequence[Mapping[str, Any]]
) -> Calibration:
    """Return the section; bags: the bag-of-words models; those that read the models' tokens are shown."""
    baselines = {BAGS[bag["words"]]: bag["calibration"] for bag in bags if bag["tokens"] == "cut"}
    models = {name: {cell: measured(each.seeds, cell) for cell in CELLS} for name, each in results.items()}
    runs = models[headline]
    errors = {cell: np.array([each["ece"] for each in runs[cell].values()]) for cell in CELLS}
    lead = errors["lstm"] - errors["rnn"]
    interval = mean_interval(lead.tolist())
    return Calibration(
        better_calibrated(
            headline,
            {cell: float(each.mean()) for cell, each in errors.items()},
            None if interval is None else {"mean": float(lead.mean()), "interval": interval},
        ),
        overconfident(
            {cell: mean_interval([each["overconfidence"] for each in runs[cell].values()]) for cell in CELLS}
        ),
        [
            *(row(name, LABELS[cell], cells[cell]) for name, cells in models.items() for cell in CELLS),
            *(row(None, name, {0: bag}) for name, bag in baselines.items()),
        ],
        {
            name: {LABELS[cell]: curve([*cells[cell].values()]) for cell in CELLS}
            | {BAGS["single"]: curve([baselines[BAGS["single"]]])}
            for name, cells in models.items()
        },
        BINS,
    )


def measured(seeds: Seeds, cell: str) -> dict[int, Measured]:
    """Return seed → what was measured on the test reviews."""
    return {seed: run[cell]["test"]["calibration"] for seed, run in seeds.items()}


def row(recipe: str | None, model: str, runs: Mapping[int, Measured]) -> CalibrationRow:
    """Return a row of the table; runs: seed → what was measured."""
    return CalibrationRow(
        recipe,
        model,
        summarise({seed: each["ece"] for seed, each in runs.items()}),
        float(np.mean([error_by_chance(each) for each in runs.values()])),
        summarise({seed: each["overconfidence"] for seed, each in runs.items()}),
    )


def error_by_chance(run: Measured) -> float:
    """Return the expected calibration error, in the mean, of a model whose probabilities are the shares.

    In a bin of n reviews with mean probability p, the number of positives is off by √(2 n p (1 − p) / π) in
    the mean, as it is nearly normal.
    """
    bins = [(n, p) for n, p in zip(run["reviews"], run["probability"], strict=True) if n]
    off = sum(np.sqrt(2 * n * p * (1 - p) / np.pi) for n, p in bins)
    return float(off / sum(n for n, _ in bins))


def curve(runs: Sequence[Measured]) -> Curve:
    """Return the reliability diagram of all runs together, without bins that are empty."""
    reviews, positive = (np.sum([run[name] for run in runs], axis=0) for name in ("reviews", "positive"))
    sums = np.sum(
        [np.multiply(run["reviews"], [p or 0.0 for p in run["probability"]]) for run in runs], axis=0
    )
    filled = reviews > 0
    probability, share = (each[filled] / reviews[filled] for each in (sums, positive))
    return probability.tolist(), share.tolist()
