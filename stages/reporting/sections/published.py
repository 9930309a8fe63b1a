"""Is the published result right?"""

from typing import NamedTuple

from stages.params.recipe import CELLS
from stages.params.study import Published
from stages.reporting.comparison import Result
from stages.reporting.verdicts import among_predictions, place, published_lstm


class PublishedResult(NamedTuple):
    """The published figures beside runs of the same settings."""

    result: Result
    verdict: str
    ranges: dict[str, tuple[float, float]]  # cell → lowest and highest accuracy
    places: dict[str, str]  # cell → where its published accuracy lies
    predictions: str  # whether the published accuracies lie in the prediction intervals


def published_result(published: Published, result: Result) -> PublishedResult:
    """Return the section; result: that of the recipe with the published settings."""
    accuracies = {cell: list(result.metrics[cell]["accuracy"]["seeds"].values()) for cell in CELLS}
    rnn, lstm = published.rnn.accuracy, published.lstm.accuracy
    predictions = result.uncertainty["prediction_interval"]
    return PublishedResult(
        result,
        published_lstm(lstm, predictions["lstm"]),
        {cell: (min(each), max(each)) for cell, each in accuracies.items()},
        {
            "rnn": f"{place(rnn, accuracies['rnn'])} of the RNNs",
            "lstm": f"{place(lstm, accuracies['lstm'])} of the LSTMs, "
            f"{place(lstm, accuracies['rnn'])} of the RNNs",
        },
        among_predictions(rnn, lstm, predictions),
    )
