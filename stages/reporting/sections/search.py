"""Is the tuning fair? The grid that a recipe's settings were chosen from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stages.params.recipe import CELLS
from stages.params.study import Params
from stages.reporting.formatting import LABELS
from stages.reporting.statistics import Runs
from stages.reporting.staleness import changed_code
from stages.reporting.verdicts import at_an_edge, search_followed, up_to_date


@dataclass(frozen=True)
class Candidate:
    """Settings that were tried: best validation accuracies, and their mean over seeds."""

    label: str
    learning_rate: float
    settings: list[Any]
    mean: float
    seeds: list[float]
    chosen: bool


@dataclass(frozen=True)
class Search:
    """What was tried and chosen."""

    recipe: str
    verdict: str
    out_of_date: str
    seeds: list[str]
    settings: Mapping[str, Any]  # chosen for both cells, dotted
    learning_rates: Mapping[str, float]  # chosen for each cell
    candidates: list[Candidate]
    edges: str


def search_section(search: Mapping[str, Any], params: Params, runs: Runs) -> Search:
    """Return the section; search: reports/search.json; runs: of the main study, whose code is compared."""
    chosen, rows = search["chosen"], search["rows"]
    return Search(
        search["recipe"],
        search_followed(
            search["recipe"], changed_since(search, params), sum(row["cell"] == CELLS[0] for row in rows)
        ),
        up_to_date(out_of_date(search, params, runs), "make search"),
        list(rows[0]["seeds"]),
        chosen["settings"],
        chosen["learning_rates"],
        [
            Candidate(
                LABELS[row["cell"]],
                row["learning_rate"],
                list(row["settings"].values()),
                row["mean"],
                list(row["seeds"].values()),
                row["settings"] == chosen["settings"]
                and row["learning_rate"] == chosen["learning_rates"][row["cell"]],
            )
            for row in rows
        ],
        at_an_edge(edges(search)),
    )


def changed_since(search: Mapping[str, Any], params: Params) -> list[str]:
    """Return the settings, dotted, in which the searched recipe is not what the search chose."""
    block, chosen = params.blocks[search["recipe"]].model_dump(), search["chosen"]
    wanted = chosen["settings"] | {
        f"{cell}.learning_rate": rate for cell, rate in chosen["learning_rates"].items()
    }
    parts = {dotted: dotted.split(".") for dotted in wanted}
    return [dotted for dotted, (part, name) in parts.items() if block[part][name] != wanted[dotted]]


def out_of_date(search: Mapping[str, Any], params: Params, runs: Runs) -> list[str] | None:
    """Return what is no longer as the search had it: its parameters, dotted, and files of code.

    None where it does not say with which code it was made.
    """
    rows, asked = search["rows"], params.search
    made = {
        "recipe": {search["recipe"]},
        "seeds": {int(seed) for row in rows for seed in row["seeds"]},
        "learning_rate": {row["learning_rate"] for row in rows},
        "pooling": {row["settings"]["model.pooling"] for row in rows},
        "epsilon": {row["settings"]["train.epsilon"] for row in rows},
    }
    now = {name: set(value) for name, value in asked.model_dump().items() if name != "recipe"}
    now["recipe"] = {asked.recipe}
    code = changed_code(search.get("provenance"), runs)
    changed = [f"search.{name}" for name in made if made[name] != now[name]]
    return None if code is None else [*changed, *code]


def edges(search: Mapping[str, Any]) -> list[str]:
    """Return the choices of the search that are the least or the most of what was tried, in words."""
    chosen, rows = search["chosen"], search["rows"]
    rates = [row["learning_rate"] for row in rows]
    found = [
        f"the {LABELS[cell]}'s learning rate"
        for cell, rate in chosen["learning_rates"].items()
        if rate in (min(rates), max(rates))
    ]
    for name, value in chosen["settings"].items():
        tried = [row["settings"][name] for row in rows]
        if all(isinstance(each, int | float) for each in tried) and value in (min(tried), max(tried)):
            found.append(f"`{name}`")
    return found
