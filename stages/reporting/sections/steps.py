"""Which step closes the gap? From one recipe to another, a few settings at a time."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from stages.networks.provenance import differing
from stages.params.recipe import CELLS
from stages.params.study import Params
from stages.reporting.comparison import Result, out_of_date
from stages.reporting.formatting import worded
from stages.reporting.statistics import Runs
from stages.reporting.verdicts import up_to_date
from stages.reporting.verdicts_variants import agree_by_chance, seeds_disagree, steps_taken


class Step(NamedTuple):
    """What both cells reach after a step."""

    name: str
    takes: list[str]  # dotted settings; empty at the first recipe
    seeds: dict[str, list[float]]  # cell → test accuracies
    mean: dict[str, float]
    gains: dict[str, list[float]]  # cell → against the step before, seed by seed; empty at the first recipe
    gain: dict[str, float]  # their means

    @property
    def gap(self) -> float:
        """LSTM − RNN."""
        return self.mean["lstm"] - self.mean["rnn"]


class Steps(NamedTuple):
    """The ladder, step by step."""

    names: tuple[str, str]  # of the first and the last recipe
    seeds: list[int]
    verdict: str
    out_of_date: str
    steps: list[Step]
    chance: str
    disagree: str
    main_study: dict[str, float]  # the first and the last recipe, where that was run → LSTM − RNN there
    apart: dict[str, float]  # cell → percentage points between a step's seeds, at most


def steps_section(
    study: Mapping[str, Any], results: Mapping[str, Result], params: Params, runs: Runs
) -> Steps | None:
    """Return the section; study: reports/ladder.json.

    None where the study was not run, or the first recipe not with its seeds in the main study.
    """
    first = results.get(study["first"]) if study else None
    seeds = sorted({row["seed"] for row in study["rows"]}) if first else []
    if first is None or not set(seeds) <= set(first.seeds):
        return None
    accuracies = {(row["step"], row["cell"], row["seed"]): row["test_accuracy"] for row in study["rows"]}
    start = {cell: [first.seeds[seed][cell]["test"]["accuracy"] for seed in seeds] for cell in CELLS}
    steps = [new_step(first.name, [], start, None)]
    for each in study["steps"]:
        reached = {cell: [accuracies[each["name"], cell, seed] for seed in seeds] for cell in CELLS}
        steps.append(new_step(worded(each["name"]), each["takes"], reached, steps[-1]))
    names = (study["first"], study["last"])
    changes = agreed_changes(steps)
    return Steps(
        names,
        seeds,
        steps_taken(
            names,
            (steps[0].gap, steps[-1].gap),
            {name: mean for name, mean in changes.items() if mean < 0},
            {name: mean for name, mean in changes.items() if mean > 0},
            len(seeds),
        ),
        up_to_date(changed(study, results, params, runs), "make ladder"),
        steps,
        agree_by_chance(len(seeds), len(steps) - 1, len(changes)),
        seeds_disagree(
            {cell: [step.name for step in steps[1:] if both_signs(step.gains[cell])] for cell in CELLS}
        ),
        {name: results[name].metrics["difference"]["accuracy"]["mean"] for name in names if name in results},
        {cell: 100 * max(max(step.seeds[cell]) - min(step.seeds[cell]) for step in steps) for cell in CELLS},
    )


def new_step(name: str, takes: list[str], reached: dict[str, list[float]], before: Step | None) -> Step:
    """Return a step, given the test accuracies of each cell and the step before it."""
    mean = {cell: float(np.mean(values)) for cell, values in reached.items()}
    gain = {cell: mean[cell] - before.mean[cell] for cell in CELLS} if before else {}
    gains = {
        cell: list(np.subtract(reached[cell], before.seeds[cell])) for cell in CELLS if before is not None
    }
    return Step(name, takes, reached, mean, gains, gain)


def agreed_changes(steps: Sequence[Step]) -> dict[str, float]:
    """Return step → by how much LSTM − RNN changes, the mean over seeds, where all agree on the sign."""
    changes = {step.name: np.subtract(step.gains["lstm"], step.gains["rnn"]) for step in steps[1:]}
    # Rounded as they are told: what is told as +0.0 has no sign.
    signs = {name: np.sign(np.round(each, 3)) for name, each in changes.items()}
    return {name: float(each.mean()) for name, each in changes.items() if abs(signs[name].sum()) == len(each)}


def both_signs(changes: list[float]) -> bool:
    """Return whether one change is a gain and another a loss."""
    return min(changes) < 0 < max(changes)


def changed(
    study: Mapping[str, Any], results: Mapping[str, Result], params: Params, runs: Runs
) -> list[str] | None:
    """Return what is no longer as the study had it."""
    now = params.ladder
    asked = {
        "ladder.first": (study["first"], now.first),
        "ladder.last": (study["last"], now.last),
        "ladder.seeds": ({row["seed"] for row in study["rows"]}, set(now.seeds)),
        "ladder.steps": (study["steps"], [step.model_dump(mode="json") for step in now.steps]),
    }
    for which in ("first", "last"):
        if recipe := results.get(study[which]):
            for name, values in differing(study["settings"][which], recipe.settings).items():
                asked[f"{recipe.name}.{name}"] = values
    return out_of_date(study, asked, ({}, {}), runs)
