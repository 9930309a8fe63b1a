"""Can the data be trusted? What validation and test reviews share with those that are trained on."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from stages.params.recipe import CELLS
from stages.reporting.comparison import Result
from stages.reporting.statistics import mean_over_seeds
from stages.reporting.verdicts import nearness
from stages.reviews.splitting import RARE, SHARED

TOGETHER = SHARED[-1] + 1  # as many rare words as this, or more, are many


class SharedRow(NamedTuple):
    """A recipe's accuracies on a split, means over seeds."""

    result: Result
    split: str
    near: float  # share of the reviews that have TOGETHER or more rare words in common with one trained on
    accuracy: dict[str, float]  # cell → on all reviews
    by_shared: dict[str, list[float | None]]  # cell → in each of the bins, None where it is empty


class Reviews(NamedTuple):
    """How near validation and test reviews are to what is trained on."""

    nearness: str  # empty where no recipe draws validation reviews one by one
    by_film: str  # the recipes that keep films together, in words
    bins: list[str]
    rows: list[SharedRow]
    gaps: dict[str, dict[str, float]]  # recipe → cell → validation − test accuracy
    rare: tuple[int, int]
    together: int
    over: str  # tokens; the table shows how many reviews are longer


def reviews_section(results: Sequence[Result], audit: Mapping[str, Any], maxlen: int) -> Reviews:
    """Return the section; results: those of all recipes; maxlen: the headline's."""
    edges = audit["length_edges"]
    pairs = [(shared_row(each, "validation"), shared_row(each, "test")) for each in results]
    single = [pair for pair in pairs if pair[0].result.settings["pad"]["split_by"] == "review"]
    by_film = [pair for pair in pairs if pair not in single]
    return Reviews(
        nearness(single[0][0].result.name, TOGETHER, *(row.near for row in single[0])) if single else "",
        " and ".join(f"`{validation.result.name}`" for validation, _ in by_film),
        [f"up to {SHARED[0]}", f"{SHARED[0] + 1} to {SHARED[1]}", f"{TOGETHER} or more"],
        [row for pair in pairs for row in pair],
        {
            validation.result.name: {cell: validation.accuracy[cell] - test.accuracy[cell] for cell in CELLS}
            for validation, test in pairs
        },
        RARE,
        TOGETHER,
        str(max((edge for edge in edges if edge <= maxlen), default=edges[0])),
    )


def shared_row(result: Result, split: str) -> SharedRow:
    """Return a recipe's accuracies on a split."""
    numbers = [each["reviews"] for each in result.run["rnn"][split]["by_shared"]]
    by_shared: dict[str, list[float | None]] = {}
    for cell in CELLS:
        bins = zip(*(run[cell][split]["by_shared"] for run in result.seeds.values()), strict=True)
        accuracies = [[each["accuracy"] for each in same_bin] for same_bin in bins]
        by_shared[cell] = [None if None in each else float(np.mean(each)) for each in accuracies]
    accuracy = {cell: float(mean_over_seeds(result.seeds, cell, split, "accuracy")) for cell in CELLS}
    return SharedRow(result, split, numbers[-1] / sum(numbers), accuracy, by_shared)
