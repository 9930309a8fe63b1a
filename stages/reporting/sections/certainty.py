"""How certain is it which cell is better? One test per recipe, corrected for their number."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from stages.reporting.comparison import Result
from stages.reporting.statistics import holm, mean_interval, summarise
from stages.reporting.verdicts import corrected, other_seeds


class Certainty(NamedTuple):
    """The tests of LSTM − RNN."""

    verdict: str  # empty for a single recipe
    other_seeds: str  # what those say that did not choose the headline's settings
    corrected: dict[str, float]  # recipe → p-value


def certainty(results: Mapping[str, Result], headline: Result, search: Mapping[str, Any]) -> Certainty:
    """Return the tests of the recipes of the main study; search: reports/search.json, empty: never run."""
    p_values = holm({name: result.uncertainty["p_value"] for name, result in results.items()})
    return Certainty(corrected(p_values), of_other_seeds(headline, search), p_values)


def of_other_seeds(result: Result, search: Mapping[str, Any]) -> str:
    """Say what LSTM − RNN is with the seeds that a recipe's settings were not chosen with.

    Nothing where they were not searched, or fewer than two seeds are left.
    """
    if search.get("recipe") != result.name:
        return ""
    chose = {int(seed) for row in search["rows"] for seed in row["seeds"]} & set(result.seeds)
    leads = {
        int(seed): lead
        for seed, lead in result.metrics["difference"]["accuracy"]["seeds"].items()
        if int(seed) not in chose
    }
    interval = mean_interval(list(leads.values())) if leads else None
    if not chose or interval is None:
        return ""
    mean = summarise(leads)["mean"]
    return other_seeds(result.name, sorted(chose), sorted(leads), {"mean": mean, "interval": interval})
