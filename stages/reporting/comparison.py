"""The comparison of both cells, recipe by recipe: runs, and what they say together."""

import itertools
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import getitem
from typing import Any, NamedTuple

import numpy as np

from stages.networks.provenance import differing
from stages.params.recipe import CELLS
from stages.reporting.statistics import (
    Estimate,
    Runs,
    Seeds,
    Summary,
    Uncertainty,
    compare_cells,
    correct_answers,
    estimate,
    summarise_metrics,
)
from stages.scoring.packing import unpack


class Result(NamedTuple):
    """A recipe's runs, and what they say together."""

    name: str
    seeds: Seeds
    metrics: Mapping[str, Mapping[str, Summary]]  # rnn, lstm or difference → metric → summary
    uncertainty: Uncertainty
    over_bag_of_words: Mapping[str, Sequence[Estimate]]  # cell → its lead over each bag-of-words model

    @property
    def run(self) -> Mapping[str, Any]:
        """What `score` wrote of the first seed; settings, weights and numbers of reviews are those of all."""
        return next(iter(self.seeds.values()))

    @property
    def settings(self) -> Mapping[str, Any]:
        """The recipe's settings."""
        return dict(self.run["settings"])

    def as_json(self) -> dict[str, Any]:
        """Return what reports/comparison.json holds of the recipe."""
        return {"metrics": self.metrics, **self.uncertainty, "over_bag_of_words": self.over_bag_of_words}


def compare_recipes(
    runs: Runs, audit: Mapping[str, Any], bags: Sequence[Mapping[str, Any]]
) -> dict[str, Result]:
    """Return recipe → result. audit, bags: what those stages wrote, on the same test reviews as the runs."""
    bins = length_bins(audit)
    unique = np.ones(len(audit["test_lengths"]), bool)
    unique[audit["duplicates"]["rows"]] = False
    results = {}
    for name, seeds in runs.items():
        correct = correct_answers(seeds)
        results[name] = Result(
            name,
            seeds,
            summarise_metrics(seeds),
            compare_cells(correct, bins, unique),
            {cell: [lead_over(bag, each) for bag in bags] for cell, each in zip(CELLS, correct, strict=True)},
        )
    return results


def lead_over(bag: Mapping[str, Any], correct: np.ndarray) -> Estimate:
    """Return by how much models, bool (seeds, reviews), are more often correct than a bag-of-words model."""
    baseline = unpack(bag["correct"], correct.shape[-1])
    return estimate(correct.astype(np.int8) - baseline.astype(np.int8))


def length_bins(audit: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return "up to 100", "101 to 150", …, "over 500" → which test reviews have so many tokens, bool."""
    edges = audit["length_edges"]
    between = [f"{low + 1} to {high}" for low, high in itertools.pairwise(edges)]
    names = [f"up to {edges[0]}", *between, f"over {edges[-1]}"]
    bins = np.array([int(digit) for digit in audit["test_lengths"]])
    return {name: bins == i for i, name in enumerate(names)}


def changed_settings(results: Sequence[Result]) -> dict[str, dict[str, Any]]:
    """Return dotted parameter → recipe → value, for the parameters in which the recipes differ."""
    first, *others = (result.settings for result in results)
    dotted = sorted({name for other in others for name in differing(first, other)})
    return {
        name: {result.name: reduce(getitem, name.split("."), result.settings) for result in results}
        for name in dotted
    }


def out_of_date(
    study: Mapping[str, Any],
    asked: Mapping[str, tuple[Any, Any]],
    settings: tuple[Mapping[str, Any], Mapping[str, Any]],
    runs: Runs,
) -> list[str] | None:
    """Return what is no longer as a side study had it: parameters, dotted, and files of code.

    study: its table; None is returned where that does not say with which code it was made. asked: dotted
    parameter → value then and now. settings: of its recipe, then and now. Of its files, those count with
    which `runs`, of the main study, were made as well.
    """
    code = study.get("provenance", {}).get("code")
    if not code:
        return None
    main = [run["provenance"]["code"] for seeds in runs.values() for run in seeds.values()]
    return [
        *(name for name, (then, now) in asked.items() if then != now),
        *(f"{study['recipe']}.{name}" for name in differing(*settings)),
        *sorted({path for each in main for path in code.keys() & each.keys() if code[path] != each[path]}),
    ]
