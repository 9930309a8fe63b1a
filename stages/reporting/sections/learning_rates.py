"""How much of the gap is the learning rate? Both cells of each recipe, trained with many."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from stages.networks.provenance import differing
from stages.params.recipe import CELLS
from stages.params.study import Params
from stages.reporting.comparison import Result, out_of_date
from stages.reporting.formatting import LABELS, capitalised, lead, listed, percent, points, setting
from stages.reporting.statistics import Estimate, Runs, Summary, mean_difference, mean_interval, summarise
from stages.reporting.verdicts import ahead, interval_and_zero, up_to_date

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
    near: list[float]  # the rates whose mean is above LEARNT and near that of the best


class Measured(NamedTuple):
    """A cell with one learning rate and fresh seeds."""

    rate: float
    validation: dict[int, float]  # seed → accuracy
    test: dict[int, float]


class Pair(NamedTuple):
    """Both cells on test reviews, each with one learning rate."""

    rates: dict[str, float]  # cell → rate
    accuracy: dict[str, Summary]
    difference: Estimate  # LSTM − RNN
    lstm_above: int  # seeds with which the LSTM is above the RNN
    learnt: dict[str, int]  # runs above LEARNT


class RecipeRates(NamedTuple):
    """Both cells of a recipe with each learning rate."""

    cells: dict[str, CellRates]
    measured: dict[str, Measured]  # empty: with no fresh seeds
    own: Pair  # with the recipe's rates, in the main study
    best: Pair | None  # with each cell's best, by fresh seeds; None: not measured
    verdict: str


class LearningRates(NamedTuple):
    """What learning rates change."""

    opening: str  # empty where no best rate was measured with fresh seeds
    verdict: str
    between: str
    out_of_date: str  # also: a rate of params.yaml that is not the best
    recipes: dict[str, RecipeRates]
    learnt: str
    edge: str
    seeds: list[int]
    fresh_seeds: list[int]
    near: float  # percentage points
    above: float  # an accuracy, from which on a run has learned


def learning_rates_section(
    study: Mapping[str, Any],
    measured: Mapping[str, Any],
    results: Mapping[str, Result],
    params: Params,
    runs: Runs,
) -> LearningRates | None:
    """Return the section, None where no recipe was tried.

    study: reports/learning_rates.json, by which rates are chosen; measured: reports/best_rates.json, in which
    fresh seeds measure those. results, runs: of the main study, for its recipes' own rates and its code.
    """
    recipes = {
        name: recipe_rates(results[name], study["runs"], measured.get("runs", ()))
        for name in study.get("settings", ())
        if name in results
    }
    if not recipes:
        return None
    near = {
        name: {cell: len(each.near) for cell, each in rates.cells.items()} for name, rates in recipes.items()
    }
    tried = {run["learning_rate"] for run in study["runs"]}
    best = {name: rates.best for name, rates in recipes.items() if rates.best}
    learnt = who_learns(best)
    changed = out_of_date(study, changed_since(study, results, params), ({}, {}), runs)
    said = [up_to_date(changed, "make learning_rates"), other_than_best(recipes, params)]
    if best:
        changed = out_of_date(measured, changed_since_measured(measured, results, params), ({}, {}), runs)
        said.append(up_to_date(changed, "make best_rates"))
    return LearningRates(
        " ".join(filter(None, [gap_at_best(best), near_ties(recipes), learnt])) if best else "",
        f"{share_of_gap(best_changes(recipes))} {robustness(near, len(tried))}".strip(),
        between(recipes),
        " ".join(filter(None, said)),
        recipes,
        learnt,
        edge(recipes),
        sorted({run["seed"] for run in study["runs"]}),
        sorted({run["seed"] for run in measured["runs"]}) if best else [],
        100 * NEAR,
        LEARNT,
    )


def changed_since(
    study: Mapping[str, Any], results: Mapping[str, Result], params: Params
) -> dict[str, tuple[Any, Any]]:
    """Return dotted parameter → what it was and what it is now, of what was asked and of the recipes."""
    runs, now, names = study["runs"], params.learning_rates, set(study["settings"])
    return {
        # A copy of the project with fewer recipes is no reason to train any again.
        "learning_rates.recipes": (names & set(now.recipes), set(now.recipes)),
        "learning_rates.seeds": ({run["seed"] for run in runs}, set(now.seeds)),
        "learning_rates.learning_rate": ({run["learning_rate"] for run in runs}, set(now.learning_rate)),
        **changed_settings(study, results),
    }


def changed_since_measured(
    measured: Mapping[str, Any], results: Mapping[str, Result], params: Params
) -> dict[str, tuple[Any, Any]]:
    """Return the same of the study that measured the best rates."""
    now = params.best_rates
    then = {(run["recipe"], run["cell"], run["learning_rate"]) for run in measured["runs"]}
    rates = {(each.recipe, cell, each.of(cell)) for each in now.rates for cell in CELLS}
    return {
        "best_rates.rates": (then & rates, rates),
        "best_rates.seeds": ({run["seed"] for run in measured["runs"]}, set(now.seeds)),
        **changed_settings(measured, results),
    }


def changed_settings(study: Mapping[str, Any], results: Mapping[str, Result]) -> dict[str, tuple[Any, Any]]:
    """Return dotted parameter → what it was and what it is now, of the recipes without their rates."""
    then = {name: settings for name, settings in study["settings"].items() if name in results}
    return differing(then, {name: without_rates(results[name].settings) for name in then})


def without_rates(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recipe's settings without its learning rates."""
    return {
        part: {name: value for name, value in block.items() if name != "learning_rate"}
        for part, block in settings.items()
    }


