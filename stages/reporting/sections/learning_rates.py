"""How much of the gap is the learning rate? Both cells of each recipe, trained with many."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from stages.networks.provenance import differing
from stages.params.recipe import CELLS
from stages.params.study import Params
from stages.reporting.comparison import Result, out_of_date
from stages.reporting.formatting import LABELS, lead, points
from stages.reporting.statistics import Estimate, Runs, Summary, mean_interval, summarise
from stages.reporting.verdicts import ahead, interval_and_zero, up_to_date

COMMAND = "make learning_rates"
NEAR = 0.02  # an accuracy no further below the best is as good
LEARNT = 0.75  # accuracy halfway between guessing and always correct

Accuracies = dict[float, dict[int, float]]  # learning rate → seed → accuracy


class CellRates(NamedTuple):
    """A cell with each learning rate."""

    validation: Accuracies
    test: Accuracies
    own: float | None  # the recipe's rate; None: not among those that were tried
    best: float  # the rate of the highest mean accuracy on validation reviews
    at_edge: bool  # whether that is the lowest or the highest that was tried
    near: int  # the rates whose mean is above LEARNT and near that of the best


class Pair(NamedTuple):
    """Both cells on test reviews, each with one learning rate."""

    rates: dict[str, float]  # cell → rate
    accuracy: dict[str, Summary]
    difference: Estimate  # LSTM − RNN, seed by seed


class RecipeRates(NamedTuple):
    """Both cells of a recipe with each learning rate."""

    cells: dict[str, CellRates]
    own: Pair | None  # with the recipe's rates; None: not among those that were tried
    best: Pair  # with each cell's best
    verdict: str


class LearningRates(NamedTuple):
    """What learning rates change."""

    opening: str
    verdict: str
    out_of_date: str
    recipes: dict[str, RecipeRates]
    edge: str
    seeds: list[int]
    near: float  # percentage points
    learnt: float


def learning_rates_section(
    study: Mapping[str, Any], results: Mapping[str, Result], params: Params, runs: Runs
) -> LearningRates | None:
    """Return the section, None where no recipe was tried; study: reports/learning_rates.json.

    results, runs: of the main study, for its recipes' own learning rates and its code.
    """
    recipes = {
        name: recipe_rates(name, study["runs"], results[name].settings)
        for name in study.get("settings", ())
        if name in results
    }
    if not recipes:
        return None
    near = {name: {cell: each.near for cell, each in rates.cells.items()} for name, rates in recipes.items()}
    tried = {run["learning_rate"] for run in study["runs"]}
    return LearningRates(
        gap_at_best({name: rates.best.difference for name, rates in recipes.items()}),
        robustness(near, len(tried)),
        up_to_date(out_of_date(study, changed_since(study, results, params), ({}, {}), runs), COMMAND),
        recipes,
        edge(recipes),
        sorted({run["seed"] for run in study["runs"]}),
        100 * NEAR,
        LEARNT,
    )


def changed_since(
    study: Mapping[str, Any], results: Mapping[str, Result], params: Params
) -> dict[str, tuple[Any, Any]]:
    """Return dotted parameter → what it was and what it is now, of what was asked and of the recipes."""
    runs, now, names = study["runs"], params.learning_rates, set(study["settings"])
    then = {name: settings for name, settings in study["settings"].items() if name in results}
    return {
        # A copy of the project with fewer recipes is no reason to train any again.
        "learning_rates.recipes": (names & set(now.recipes), set(now.recipes)),
        "learning_rates.seeds": ({run["seed"] for run in runs}, set(now.seeds)),
        "learning_rates.learning_rate": ({run["learning_rate"] for run in runs}, set(now.learning_rate)),
        **differing(then, {name: without_rates(results[name].settings) for name in then}),
    }


def without_rates(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recipe's settings without its learning rates."""
    return {
        part: {name: value for name, value in block.items() if name != "learning_rate"}
        for part, block in settings.items()
    }


def recipe_rates(name: str, runs: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]) -> RecipeRates:
    """Return how both cells of a recipe do; runs: of all recipes; settings: the recipe's."""
    cells = {
        cell: cell_rates(
            [run for run in runs if (run["recipe"], run["cell"]) == (name, cell)],
            settings[cell]["learning_rate"],
        )
        for cell in CELLS
    }
    own_rates = {cell: each.own for cell, each in cells.items() if each.own is not None}
    own = pair(cells, own_rates) if len(own_rates) == len(CELLS) else None
    best = pair(cells, {cell: each.best for cell, each in cells.items()})
    return RecipeRates(cells, own, best, gap_by_rates(name, own and own.difference, best.difference))


def cell_rates(runs: Sequence[Mapping[str, Any]], own: float) -> CellRates:
    """Return how a cell does; runs: those of this cell and one recipe, whose learning rate is `own`."""
    validation: Accuracies = {}
    test: Accuracies = {}
    for run in runs:
        for accuracies, split in ((validation, "validation"), (test, "test")):
            accuracies.setdefault(run["learning_rate"], {})[run["seed"]] = run[f"{split}_accuracy"]
    means = {rate: summarise(seeds)["mean"] for rate, seeds in validation.items()}
    best = max(means, key=lambda rate: means[rate])
    near = [mean for mean in means.values() if mean > LEARNT and mean >= round(means[best] - NEAR, 4)]
    return CellRates(
        validation,
        test,
        own if own in means else None,
        best,
        best in (min(means), max(means)),
        len(near),
    )


