"""The side study of whole reviews, beside the headline's models."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from stages.params.recipe import CELLS
from stages.params.study import Params
from stages.reporting.comparison import Result, changed_settings, out_of_date
from stages.reporting.sections.baseline import Bag, Row, bag_rows, model_rows
from stages.reporting.statistics import Runs
from stages.reporting.verdicts import leading_cell, up_to_date
from stages.reporting.verdicts_search import Ends, more_epochs


class WholeReviews(NamedTuple):
    """The recipe that reads nearly whole reviews."""

    result: Result
    verdict: str
    out_of_date: str
    tried: list[Mapping[str, Any]]  # poolings, with the first seed
    epochs: str  # whether more would help; empty where the last is kept in any case
    rows: list[Row]  # these models, and the bag-of-words models that read whole reviews
    changed: dict[str, dict[str, Any]]  # dotted parameter → the headline's and this recipe's value


def whole_runs(study: Mapping[str, Any]) -> Runs:
    """Return recipe → seed → what was measured; nothing where the study was never run."""
    return {study["recipe"]: {int(seed): run for seed, run in study["runs"].items()}} if study else {}


def whole_reviews_section(
    study: Mapping[str, Any],
    result: Result,
    headline: Result,
    bags: Sequence[Bag],
    audit: Mapping[str, Any],
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
        study["tried"],
        more_epochs(result.settings["train"]["epochs"], ends(result))
        if result.settings["train"]["checkpoint"] == "best"
        else "",
        [
            *model_rows(result, audit),
            *(row for bag, row in zip(bags, bag_rows(bags, result), strict=True) if bag["tokens"] == "whole"),
        ],
        changed_settings([headline, result]),
    )


def ends(result: Result) -> Ends:
    """Return cell → in how many runs the last epoch is the best, and the number of runs."""
    epochs, runs = result.settings["train"]["epochs"], result.seeds.values()
    return {cell: (sum(run[cell]["kept_epoch"] == epochs for run in runs), len(runs)) for cell in CELLS}


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
