"""What explains the gap? The recipes in their order, from each to the next."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stages.reporting.comparison import Result, changed_settings
from stages.reporting.statistics import Estimate, Summary
from stages.reporting.verdicts import gap_explained, steps_differ


@dataclass(frozen=True)
class Rung:
    """A recipe's accuracies, and how far they are above those of the recipe before."""

    recipe: str
    rnn: Summary
    lstm: Summary
    difference: Estimate
    rnn_step: float | None  # None: the first recipe
    lstm_step: float | None


@dataclass(frozen=True)
class Zeros:
    """Padding that the model reads between the text and its answer."""

    recipe: str
    share_of_reviews: float
    mean_tokens: float
    maxlen: int


@dataclass(frozen=True)
class Ladder:
    """All recipes of the study, and what changes from one to the next."""

    verdict: str  # empty where the report leads with the first recipe
    rungs: list[Rung]
    zeros: Zeros | None
    changed: dict[str, dict[str, Any]]  # dotted parameter → recipe → value
    steps: str


def ladder(results: Mapping[str, Result], headline: str, published: str) -> Ladder:
    """Return the section; results: those of two recipes or more, in order."""
    first, last = next(iter(results.values())), results[headline]
    gaps = [each.uncertainty["difference"]["mean"] for each in (first, last)]
    pairs = list(itertools.pairwise(results.values()))
    blocks = {name: each.settings for name, each in results.items()}
    return Ladder(
        gap_explained(first.name, gaps[0], last.name, gaps[1]) if first is not last else "",
        [_rung(first, None), *(_rung(each, before) for before, each in pairs)],
        _zeros(results[published]) if published in results else None,
        changed_settings(blocks),
        steps_differ(
            [
                (
                    one.name,
                    other.name,
                    len(changed_settings({one.name: one.settings, other.name: other.settings})),
                )
                for one, other in pairs
            ]
        ),
    )


def _rung(result: Result, before: Result | None) -> Rung:
    rnn, lstm = (result.metrics[cell]["accuracy"] for cell in ("rnn", "lstm"))
    return Rung(
        result.name,
        rnn,
        lstm,
        result.uncertainty["difference"],
        rnn["mean"] - before.metrics["rnn"]["accuracy"]["mean"] if before else None,
        lstm["mean"] - before.metrics["lstm"]["accuracy"]["mean"] if before else None,
    )


def _zeros(result: Result) -> Zeros | None:
    """Return the padding that a recipe's models read after the text, None where they read none there."""
    pad = result.settings["pad"]
    if pad["padding"] != "post" or result.settings["model"]["mask_zero"]:
        return None
    padding = next(iter(result.seeds.values()))["padding"]
    return Zeros(result.name, padding["share_of_reviews"], padding["mean_tokens"], pad["maxlen"])
