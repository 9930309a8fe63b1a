"""What the report opens with, and the table of results that README.md quotes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stages.params.study import Published
from stages.reporting.comparison import Result
from stages.reporting.verdicts import leading_cell


@dataclass(frozen=True)
class Introduction:
    """One recipe that the story begins with, and the one that the report leads with."""

    published: bool  # the first has the published settings
    first: Result
    first_verdict: str
    headline: Result | None  # None: it is the first
    headline_verdict: str


@dataclass(frozen=True)
class ResultsTable:
    """Published and measured accuracies."""

    published_rnn: float
    published_lstm: float
    published_difference: float
    results: Sequence[Result]


def introduction(results: Mapping[str, Result], headline: str, published: str) -> Introduction:
    """Return the section; headline, published: names of recipes."""
    first, leading = results.get(published, next(iter(results.values()))), results[headline]
    return Introduction(
        published in results,
        first,
        leading_cell(first.uncertainty["difference"]),
        leading if leading is not first else None,
        leading_cell(leading.uncertainty["difference"]),
    )


def results_table(published: Published, results: Sequence[Result]) -> ResultsTable:
    """Return the table; results: those of all recipes."""
    rnn, lstm = published.rnn.accuracy, published.lstm.accuracy
    return ResultsTable(rnn, lstm, lstm - rnn, results)
