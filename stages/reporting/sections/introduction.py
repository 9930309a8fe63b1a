"""What the report opens with."""

from collections.abc import Mapping
from typing import NamedTuple

from stages.reporting.comparison import Result
from stages.reporting.verdicts import leading_cell


class Introduction(NamedTuple):
    """The recipe that the story begins with, and the one that the report leads with."""

    first: Result  # with the published settings, if that was run
    first_verdict: str
    headline: Result | None  # None: it is the first
    headline_verdict: str


def introduction(results: Mapping[str, Result], headline: str, published: str) -> Introduction:
    """Return the section; headline, published: names of recipes."""
    first, leading = results.get(published, next(iter(results.values()))), results[headline]
    verdicts = [leading_cell(each.uncertainty["difference"]) for each in (first, leading)]
    return Introduction(first, verdicts[0], leading if leading is not first else None, verdicts[1])
