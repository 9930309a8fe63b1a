"""What is each part worth to each cell? A recipe beside its variants without one of its parts."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from stages.params.recipe import CELLS
from stages.params.study import Params
from stages.reporting.comparison import Result, out_of_date
from stages.reporting.formatting import LABELS, worded
from stages.reporting.statistics import Difference, Runs, mean_difference
from stages.reporting.verdicts import ahead, up_to_date
from stages.reporting.verdicts_variants import by_chance, gap_changes, rates_decided, who_gains


class SeedDifference(Difference):
    """A difference of test accuracies, paired by seed, with that of each seed."""

    seeds: list[float]


class Worth(SeedDifference):
    """What a part is worth to a cell: test accuracy with it minus without it."""

    accuracy: float  # of the variant, mean over seeds
    learning_rate: float


class Part(NamedTuple):
    """A part of the recipe, or one that is added to it."""

    name: str
    settings: str  # that its variant has instead
    worth: dict[str, Worth]  # by cell
    gap_change: SeedDifference  # LSTM − RNN of the variant minus that of the recipe


class Ablation(NamedTuple):
    """What each part is worth, and what more would bring."""

    recipe: str
    seeds: list[int]
    accuracy: dict[str, float]  # of the recipe, with these seeds
    gap_changes: str  # what leaving a part out does to LSTM − RNN; empty for a single seed
    verdict: str  # which parts either cell gains from
    of_additions: str  # the verdict on what is added; empty where nothing is
    out_of_date: str
    parts: list[Part]  # what is worth most to both cells together first
    additions: list[Part]
    chance: str
    rates: str


def ablation_section(
    study: Mapping[str, Any],
    pilot: Mapping[str, Any],
    results: Mapping[str, Result],
    params: Params,
    runs: Runs,
) -> Ablation | None:
    """Return the section; None where the study, or the recipe in the main study, was not run.

    study, pilot: reports/ablation.json and reports/ablation_rates.json.
    """
    recipe = results.get(study["recipe"]) if study else None
    seeds = common_seeds(study, recipe) if recipe else []
    if not (recipe and seeds):
        return None
    own = {
        cell: {seed: float(recipe.seeds[seed][cell]["test"]["accuracy"]) for seed in seeds} for cell in CELLS
    }
    parts: dict[str, list[Part]] = {"without": [], "with": []}
    for variant in study["variants"]:
        each = worth(study["rows"], variant["name"], variant["kind"], own)
        change = gap_change(each, variant["kind"])
        parts[variant["kind"]].append(Part(worded(variant["name"]), variant["settings"], each, change))
    left_out, added = (
        sorted(some, key=lambda part: -sum(part.worth[cell]["mean"] for cell in CELLS))
        for some in parts.values()
    )
    return Ablation(
        recipe.name,
        seeds,
        {cell: float(np.mean(list(values.values()))) for cell, values in own.items()},
        told_gap(left_out, "without"),
        gains(left_out, len(seeds)),
        " ".join(filter(None, [gains(added, len(seeds)), told_gap(added, "with")])) if added else "",
        " ".join(filter(None, stale(study, pilot, recipe, params, runs))),
        left_out,
        added,
        by_chance(*excluding_0([*left_out, *added])) if len(seeds) > 1 else "",
        rates_decided(pilot, *rates(study, pilot, recipe)),
    )


def gains(parts: Sequence[Part], seeds: int) -> str:
    """Return which parts either cell gains from; seeds: over how many."""
    return who_gains({part.name: part.worth for part in parts}, seeds)


def told_gap(parts: Sequence[Part], kind: str) -> str:
    """Return what leaving parts out, or adding them, does to LSTM − RNN; empty for a single seed."""
    changes = {part.name: part.gap_change for part in parts}
    if not all(each["interval"] for each in changes.values()):
        return ""
    return gap_changes(changes, {part.name: part.worth for part in parts}, kind)


def excluding_0(parts: Sequence[Part]) -> tuple[int, int]:
    """Return how many of the parts' intervals exclude 0, and how many there are but those of no length."""
    differences = [each for part in parts for each in (*part.worth.values(), part.gap_change)]
    signs = [ahead(each) for each in differences if each["interval"] not in (None, [0, 0])]
    return sum(map(abs, signs)), len(signs)


