"""Can the data be trusted? Duplicates, lengths, and what validation and test share with training."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from stages.params.recipe import CELLS
from stages.reporting.comparison import Result
from stages.reporting.statistics import Uncertainty, mean_over_seeds
from stages.reporting.verdicts import nearness
from stages.reviews.splitting import RARE, SHARED

TOGETHER = SHARED[-1] + 1  # as many rare words as this, or more, are many


@dataclass(frozen=True)
class CellByShared:
    """Mean accuracy over seeds, and that in each bin of shared rare words, None where it is empty."""

    accuracy: float
    by_shared: list[float | None]


@dataclass(frozen=True)
class SharedRow:
    """A recipe's accuracies by what a review shares with what is trained on."""

    recipe: str
    split_by: str
    split: str
    reviews: int
    near: float  # share of the reviews that have TOGETHER or more rare words in common with one trained on
    rnn: CellByShared
    lstm: CellByShared


@dataclass(frozen=True)
class Gap:
    """By how much validation accuracy is above test accuracy."""

    recipe: str
    rnn: float
    lstm: float


@dataclass(frozen=True)
class Reviews:
    """What the reviews are, and how far validation is from training."""

    duplicates: int
    of_other_label: int
    headline: Uncertainty
    nearness: str  # empty where no recipe draws validation reviews one by one
    by_film: str  # the recipes that keep films together, in words
    bins: list[str]
    rows: list[SharedRow]
    gaps: list[Gap]
    rare: tuple[int, int]
    together: int


def reviews_section(audit: Mapping[str, Any], results: Iterable[Result], headline: Result) -> Reviews:
    """Return the section; audit: what that stage wrote; results: those of all recipes."""
    rows = [shared_row(result, split) for result in results for split in ("validation", "test")]
    pairs = list(zip(rows[::2], rows[1::2], strict=True))
    single = [pair for pair in pairs if pair[0].split_by == "review"]
    return Reviews(
        len(audit["duplicates"]["rows"]),
        len(audit["duplicates"]["rows_of_other_label"]),
        headline.uncertainty,
        nearness(single[0][0].recipe, TOGETHER, *(row.near for row in single[0])) if single else "",
        " and ".join(f"`{pair[0].recipe}`" for pair in pairs if pair[0].split_by == "film"),
        [f"up to {SHARED[0]}", f"{SHARED[0] + 1} to {SHARED[1]}", f"{TOGETHER} or more"],
        rows,
        [
            Gap(
                validation.recipe,
                validation.rnn.accuracy - test.rnn.accuracy,
                validation.lstm.accuracy - test.lstm.accuracy,
            )
            for validation, test in pairs
        ],
        RARE,
        TOGETHER,
    )


def shared_row(result: Result, split: str) -> SharedRow:
    """Return a recipe's accuracies on a split."""
    bins = next(iter(result.seeds.values()))["rnn"][split]["by_shared"]
    numbers = [each["reviews"] for each in bins]
    rnn, lstm = (_by_shared(result, cell, split) for cell in CELLS)
    return SharedRow(
        result.name,
        result.settings["pad"]["split_by"],
        split,
        sum(numbers),
        numbers[-1] / sum(numbers),
        rnn,
        lstm,
    )


def _by_shared(result: Result, cell: str, split: str) -> CellByShared:
    every = [[each["accuracy"] for each in run[cell][split]["by_shared"]] for run in result.seeds.values()]
    by = [None if None in each else float(np.mean(each)) for each in zip(*every, strict=True)]
    return CellByShared(float(mean_over_seeds(result.seeds, cell, split, "accuracy")), by)