def pair(cells: Mapping[str, CellRates], rates: dict[str, float]) -> Pair:
    """Return both cells' test accuracies, each with its rate, and their difference."""
    reached = {cell: cells[cell].test[rate] for cell, rate in rates.items()}
    lead = {seed: lstm - reached["rnn"][seed] for seed, lstm in reached["lstm"].items()}
    return Pair(
        rates,
        {cell: summarise(seeds) for cell, seeds in reached.items()},
        {
            "mean": summarise(lead)["mean"],
            # params.yaml asks for two seeds or more; were it one, any difference would be possible.
            "interval": mean_interval(list(lead.values())) or [-1.0, 1.0],
        },
    )


def change(own: Estimate, best: Estimate) -> str:
    """Return what becomes of LSTM − RNN with the best rates instead of a recipe's own: a key of CHANGES."""
    if not ahead(own):
        return "shows" if ahead(best) else "level"
    if ahead(best) == -ahead(own):
        return "turns"
    if abs(best["mean"]) < abs(own["mean"]) / 2:
        return "shrinks"
    return "grows" if abs(best["mean"]) > abs(own["mean"]) else "stays"


CHANGES = {
    "level": "at neither is a cell ahead",
    "shows": "the recipe's own rates hide the difference",
    "turns": "the learning rate decides which cell is ahead",
    "shrinks": "most of that gap is the learning rate",
    "stays": "less than half of that gap is the learning rate",
    "grows": "the learning rate does not explain that gap",
}


def gap_by_rates(recipe: str, own: Estimate | None, best: Estimate) -> str:
    """Say what becomes of LSTM − RNN with each cell's best rate; own: None where it was not tried."""
    if own is None:
        return (
            f"With `{recipe}`, whose own rates are not among these, LSTM − RNN is {lead(best)} percentage "
            f"points with each cell's best rate: the interval {interval_and_zero(best)}."
        )
    return (
        f"With `{recipe}`, LSTM − RNN is {lead(own)} percentage points at its own rates and {lead(best)} "
        f"with each cell's best: {CHANGES[change(own, best)]}. The second interval {interval_and_zero(best)}."
    )


def gap_at_best(gaps: Mapping[str, Estimate]) -> str:
    """Say what LSTM − RNN is with each cell's best rate; gaps: recipe → that difference."""
    said = ", ".join(f"{lead(gap)} with `{name}`" for name, gap in gaps.items())
    return f"With the learning rate that is best for each cell, LSTM − RNN in percentage points is {said}."


def gap_by_recipe_and_rates(
    first: str, own: Estimate, best: Estimate, headline: str, headline_own: Estimate, headline_best: Estimate
) -> str:
    """Say what the gap of the recipe `first` goes with most: the learning rate or the rest of the recipe.

    own, best: LSTM − RNN with a recipe's own rates, and with each cell's best.
    """
    outcome = change(own, best)
    if outcome in ("level", "shows"):
        said = "These seeds show no gap to explain"
    elif outcome == "turns":
        said = "The learning rate decides which cell is ahead"
    elif outcome == "shrinks":
        said = "The learning rate, more than the cell"
    elif abs(headline_best["mean"]) < abs(best["mean"]) / 2:
        said = "The rest of the recipe, more than the learning rate or the cell"
    else:
        said = "Neither the learning rate nor the rest of the recipe explains most of it"
    return (
        f"{said}: LSTM − RNN is {points(own['mean'])} percentage points with `{first}` at its own rates and "
        f"{points(best['mean'])} with each cell's best, {points(headline_own['mean'])} and "
        f"{points(headline_best['mean'])} with `{headline}`, over the seeds that all rates were tried with."
    )


def robustness(near: Mapping[str, Mapping[str, int]], tried: int) -> str:
    """Say which cell does well with more learning rates.

    near: recipe → cell → how many of those that were tried are as good as its best.
    """
    more = {each["lstm"] > each["rnn"] for each in near.values() if each["lstm"] != each["rnn"]}
    if not more:
        said = f"Both cells do well with equally many of the {tried} learning rates"
    elif len(more) > 1:
        said = f"Which cell does well with more of the {tried} learning rates depends on the recipe"
    else:
        one, other = ("LSTM", "RNN") if True in more else ("RNN", "LSTM")
        said = f"The {one} does well with more of the {tried} learning rates than the {other}"
    counts = (f"{each['lstm']} to {each['rnn']} with `{name}`" for name, each in near.items())
    return f"{said}: {', '.join(counts)} (LSTM to RNN)."


def edge(recipes: Mapping[str, RecipeRates]) -> str:
    """Say which best rates are the lowest or the highest of those that were tried."""
    found = [
        f"the {LABELS[cell]}'s with `{name}`"
        for name, recipe in recipes.items()
        for cell, each in recipe.cells.items()
        if each.at_edge
    ]
    if not found:
        return "All best rates lie inside the range that was tried."
    return f"At an edge of the range, beyond which a better one may lie: {', '.join(found)}."
