"""The comparison of both cells, recipe by recipe: runs, and what they say together."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from stages.params.recipe import CELLS
from stages.params.study import Comparison
from stages.reporting.statistics import (
    Estimate,
    Runs,
    Seeds,
    Summary,
    Uncertainty,
    compare_cells,
    correct_answers,
    paired_bootstrap,
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
    runs: Runs, audit: Mapping[str, Any], bags: Sequence[Mapping[str, Any]], comparison: Comparison
) -> dict[str, Result]:
    """Return recipe → result. audit, bags: what those stages wrote, on the same test reviews as the runs."""
    bins = length_bins(audit)
    unique = np.ones(len(audit["test_lengths"]), bool)
    unique[audit["duplicates"]["rows"]] = False
    bootstrap = (comparison.n_resamples, comparison.seed)
    results = {}
    for name, seeds in runs.items():
        correct = correct_answers(seeds)
        results[name] = Result(
            name,
            seeds,
            summarise_metrics(seeds),
            compare_cells(correct, list(seeds), bins, unique, *bootstrap),
            {
                cell: [lead_over(bag, each, *bootstrap) for bag in bags]
                for cell, each in zip(CELLS, correct, strict=True)
            },
        )
    return results


def lead_over(bag: Mapping[str, Any], correct: np.ndarray, n_resamples: int, seed: int) -> Estimate:
    """Return by how much models, bool (seeds, reviews), are more often correct than a bag-of-words model."""
    baseline = np.broadcast_to(unpack(bag["correct"], correct.shape[-1]), correct.shape)
    return paired_bootstrap(np.stack([baseline, correct]), n_resamples, seed)[2]


def length_bins(audit: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return "up to 100", "101 to 150", …, "over 500" → which test reviews have so many tokens, bool."""
    edges = audit["length_edges"]
    between = [f"{low + 1} to {high}" for low, high in itertools.pairwise(edges)]
    names = [f"up to {edges[0]}", *between, f"over {edges[-1]}"]
    bins = np.array([int(digit) for digit in audit["test_lengths"]])
    return {name: bins == i for i, name in enumerate(names)}


def changed_settings(results: Sequence[Result]) -> dict[str, dict[str, Any]]:
    """Return dotted parameter → recipe → value, for the parameters in which the recipes differ."""
    return differing_settings({result.name: result.settings for result in results})


def differing_settings(blocks: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return dotted parameter → name → value, for what nested `blocks`, by name, do not have alike."""
    dotted = {name: _dotted(block) for name, block in blocks.items()}
    parameters = dict.fromkeys(parameter for block in dotted.values() for parameter in block)
    table = {each: {name: block.get(each) for name, block in dotted.items()} for each in parameters}
    return {each: row for each, row in table.items() if len({str(value) for value in row.values()}) > 1}


def _dotted(block: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in block.items():
        flat |= _dotted(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return flat


def changed_code(provenance: Mapping[str, Any] | None, runs: Runs) -> list[str] | None:
    """Return the files, among those that both name, of which `runs` were made with other versions.

    provenance: a side study's, as `score` writes it; None is returned where it names no code.
    """
    code = (provenance or {}).get("code")
    if not code:
        return None
    main = [run["provenance"]["code"] for seeds in runs.values() for run in seeds.values()]
    return sorted({path for each in main for path in code.keys() & each.keys() if code[path] != each[path]})