def common_seeds(study: Mapping[str, Any], recipe: Result) -> list[int]:
    """Return the seeds of the study that the recipe was trained with as well."""
    return sorted({row["seed"] for row in study["rows"]} & set(recipe.seeds))


def worth(
    rows: Sequence[Mapping[str, Any]], name: str, kind: str, own: Mapping[str, Mapping[int, float]]
) -> dict[str, Worth]:
    """Return what a part is worth to each cell; own: cell → seed → test accuracy of the recipe itself."""
    result: dict[str, Worth] = {}
    for cell, accuracies in own.items():
        mine = {row["seed"]: row for row in rows if (row["variant"], row["cell"]) == (name, cell)}
        changed = [mine[seed]["test_accuracy"] - accuracy for seed, accuracy in accuracies.items()]
        values = [round(value if kind == "with" else -value, 5) for value in changed]
        result[cell] = {
            **by_seed(values),
            "accuracy": float(np.mean([mine[seed]["test_accuracy"] for seed in accuracies])),
            "learning_rate": next(iter(mine.values()))["learning_rate"],
        }
    return result


def gap_change(worth: Mapping[str, Worth], kind: str) -> SeedDifference:
    """Return how much larger LSTM − RNN is without a part, or with one."""
    gained = {cell: np.array(worth[cell]["seeds"]) * (1 if kind == "with" else -1) for cell in CELLS}
    return by_seed([round(float(value), 5) for value in gained["lstm"] - gained["rnn"]])


def by_seed(values: list[float]) -> SeedDifference:
    """Return a difference per seed with its mean and interval."""
    return {**mean_difference(values), "seeds": values}


def rates(study: Mapping[str, Any], pilot: Mapping[str, Any], recipe: Result) -> tuple[list[str], list[str]]:
    """Return the variants and cells with another rate than the recipe's, and than the pilot's."""
    has = {(row["variant"], row["cell"]): row["learning_rate"] for row in study["rows"]}
    found = pilot.get("chosen", {})
    other, differing = [], []
    for (variant, cell), rate in has.items():
        if rate != recipe.settings[cell]["learning_rate"]:
            other.append(f"{worded(variant)} ({LABELS[cell]}, {rate})")
        if rate != (best := found.get(variant, {}).get(cell, rate)):
            differing.append(f"{worded(variant)} ({LABELS[cell]}, {best})")
    return other, differing


def stale(
    study: Mapping[str, Any], pilot: Mapping[str, Any], recipe: Result, params: Params, runs: Runs
) -> list[str]:
    """Return what to say where the study or its pilot is out of date: a sentence each, or nothing."""
    now, tried = params.ablation, params.ablation_rates.tried
    variants = [variant.model_dump() for variant in now.variants]
    asked: dict[str, tuple[Any, Any]] = {
        "ablation.recipe": (study["recipe"], now.recipe),
        "ablation.seeds": ({row["seed"] for row in study["rows"]}, set(now.seeds)),
        "ablation.variants": (study["variants"], variants),
    }
    said = [
        up_to_date(out_of_date(study, asked, (study["settings"], recipe.settings), runs), "make ablation")
    ]
    if pilot:
        asked = {
            "ablation.recipe": (pilot["recipe"], now.recipe),
            "ablation.variants": (
                pilot["variants"],
                [{name: variant[name] for name in ("name", "settings")} for variant in variants],
            ),
            "ablation_rates.seed": (pilot["seed"], params.ablation_rates.seed),
            "ablation_rates.margin": (pilot["margin"], params.ablation_rates.margin),
            "ablation_rates.tried": (
                {(row["cell"], row["learning_rate"]) for row in pilot["rows"]},
                {(each.cell, each.learning_rate) for each in tried},
            ),
        }
        changed = out_of_date(pilot, asked, (pilot["settings"], recipe.settings), runs)
        said.append(up_to_date(changed, "make ablation_rates"))
    return said
