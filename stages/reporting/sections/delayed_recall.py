"""Do LSTMs keep long-term dependencies? Generated sequences whose first token is the label."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from stages.params.recipe import CELLS
from stages.reporting import verdicts
from stages.reporting.comparison import Result
from stages.reporting.statistics import Summary, summarise

LEARNT = 0.75  # accuracy halfway between guessing and always correct

Recalled = Mapping[int, Mapping[str, Any]]  # seed → what `score_delayed_recall` wrote
Accuracies = dict[str, dict[int, Summary]]  # cell → delay → summary over seeds


class DelayedRecall(NamedTuple):
    """How far each cell recalls."""

    verdict: str
    short_and_long: str  # reviews, with the headline's models
    trained: Accuracies  # of models trained at each delay
    transferred: Accuracies  # of models trained at the first delay alone
    first_delay: int
    learnt: float
    test_sequences: int


def delayed_recall_section(recalled: Recalled, headline: Result) -> DelayedRecall:
    """Return the section; recalled: what was measured, for each seed."""
    trained, transferred = (accuracies(recalled, name) for name in ("test_accuracy", "transferred"))
    worst = {cell: min(each["mean"] for each in transferred[cell].values()) for cell in CELLS}
    longest = {cell: longest_learnt(trained[cell]) for cell in CELLS}
    return DelayedRecall(
        verdicts.delayed_recall(list(trained["rnn"]), longest, worst),
        verdicts.short_and_long(headline.name, headline.uncertainty["by_length"]),
        trained,
        transferred,
        next(iter(trained["rnn"])),
        LEARNT,
        next(iter(recalled.values()))["test_sequences"],
    )


def accuracies(recalled: Recalled, name: str) -> Accuracies:
    """Return the summaries of `test_accuracy` or `transferred`."""
    first = next(iter(recalled.values()))
    return {
        cell: {
            row["delay"]: summarise({seed: each[cell][i][name] for seed, each in recalled.items()})
            for i, row in enumerate(first[cell])
        }
        for cell in CELLS
    }


def longest_learnt(summaries: Mapping[int, Summary]) -> int | None:
    """Return the largest delay up to which the mean accuracy stays above LEARNT; None: not even the first."""
    reached = None
    for delay, summary in sorted(summaries.items()):
        if summary["mean"] <= LEARNT:
            break
        reached = delay
    return reached
