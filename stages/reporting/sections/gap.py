"""What explains the gap? The recipes in their order, from each to the next."""

import itertools
from collections.abc import Mapping
from typing import Any, NamedTuple

from stages.params.recipe import CELLS
from stages.reporting.comparison import Result, changed_settings
from stages.reporting.verdicts import gap_explained, steps_differ


class Gap(NamedTuple):
    """What changes from recipe to recipe."""

    verdict: str  # empty where the report leads with the first recipe
    steps: dict[str, dict[str, float]]  # recipe, but for the first → cell → accuracy above the recipe before
    zeros: (
        Result | None
    )  # of the published settings, where zeros come after the text and the model reads them
    changed: dict[str, dict[str, Any]]  # dotted parameter → recipe → value
    caveat: str


def gap_section(results: Mapping[str, Result], headline: str, published: str) -> Gap:
    """Return the section; results: those of two recipes or more, in order."""
    first, last = next(iter(results.values())), results[headline]
    gaps = [each.uncertainty["difference"]["mean"] for each in (first, last)]
    pairs = list(itertools.pairwise(results.values()))
    reads_zeros = published in results and trailing_zeros(results[published])
    return Gap(
        gap_explained(first.name, gaps[0], last.name, gaps[1]) if first is not last else "",
        {
            after.name: {
                cell: after.metrics[cell]["accuracy"]["mean"] - before.metrics[cell]["accuracy"]["mean"]
                for cell in CELLS
            }
            for before, after in pairs
        },
        results[published] if reads_zeros else None,
        changed_settings(list(results.values())),
        steps_differ([(one.name, other.name, len(changed_settings([one, other]))) for one, other in pairs]),
    )


def trailing_zeros(result: Result) -> bool:
    """Return whether a recipe's models read padding after the text."""
    return result.settings["pad"]["padding"] == "post" and not result.settings["model"]["mask_zero"]
