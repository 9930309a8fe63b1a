"""The side study of whole reviews, beside the headline's models."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from stages.params.recipe import CELLS
from stages.params.study import Params
from stages.reporting.comparison import Result, changed_settings, out_of_date
from stages.reporting.sections.baseline import Bag, Row, baseline_rows
from stages.reporting.statistics import Runs, mean_over_seeds
from stages.reporting.verdicts import leading_cell, up_to_date


class WholeReviews(NamedTuple):
    """The recipe that reads nearly whole reviews."""

    result: Result
    verdict: str
    out_of_date: str
    validation: dict[str, float]  # cell → accuracy
    tried: list[Mapping[str, Any]]  # poolings, with the first seed
    rows: list[Row]  # the bag-of-words models that read whole reviews
    changed: dict[str, dict[str, Any]]  # dotted parameter → the headline's and this recipe's value


def whole_runs(study: Mapping[str, Any]) -> Runs:
    """Return recipe → seed → what was measured; nothing where the study was never run."""
    return {study["recipe"]: {int(seed): run for seed, run in study["runs"].items()}} if study else {}


def whole_reviews_section(
    study: Mapping[str, Any],
    result: Result,
    headline: Result,
    bags: Sequence[Bag],
    params: Params,
    runs: Runs,
) -> WholeReviews:
    """Return the section; study: reports/whole_reviews.json; runs: of the main study, for their code."""
    return WholeReviews(
        result,
        leading_cell(result.uncertainty["difference"]),
        up_to_date(
            out_of_date(study, asked(study, result, params), settings(result, params), runs),
            "make whole_reviews",
        ),
        {cell: float(mean_over_seeds(result.seeds, cell, "validation", "accuracy")) for cell in CELLS},
        study["tried"],
        [row for row in baseline_rows(bags, result) if row[0]["tokens"] == "whole"],
        changed_settings([headline, result]),
    )


def asked(study: Mapping[str, Any], result: Result, params: Params) -> dict[str, tuple[Any, Any]]:
    """Return dotted parameter of the study → what it was, and what it is now."""
    now = params.whole_reviews
    return {
        "whole_reviews.recipe": (result.name, now.recipe),
        "whole_reviews.seeds": (set(result.seeds), set(now.seeds)),
        "whole_reviews.poolings": ({row["pooling"] for row in study["tried"]}, set(now.poolings)),
    }


def settings(result: Result, params: Params) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return the recipe's settings, then and now; what is no longer a recipe has not changed."""
    block = params.blocks.get(result.name)
    return result.settings, block.model_dump(mode="json") if block else result.settings
