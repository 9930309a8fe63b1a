"""What explains the gap? The recipes in their order, from each to the next."""

import itertools
from collections.abc import Mapping
from typing import Any, NamedTuple

from stages.params.recipe import CELLS
from stages.reporting.comparison import Result, changed_settings
from stages.reporting.sections.learning_rates import LearningRates, RecipeRates, gap_by_recipe_and_rates
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


def gap_section(
    results: Mapping[str, Result], headline: str, published: str, rates: LearningRates | None
) -> Gap:
    """Return the section; results: those of two recipes or more, in order."""
    first, last = next(iter(results.values())), results[headline]
    pairs = list(itertools.pairwise(results.values()))
    reads_zeros = published in results and trailing_zeros(results[published])
    return Gap(
        explained(first, last, rates.recipes if rates else {}) if first is not last else "",
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


def explained(first: Result, last: Result, rates: Mapping[str, RecipeRates]) -> str:
    """Say what the gap of the first recipe goes with, learning rates too where the best were measured."""
    one, other = rates.get(first.name), rates.get(last.name)
    if one and one.best and other and other.best:
        return gap_by_recipe_and_rates(
            first.name,
            one.own.difference,
            one.best.difference,
            last.name,
            other.own.difference,
            other.best.difference,
        )
    gaps = [each.uncertainty["difference"]["mean"] for each in (first, last)]
    return gap_explained(first.name, gaps[0], last.name, gaps[1])


def trailing_zeros(result: Result) -> bool:
    """Return whether a recipe's models read padding after the text."""
    return result.settings["pad"]["padding"] == "post" and not result.settings["model"]["mask_zero"]
