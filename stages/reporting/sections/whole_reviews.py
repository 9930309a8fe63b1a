"""The side study of whole reviews, beside the headline's models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stages.params.study import Params
from stages.reporting.comparison import Result, changed_settings
from stages.reporting.formatting import LABELS
from stages.reporting.sections.baseline import CUT, Row, baseline_rows
from stages.reporting.staleness import changed_code
from stages.reporting.statistics import Runs, mean_over_seeds
from stages.reporting.verdicts import leading_cell, up_to_date


@dataclass(frozen=True)
class Tried:
    """A pooling that was tried with the first seed."""

    label: str
    pooling: str
    validation_accuracy: float


@dataclass(frozen=True)
class WholeReviews:
    """The recipe that reads nearly whole reviews."""

    result: Result
    out_of_date: str
    maxlen: int
    num_words: int
    seeds: str
    verdict: str
    rnn_validation: float
    lstm_validation: float
    tried: list[Tried]
    baselines: list[Row]  # those that read whole reviews
    changed: dict[str, dict[str, Any]]  # dotted parameter → this recipe or the headline's → value


def whole_runs(study: Mapping[str, Any]) -> Runs:
    """Return recipe → seed → what was measured; nothing where the study was never run."""
    if not study:
        return {}
    return {study["recipe"]: {int(seed): run for seed, run in study["runs"].items()}}


def whole_reviews_section(
    study: Mapping[str, Any],
    result: Result,
    headline: Result,
    bags: Sequence[Mapping[str, Any]],
    params: Params,
    runs: Runs,
) -> WholeReviews:
    """Return the section; study: reports/whole_reviews.json; runs: of the main study, for their code."""
    pad, number = result.settings["pad"], len(result.seeds)
    rows = zip(bags, baseline_rows(bags, result), strict=True)
    validation = {
        cell: float(mean_over_seeds(result.seeds, cell, "validation", "accuracy")) for cell in LABELS
    }
    return WholeReviews(
        result,
        up_to_date(out_of_date(study, result, params, runs), "make long"),
        pad["maxlen"],
        pad["num_words"],
        f"{number} {'seeds' if number > 1 else 'seed'}",
        leading_cell(result.uncertainty["difference"]),
        validation["rnn"],
        validation["lstm"],
        [Tried(LABELS[row["cell"]], row["pooling"], row["validation_accuracy"]) for row in study["tried"]],
        [row for bag, row in rows if bag["tokens"] != CUT],
        changed_settings({headline.name: headline.settings, result.name: result.settings}),
    )


def out_of_date(study: Mapping[str, Any], result: Result, params: Params, runs: Runs) -> list[str] | None:
    """Return what is no longer as the study had it: parameters, dotted, and files of code.

    None where it does not say with which code it was made.
    """
    asked, name = params.whole_reviews, study["recipe"]
    made = {
        "recipe": name,
        "seeds": set(result.seeds),
        "poolings": {row["pooling"] for row in study["tried"]},
    }
    now = {"recipe": asked.recipe, "seeds": set(asked.seeds), "poolings": set(asked.poolings)}
    changed = {f"whole_reviews.{part}" for part in made if made[part] != now[part]}
    for run in result.seeds.values():
        code = changed_code(run.get("provenance"), runs)
        if code is None:
            return None
        changed |= set(code)
        if name in params.blocks:
            blocks = {"then": run["settings"], "now": params.blocks[name].model_dump()}
            changed |= {f"{name}.{dotted}" for dotted in changed_settings(blocks)}
    return sorted(changed)
