"""The card of the released models: reports/model_card.md."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from stages.params.recipe import CELLS
from stages.reporting.comparison import Result
from stages.reporting.sections.baseline import trained_on
from stages.reporting.verdicts import interval_and_zero
from stages.runtime.errors import StageError


class ModelCard(NamedTuple):
    """Which runs are released, and what they were trained on."""

    result: Result
    runs: dict[str, Mapping[str, Any]]  # cell → what was measured on the released run
    verdict: str
    trained_on: int  # train reviews that did not validate


def model_card(released: Mapping[str, Any], result: Result, audit: Mapping[str, Any]) -> ModelCard:
    """Return the card; released: reports/released.json; result: of the recipe that params.yaml releases.

    Raises `StageError` where what is released is none of that recipe's runs.
    """
    for cell, run in released.items():
        if run["recipe"] != result.name or run["seed"] not in result.seeds:
            raise StageError(
                f"reports/released.json: {run['recipe']} {cell} seed {run['seed']} is no run of "
                f"{result.name}, which is release.recipe in params.yaml: `dvc repro release` chooses anew"
            )
    return ModelCard(
        result,
        {cell: result.seeds[released[cell]["seed"]][cell] for cell in CELLS},
        interval_and_zero(result.uncertainty["difference"]),
        trained_on(result, audit),
    )
