"""How certain is it which cell is better? One test per recipe, corrected for their number."""

from collections.abc import Mapping
from typing import NamedTuple

from stages.reporting.comparison import Result
from stages.reporting.statistics import holm
from stages.reporting.verdicts import corrected


class Certainty(NamedTuple):
    """The tests of LSTM − RNN."""

    verdict: str  # empty for a single recipe
    corrected: dict[str, float]  # recipe → p-value


def certainty(results: Mapping[str, Result]) -> Certainty:
    """Return the tests of the recipes of the main study."""
    p_values = holm({name: result.uncertainty["p_value"] for name, result in results.items()})
    return Certainty(corrected(p_values), p_values)