def with_own_rates(study: Mapping[str, Any], result: Result) -> dict[str, dict[str, float]]:
    """Return cell → seed → test accuracy, of fresh seeds that had a recipe's own rate.

    study: reports/best_rates.json. Nothing where its runs had other settings than the recipe has now.
    """
    found: dict[str, dict[str, float]] = {cell: {} for cell in CELLS}
    if study.get("settings", {}).get(result.name) == without_rates(result.settings):
        for run in study["runs"]:
            cell, rate = run["cell"], run["learning_rate"]
            if (run["recipe"], rate) == (result.name, result.settings[cell]["learning_rate"]):
                found[cell][str(run["seed"])] = run["test_accuracy"]
    return found


def recipe_rates(
    result: Result, runs: Sequence[Mapping[str, Any]], measured: Sequence[Mapping[str, Any]]
) -> RecipeRates:
    """Return how both cells of a recipe do.

    runs, measured: of all recipes, those that choose a rate and those that measure it.
    """

    def of(cell: str, runs: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        return [run for run in runs if (run["recipe"], run["cell"]) == (result.name, cell)]

    rates = {cell: result.settings[cell]["learning_rate"] for cell in CELLS}
    cells = {cell: cell_rates(of(cell, runs), rates[cell]) for cell in CELLS}
    fresh = {cell: with_fresh_seeds(mine) for cell in CELLS if (mine := of(cell, measured))}
    accuracy = {cell: result.metrics[cell]["accuracy"] for cell in CELLS}
    own = pair(rates, accuracy, result.uncertainty["difference"])
    best = pair_measured(fresh) if fresh else None
    said = [gap_by_rates(result.name, own.difference, best and best.difference)]
    said += [
        of_a_near_tie(cell, fresh[cell], accuracy[cell])
        for cell in CELLS
        if cell in fresh and fresh[cell].rate == cells[cell].best and is_close(cells[cell])
    ]
    return RecipeRates(cells, fresh, own, best, " ".join(said))


def cell_rates(runs: Sequence[Mapping[str, Any]], own: float) -> CellRates:
    """Return how a cell does; runs: those of this cell and one recipe, whose learning rate is `own`."""
    validation: Accuracies = {}
    test: Accuracies = {}
    for run in runs:
        for accuracies, split in ((validation, "validation"), (test, "test")):
            accuracies.setdefault(run["learning_rate"], {})[run["seed"]] = run[f"{split}_accuracy"]
    means = {rate: summarise(seeds)["mean"] for rate, seeds in validation.items()}
    best = max(means, key=lambda rate: means[rate])
    near = [rate for rate, mean in means.items() if mean > LEARNT and mean >= round(means[best] - NEAR, 4)]
    return CellRates(
        validation,
        test,
        own if own in means else None,
        best,
        best in (min(means), max(means)),
        near,
    )


def with_fresh_seeds(runs: Sequence[Mapping[str, Any]]) -> Measured:
    """Return how a cell does; runs: those of this cell and one recipe, all with one learning rate."""
    rate = runs[0]["learning_rate"]
    validation, test = (
        {run["seed"]: run[f"{split}_accuracy"] for run in runs} for split in ("validation", "test")
    )
    return Measured(rate, validation, test)


def pair_measured(cells: Mapping[str, Measured]) -> Pair:
    """Return both cells' test accuracies and their difference, seed by seed."""
    lead = {seed: lstm - cells["rnn"].test[seed] for seed, lstm in cells["lstm"].test.items()}
    # params.yaml asks for two seeds or more; were it one, any difference would be possible.
    interval = mean_interval(list(lead.values())) or [-1.0, 1.0]
    return pair(
        {cell: each.rate for cell, each in cells.items()},
        {cell: summarise(each.test) for cell, each in cells.items()},
        {"mean": summarise(lead)["mean"], "interval": interval},
    )


def pair(rates: dict[str, float], accuracy: dict[str, Summary], difference: Estimate) -> Pair:
    """Return both cells, each with one learning rate, and what their seeds say one by one."""
    rnn, lstm = (accuracy[cell]["seeds"] for cell in ("rnn", "lstm"))
    learnt = {cell: sum(each > LEARNT for each in accuracy[cell]["seeds"].values()) for cell in CELLS}
    return Pair(rates, accuracy, difference, sum(lstm[seed] > rnn[seed] for seed in rnn), learnt)


def change(own: Estimate, best: Estimate) -> str:
    """Return what becomes of LSTM − RNN with the best rates instead of a recipe's own: a key of CHANGES."""
    if not ahead(own):
        return "shows" if ahead(best) else "level"
    if ahead(best) == -ahead(own):
        return "turns"
    if abs(best["mean"]) < abs(own["mean"]) / 2:
        farthest = max(abs(bound) for bound in best["interval"])
        return "shrinks" if farthest < abs(own["mean"]) / 2 else "seems to shrink"
    return "grows" if abs(best["mean"]) > abs(own["mean"]) else "stays"


# An outcome of `change` → what is said of one recipe, and how much is the learning rate with several, {}.
CHANGES = {
    "shrinks": ("most of that gap is the learning rate", "most of it with {}"),
    "seems to shrink": (
        "on average most of that gap is the learning rate, but the interval does not rule out less than half",
        "on average most of it with {}",
    ),
    "stays": (
        "on average less than half of that gap is the learning rate",
        "on average less than half of it with {}",
    ),
    "grows": ("on average the learning rate does not explain that gap", "on average none of it with {}"),
    "turns": (
        "the learning rate decides which cell is ahead",
        "with {} the learning rate decides which cell is ahead",
    ),
    "shows": ("the recipe's own rates hide the difference", "with {} the recipe's own rates hide a gap"),
    "level": ("at neither is a cell ahead", "with {} no gap is shown"),
}


def best_changes(recipes: Mapping[str, RecipeRates]) -> dict[str, str]:
    """Return recipe → what becomes of LSTM − RNN with the best rates, where that was measured."""
    return {
        name: change(rates.own.difference, rates.best.difference)
        for name, rates in recipes.items()
        if rates.best
    }


def share_of_gap(changes: Mapping[str, str]) -> str:
    """Say how much of LSTM − RNN is the learning rate; empty where nothing is known.

    changes: recipe → outcome of `change`.
    """
    said = [
        share.format(listed(names))
        for outcome, (_, share) in CHANGES.items()
        if (names := [f"`{name}`" for name, each in changes.items() if each == outcome])
    ]
    return f"{capitalised('; '.join(said))}." if said else ""


def gap_by_rates(recipe: str, own: Estimate, best: Estimate | None) -> str:
    """Say what becomes of LSTM − RNN with each cell's best rate; best: None where it was not measured."""
    said = f"With `{recipe}`, LSTM − RNN is {lead(own)} percentage points at its own rates"
    if best is None:
        return f"{said}. `make best_rates` measures it with each cell's best."
    return (
        f"{said} and {lead(best)} with each cell's best: {CHANGES[change(own, best)][0]}. "
        f"The second interval {interval_and_zero(best)}."
    )


def gap_at_best(best: Mapping[str, Pair]) -> str:
    """Say what LSTM − RNN is with each cell's best rate; best: recipe → its runs with those."""
    said = ", ".join(f"{lead(each.difference)} with `{name}`" for name, each in best.items())
    return (
        "With the learning rate that validation chose for each cell, LSTM − RNN in percentage points is "
        f"{said}."
    )


def gap_by_recipe_and_rates(
    first: str, own: Estimate, best: Estimate, headline: str, headline_own: Estimate, headline_best: Estimate
) -> str:
    """Say what the gap of the recipe `first` goes with most: the learning rate or the rest of the recipe.

    own, best: LSTM − RNN with a recipe's own rates, and with each cell's best.
    """
    outcome = change(own, best)
    if outcome in ("level", "shows"):
        said = "There is no gap to explain"
    elif outcome == "turns":
        said = "The learning rate decides which cell is ahead"
    elif outcome in ("shrinks", "seems to shrink"):
        said = "The learning rate, more than the cell"
        if abs(headline_own["mean"]) < abs(own["mean"]) / 2:
            said = f"Either the learning rate or the recipe `{headline}` closes most of it"
        if outcome != "shrinks":
            said += ", on average"
    elif abs(headline_best["mean"]) < abs(best["mean"]) / 2:
        said = "The rest of the recipe, more than the learning rate or the cell"
    else:
        said = "Neither the learning rate nor the rest of the recipe explains most of it"
    return (
        f"{said}: LSTM − RNN is {points(own['mean'])} percentage points with `{first}` at its own rates and "
        f"{points(best['mean'])} with each cell's best, {points(headline_own['mean'])} and "
        f"{points(headline_best['mean'])} with `{headline}`."
    )


def robustness(near: Mapping[str, Mapping[str, int]], tried: int) -> str:
    """Say which cell does well with more learning rates.

    near: recipe → cell → how many of those that were tried are as good as its best.
    """
    more = {each["lstm"] > each["rnn"] for each in near.values() if each["lstm"] != each["rnn"]}
    level = any(each["lstm"] == each["rnn"] for each in near.values())
    if not more:
        said = f"Both cells do well with equally many of the {tried} learning rates"
    elif len(more) > 1:
        said = f"Which cell does well with more of the {tried} learning rates depends on the recipe"
    else:
        one, other = ("LSTM", "RNN") if True in more else ("RNN", "LSTM")
        than = ("at least as many", "as") if level else ("more", "than")
        said = f"The {one} does well with {than[0]} of the {tried} learning rates {than[1]} the {other}"
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
    lie = "lies" if len(found) == 1 else "lie"
    return f"{capitalised(listed(found))} {lie} at an edge of that range: beyond it may be a better rate."


def between(recipes: Mapping[str, RecipeRates]) -> str:
    """Say where a cell does well with two rates and not with one between them; empty: nowhere."""
    return " ".join(
        f"With `{name}` the {LABELS[cell]} does well with a lower and a higher rate than {setting(rate)}, "
        f"but with that one validation accuracy is {percent(min(seeds))} to {percent(max(seeds))}."
        for name, recipe in recipes.items()
        for cell, each in recipe.cells.items()
        for rate in sorted(each.validation)
        if each.near and min(each.near) < rate < max(each.near) and rate not in each.near
        for seeds in [each.validation[rate].values()]
    )


def is_close(cell: CellRates) -> bool:
    """Return whether the best rate is another than the recipe's own and ahead by less than seeds vary."""
    if cell.own is None or cell.own == cell.best:
        return False
    best, own = (summarise(cell.validation[rate]) for rate in (cell.best, cell.own))
    return best["mean"] - own["mean"] < (best["sd"] or 0.0)


def near_ties(recipes: Mapping[str, RecipeRates]) -> str:
    """Say which best rates may be the best by chance; empty: none."""
    found = [
        f"the {LABELS[cell]} with `{name}`"
        for name, recipe in recipes.items()
        for cell, each in recipe.cells.items()
        if is_close(each)
    ]
    return f"For {listed(found)} that choice was a near tie with its own rate." if found else ""


def of_a_near_tie(cell: str, fresh: Measured, own: Summary) -> str:
    """Say what test reviews make of a best rate that is ahead of the recipe's own by less than seeds vary.

    own: test accuracy at the recipe's own rate, in the main study.
    """
    said = f"That {setting(fresh.rate)} is the {LABELS[cell]}'s best rate may be chance"
    both = sorted(seed for seed in fresh.test if str(seed) in own["seeds"])
    if len(both) < 2:
        return f"{said}."
    difference = mean_difference([fresh.test[seed] - own["seeds"][str(seed)] for seed in both])
    return (
        f"{said}: with the seeds {listed([str(seed) for seed in both])}, which took no part in the choice, "
        "test accuracy with it minus that with the recipe's own rate is "
        f"{lead(difference)} percentage points."
    )


def who_learns(best: Mapping[str, Pair]) -> str:
    """Say how many runs with a best rate are above LEARNT, empty where all are; best: recipe → its runs."""
    short = [
        f"{each.learnt[cell]} of {len(each.accuracy[cell]['seeds'])} runs of the {LABELS[cell]} with `{name}`"
        for name, each in best.items()
        for cell in CELLS
        if each.learnt[cell] < len(each.accuracy[cell]["seeds"])
    ]
    if not short:
        return ""
    return (
        f"Even with the best rate not every run learns: {listed(short)} get more than {percent(LEARNT, 0)} "
        "of the test reviews right."
    )


def other_than_best(recipes: Mapping[str, RecipeRates], params: Params) -> str:
    """Say which rates in `best_rates` are no longer the best; empty: all are."""
    found = [
        f"{setting(recipes[each.recipe].cells[cell].best)} for the {LABELS[cell]} with `{each.recipe}`"
        for each in params.best_rates.rates
        for cell in CELLS
        if each.recipe in recipes and each.of(cell) != recipes[each.recipe].cells[cell].best
    ]
    return f"**The best rate is another one than in `best_rates`: {listed(found)}.**" if found else ""
