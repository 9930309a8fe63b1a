"""Do gates mitigate vanishing gradients, what do the gates do, and two reviews read word by word."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stages.params.recipe import CELLS
from stages.reporting.comparison import Result
from stages.reporting.formatting import LABELS, number, percent
from stages.reporting.verdicts import initial_gradients, mitigates

TITLES = {
    "lstm_only": "A review that only the LSTM gets right",
    "both_wrong": "A review that both get wrong",
}
SHOWN = (10, 50, 100, 150)  # tokens before the last one that the table shows, and the first of all
GATES = ("forget", "input", "output")

Inspection = Mapping[str, Any]  # what `inspect_models` wrote of a recipe


@dataclass(frozen=True)
class GradientRow:
    """The median norm of the gradient at the last token, and what share of it is left before."""

    recipe: str
    label: str
    when: str
    last: float
    left: list[float | None]  # None: the recipe's rows are shorter


@dataclass(frozen=True)
class Gradients:
    """How far gradients reach back."""

    verdict: str
    shares: str  # of the gradient that are left, in words
    initial: str
    pooled: list[tuple[str, str]]  # recipe and pooling, of those that do not answer from the last state
    places: list[int]  # tokens before the last one
    rows: list[GradientRow]
    reviews: int
    positions: int
    seed: int


@dataclass(frozen=True)
class GateRow:
    """The mean of each gate, and the bounds of its units."""

    recipe: str
    gates: list[tuple[float, Sequence[float]]]


@dataclass(frozen=True)
class Reading:
    """P(positive) after the last word of a review that is shown word by word."""

    name: str
    title: str
    label: str
    words: int
    rnn: float
    lstm: float


@dataclass(frozen=True)
class Gates:
    """How open the gates are, and the readings."""

    verdict: str
    rows: list[GateRow]
    readings: list[Reading]


def gradients(inspected: Mapping[str, Inspection], results: Mapping[str, Result], headline: str) -> Gradients:
    """Return the section on gradients; inspected: recipe → what was seen in its first seed's models."""
    positions = len(inspected[headline]["gradients"]["rnn"]["trained"]["median"])
    last_place = positions - 1
    places = [place for place in SHOWN if place < last_place] + [last_place]
    poolings = {name: result.settings["model"]["pooling"] for name, result in results.items()}
    from_last = [name for name, pooling in poolings.items() if pooling == "last"]
    verdict, shares, initial = _verdict(inspected, from_last, last_place)
    return Gradients(
        verdict,
        shares,
        initial,
        [(name, pooling) for name, pooling in poolings.items() if pooling != "last"],
        places,
        [
            GradientRow(
                recipe,
                LABELS[cell],
                said,
                inspected[recipe]["gradients"][cell][when]["median"][0],
                [left(inspected[recipe], cell, when, place) for place in places],
            )
            for recipe in results
            for cell in CELLS
            for when, said in (("initial", "before"), ("trained", "after"))
        ],
        inspected[headline]["reviews"],
        positions,
        inspected[headline]["seed"],
    )


def left(inspection: Inspection, cell: str, when: str, place: int) -> float | None:
    """Return the share of the last token's gradient that is left `place` tokens before it; None: too far."""
    median = inspection["gradients"][cell][when]["median"]
    if place >= len(median):
        return None
    return float(median[place] / median[0]) if median[0] else 0.0


def _verdict(
    inspected: Mapping[str, Inspection], from_last: Sequence[str], place: int
) -> tuple[str, str, str]:
    """Return the verdict, the shares behind it, and what explains the initial ones."""
    if not from_last:
        return "This run does not say: no recipe answers from the last state alone.", "", ""

    def shares(recipe: str, when: str) -> tuple[float, float]:
        rnn, lstm = (left(inspected[recipe], cell, when, place) or 0.0 for cell in CELLS)
        return rnn, lstm

    def words(recipe: str, when: str) -> str:
        rnn, lstm = shares(recipe, when)
        return f"{number(rnn)} of it is left in the RNN and {number(lstm)} in the LSTM"

    start = from_last[0]
    answers = ", ".join(f"as `{recipe}` {mitigates(*shares(recipe, 'trained'))}" for recipe in from_last)
    after = ", ".join(f"as `{recipe}` {words(recipe, 'trained')}" for recipe in from_last)
    return (
        f"After training {answers}, at initialisation {mitigates(*shares(start, 'initial'))}.",
        f"{place} tokens before the last one, of the gradient at the last one, after training {after}, "
        f"at initialisation (`{start}`) {words(start, 'initial')}.",
        initial_gradients(*shares(start, "initial")),
    )


def gates(inspected: Mapping[str, Inspection], headline: str) -> Gates:
    """Return the section on gates and readings; the readings are those of the headline's models."""
    by_distance = {name: inspected[headline]["gates"][name]["by_distance"] for name in GATES}
    place = len(by_distance["forget"]) - 1
    forget, entry, output = (
        f"{percent(row[0])} at the last token and {percent(row[place])} {place} tokens before it"
        for row in by_distance.values()
    )
    return Gates(
        f"With `{headline}`, the forget gate is open to {forget}, the input gate to {entry}, the output gate "
        f"to {output}; σ(1) = 73.1 % and σ(0) = 50.0 % are where they start.",
        [
            GateRow(
                recipe,
                [
                    (float(np.mean(each["gates"][name]["by_distance"])), each["gates"][name]["units"])
                    for name in GATES
                ],
            )
            for recipe, each in inspected.items()
        ],
        [
            Reading(
                name,
                TITLES[name],
                "positive" if reading["label"] else "negative",
                len(reading["words"]),
                reading["rnn"]["final"],
                reading["lstm"]["final"],
            )
            for name, reading in inspected[headline]["readings"].items()
            if reading
        ],
    )
