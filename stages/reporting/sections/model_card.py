"""The card of the released models: reports/model_card.md."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stages import StageError
from stages.params.recipe import CELLS
from stages.reporting.comparison import Result
from stages.reporting.statistics import Estimate
from stages.reporting.verdicts import interval_and_zero


@dataclass(frozen=True)
class Released:
    """A released run, and the accuracy over all seeds."""

    cell: str
    seed: int
    run: Mapping[str, Any]
    accuracy: Estimate


@dataclass(frozen=True)
class ModelCard:
    """Which runs are released, and what they were trained on."""

    recipe: str
    settings: Mapping[str, Any]
    n_seeds: int
    released: list[Released]
    difference: Estimate
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
    first = next(iter(result.seeds.values()))
    validation: Sequence[Mapping[str, int]] = first["rnn"]["validation"]["by_shared"]
    estimates = {"rnn": result.uncertainty["rnn"], "lstm": result.uncertainty["lstm"]}
    seeds = {cell: released[cell]["seed"] for cell in CELLS}
    return ModelCard(
        result.name,
        result.settings,
        len(result.seeds),
        [Released(cell, seed, result.seeds[seed][cell], estimates[cell]) for cell, seed in seeds.items()],
        result.uncertainty["difference"],
        interval_and_zero(result.uncertainty["difference"]),
        audit["train"]["reviews"] - sum(each["reviews"] for each in validation),
    )
