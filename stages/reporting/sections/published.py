"""Is the published result right?"""

from collections.abc import Mapping
from typing import NamedTuple

from stages.params.recipe import CELLS
from stages.params.study import Published
from stages.reporting.comparison import Result
from stages.reporting.statistics import prediction_interval
from stages.reporting.verdicts import among_predictions, place, published_lstm


class PublishedResult(NamedTuple):
    """The published figures beside runs of the same settings."""

    result: Result
    verdict: str
    runs: dict[str, int]  # cell → their number
    several: bool  # whether there is more than one of either cell
    more: bool  # whether some are not the main study's
    ranges: dict[str, tuple[float, float]]  # cell → lowest and highest accuracy
    intervals: dict[str, list[float] | None]  # cell → prediction interval, None for a single run
    places: dict[str, str]  # cell → where its published accuracy lies
    predictions: str  # whether the published accuracies lie in the prediction intervals


def published_result(
    published: Published, result: Result, others: Mapping[str, Mapping[str, float]]
) -> PublishedResult:
    """Return the section.

    result: that of the recipe with the published settings; others: cell → seed → test accuracy, of a side
    study's runs with the same settings.
    """
    accuracies = {
        cell: list({**others[cell], **result.metrics[cell]["accuracy"]["seeds"]}.values()) for cell in CELLS
    }
    rnn, lstm = published.rnn.accuracy, published.lstm.accuracy
    intervals = {cell: prediction_interval(each) for cell, each in accuracies.items()}
    return PublishedResult(
        result,
        published_lstm(lstm, intervals["lstm"]),
        {cell: len(each) for cell, each in accuracies.items()},
        any(intervals.values()),
        any(others.values()),
        {cell: (min(each), max(each)) for cell, each in accuracies.items()},
        intervals,
        {
            "rnn": f"{place(rnn, accuracies['rnn'])} of the RNNs",
            "lstm": f"{place(lstm, accuracies['lstm'])} of the LSTMs, "
            f"{place(lstm, accuracies['rnn'])} of the RNNs",
        },
        among_predictions(rnn, lstm, intervals),
    )
