"""Is a recurrent model worth it? Bag-of-words models beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stages.reporting.comparison import Result
from stages.reporting.statistics import Estimate
from stages.reporting.verdicts import against_baseline

CUT = "cut"  # of a baseline that reads the tokens that the models read


@dataclass(frozen=True)
class Row:
    """A bag-of-words model, and by how much each cell is ahead of it."""

    reads: str
    words: str
    num_words: int
    features: int
    validation_accuracy: float
    test_accuracy: float
    rnn: Estimate
    lstm: Estimate


@dataclass(frozen=True)
class Baseline:
    """The headline's models against all baselines."""

    recipe: str
    single_accuracy: float
    pairs_accuracy: float
    over_single: str
    over_pairs: str
    rows: list[Row]


def baseline(bags: Sequence[Mapping[str, Any]], headline: Result) -> Baseline:
    """Return the section; bags: what `bag_of_words` wrote."""
    accuracies = baseline_accuracies(bags)
    rows = baseline_rows(bags, headline)
    over = {
        bag["words"]: against_baseline(row.rnn, row.lstm)
        for bag, row in zip(bags, rows, strict=True)
        if bag["tokens"] == CUT
    }
    return Baseline(
        headline.name, accuracies["single"], accuracies["pairs"], over["single"], over["pairs"], rows
    )


def baseline_accuracies(bags: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return "single" and "pairs" → test accuracy, of the baselines that read what the models read."""
    return {bag["words"]: bag["test_accuracy"] for bag in bags if bag["tokens"] == CUT}


def baseline_rows(bags: Sequence[Mapping[str, Any]], result: Result) -> list[Row]:
    """Return a row for each baseline, with the leads of a recipe's models."""
    return [
        Row(
            f"the last {bag['maxlen']} tokens" if bag["maxlen"] else "whole reviews",
            "single" if bag["words"] == "single" else "single and pairs",
            bag["num_words"],
            bag["features"],
            bag["validation_accuracy"],
            bag["test_accuracy"],
            rnn,
            lstm,
        )
        for bag, rnn, lstm in zip(
            bags, result.over_bag_of_words["rnn"], result.over_bag_of_words["lstm"], strict=True
        )
    ]
