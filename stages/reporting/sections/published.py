"""Is the published result right?"""

from collections.abc import Sequence
from dataclasses import dataclass

from stages.params.recipe import CELLS
from stages.params.study import Published
from stages.reporting.comparison import Result
from stages.reporting.formatting import LABELS
from stages.reporting.verdicts import place, published_lstm, within


@dataclass(frozen=True)
class Row:
    """A published accuracy among those measured here."""

    label: str
    published: float
    lowest: float
    highest: float
    prediction: Sequence[float] | None  # where one more run would lie
    place: str


@dataclass(frozen=True)
class PublishedResult:
    """The published figures beside runs of the same settings."""

    verdict: str
    rnn_weights: int
    lstm_weights: int
    rnn: Row
    lstm: Row
    prediction: str  # whether the published figures lie within; empty for a single seed


def published_result(published: Published, result: Result) -> PublishedResult:
    """Return the section; result: that of the recipe with the published settings."""
    accuracies = {cell: list(result.metrics[cell]["accuracy"]["seeds"].values()) for cell in CELLS}
    predictions = result.uncertainty["prediction_interval"]
    among_rnns = {
        cell: f"{place(getattr(published, cell).accuracy, accuracies['rnn'])} of the RNNs" for cell in CELLS
    }
    among_lstms = f"{place(published.lstm.accuracy, accuracies['lstm'])} of the LSTMs"
    rows = {
        cell: Row(
            label,
            getattr(published, cell).accuracy,
            min(accuracies[cell]),
            max(accuracies[cell]),
            predictions[cell],
            where,
        )
        for cell, label, where in (
            ("rnn", f"plain {LABELS['rnn']}", among_rnns["rnn"]),
            ("lstm", LABELS["lstm"], f"{among_lstms}, {among_rnns['lstm']}"),
        )
    }
    run = next(iter(result.seeds.values()))
    return PublishedResult(
        published_lstm(published.lstm.accuracy, accuracies["lstm"]),
        run["rnn"]["cell_weights"],
        run["lstm"]["cell_weights"],
        rows["rnn"],
        rows["lstm"],
        _prediction(published, predictions["rnn"], predictions["lstm"]),
    )


def _prediction(published: Published, rnn: Sequence[float] | None, lstm: Sequence[float] | None) -> str:
    if rnn is None or lstm is None:
        return ""
    return (
        f'The published "LSTM" lies {within(published.lstm.accuracy, rnn)} that of the RNNs and '
        f"{within(published.lstm.accuracy, lstm)} that of the LSTMs; the published RNN lies "
        f"{within(published.rnn.accuracy, rnn)} that of the RNNs."
    )
