"""Do LSTMs keep long-term dependencies? Generated sequences whose first token is the label."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stages.params.delayed_recall import DelayedRecall
from stages.params.recipe import CELLS
from stages.reporting.formatting import LABELS, percent
from stages.reporting.statistics import Summary, summarise
from stages.reporting.verdicts import learns, longer_delays

LEARNT = 0.75  # accuracy halfway between guessing and always correct

Recalled = Mapping[int, Mapping[str, Any]]  # seed → what `score_delayed_recall` wrote


@dataclass(frozen=True)
class Row:
    """One cell's accuracies, a summary per delay."""

    label: str
    accuracies: list[Summary]


@dataclass(frozen=True)
class DelayedRecallSection:
    """How far each cell recalls: trained at each delay, and trained at the first alone."""

    verdict: str
    delays: list[int]
    trained: list[Row]
    transferred: list[Row]
    sequences: int
    epochs: int
    learnt: float
    test_sequences: int


def delayed_recall_section(recalled: Recalled, params: DelayedRecall) -> DelayedRecallSection:
    """Return the section; recalled: what was measured, for each seed."""
    first = next(iter(recalled.values()))
    delays = [row["delay"] for row in first["rnn"]]
    trained = {cell: accuracies(recalled, cell, "test_accuracy") for cell in CELLS}
    transferred = {cell: accuracies(recalled, cell, "transferred") for cell in CELLS}
    longest = {cell: longest_learnt(trained[cell]) for cell in CELLS}
    worst = {cell: percent(min(row["mean"] for row in transferred[cell].values())) for cell in CELLS}
    return DelayedRecallSection(
        f"{longer_delays(longest['rnn'], longest['lstm'])}: on generated sequences "
        f"{learns('rnn', longest['rnn'], min(delays))}, {learns('lstm', longest['lstm'], min(delays))}. "
        f"Trained over {delays[0]} tokens and asked over others, the RNN falls to {worst['rnn']} at the "
        f"worst distance and the LSTM to {worst['lstm']}.",
        delays,
        [Row(LABELS[cell], list(trained[cell].values())) for cell in CELLS],
        [Row(LABELS[cell], list(transferred[cell].values())) for cell in CELLS],
        params.sequences,
        params.train.epochs,
        LEARNT,
        first["test_sequences"],
    )


def accuracies(recalled: Recalled, cell: str, name: str) -> dict[int, Summary]:
    """Return delay → summary over seeds of `test_accuracy` or `transferred`."""
    delays = [row["delay"] for row in next(iter(recalled.values()))[cell]]
    return {
        delay: summarise({seed: each[cell][i][name] for seed, each in recalled.items()})
        for i, delay in enumerate(delays)
    }


def longest_learnt(summaries: Mapping[int, Summary]) -> int | None:
    """Return the largest delay up to which the mean accuracy stays above LEARNT; None: not even the first."""
    reached = None
    for delay, summary in sorted(summaries.items()):
        if summary["mean"] <= LEARNT:
            break
        reached = delay
    return reached
