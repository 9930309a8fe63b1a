"""Do gates mitigate vanishing gradients, what do the gates do, and two reviews read word by word."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from stages.params.recipe import CELLS
from stages.reporting.comparison import Result
from stages.reporting.formatting import LABELS, percent
from stages.reporting.sections.learning_rates import LEARNT
from stages.reporting.verdicts import (
    gate_openings,
    gradients_left,
    gradients_unlearned,
    initial_gradients,
)

TITLES = {
    "lstm_only": "A review that only the LSTM gets right",
    "both_wrong": "A review that both get wrong",
}
SHOWN = (10, 50, 100, 150)  # tokens before the last one that the table shows, and the first of all
GATES = ("forget", "input", "output")

Inspected = Mapping[str, Mapping[str, Any]]  # recipe → what `inspect_models` wrote


class GradientRow(NamedTuple):
    """The median norm of the gradient at the last token, and what share of it is left before."""

    recipe: str
    cell: str
    when: str
    last: float
    left: list[float | None]  # None: the recipe's reviews are not as long


class Gradients(NamedTuple):
    """How far gradients reach back."""

    verdict: str
    initial: str
    pooled: list[tuple[str, str]]  # recipe and pooling, of those without last-state pooling
    unlearned: str
    places: list[int]  # tokens before the last one
    rows: list[GradientRow]
    reviews: int
    positions: int
    seed: int


class Gates(NamedTuple):
    """How open the gates are, and the readings of the headline's models."""

    verdict: str
    means: dict[str, list[tuple[float, list[float]]]]  # recipe → each gate's mean, and bounds of its units
    readings: list[tuple[str, str, Mapping[str, Any]]]  # name, title and what was read


def gradients(inspected: Inspected, results: Mapping[str, Result], headline: str) -> Gradients:
    """Return the section on gradients."""
    leading = inspected[headline]
    positions = len(leading["gradients"]["rnn"]["trained"]["median"])
    far = positions - 1
    places = [place for place in SHOWN if place < far] + [far]
    poolings = {name: result.settings["model"]["pooling"] for name, result in results.items()}
    from_last = [name for name, pooling in poolings.items() if pooling == "last"]
    pooled = [(name, pooling) for name, pooling in poolings.items() if pooling != "last"]
    initial = shares_left(inspected[from_last[0]], "initial", far) if from_last else None
    trained = {name: shares_left(inspected[name], "trained", far) for name in from_last}
    return Gradients(
        gradients_left(far, leading["seed"], trained, initial, pooled),
        initial_gradients(far, initial),
        pooled,
        unlearned(results, from_last, leading["seed"]),
        places,
        [
            GradientRow(recipe, cell, said, median[0], [left(median, place) for place in places])
            for recipe in results
            for cell in CELLS
            for when, said in (("initial", "before"), ("trained", "after"))
            for median in [inspected[recipe]["gradients"][cell][when]["median"]]
        ],
        leading["reviews"],
        positions,
        leading["seed"],
    )


def unlearned(results: Mapping[str, Result], recipes: Sequence[str], seed: int) -> str:
    """Say which models of a seed have not learned; empty: all have."""
    accuracies = {
        f"the {LABELS[cell]} with `{name}` ({percent(accuracy)})": accuracy
        for name in recipes
        for cell in CELLS
        for accuracy in [results[name].seeds[seed][cell]["test"]["accuracy"]]
    }
    return gradients_unlearned([said for said, accuracy in accuracies.items() if accuracy <= LEARNT], LEARNT)


def left(median: list[float], place: int) -> float | None:
    """Return the share of the last token's gradient that is left `place` tokens before it; None: too far."""
    if place >= len(median):
        return None
    return median[place] / median[0] if median[0] else 0.0


def shares_left(inspection: Mapping[str, Any], when: str, place: int) -> tuple[float, float]:
    """Return what is left of the RNN's and of the LSTM's gradient, or of a shorter row's at its beginning."""
    medians = [inspection["gradients"][cell][when]["median"] for cell in CELLS]
    rnn, lstm = (left(median, min(place, len(median) - 1)) or 0.0 for median in medians)
    return rnn, lstm


def gates(inspected: Inspected, headline: str) -> Gates:
    """Return the section on gates and readings."""
    means = {
        recipe: [
            (float(np.mean(each["gates"][gate]["by_distance"])), each["gates"][gate]["units"])
            for gate in GATES
        ]
        for recipe, each in inspected.items()
    }
    readings = inspected[headline]["readings"]
    return Gates(
        gate_openings(headline, *means[headline][0]),  # GATES begin with it
        means,
        [(name, TITLES[name], reading) for name, reading in readings.items() if reading],
    )
