"""Is the tuning fair? The grid that a recipe's settings were chosen from."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from stages.params.recipe import CELLS
from stages.params.study import Params
from stages.reporting.comparison import out_of_date
from stages.reporting.formatting import LABELS
from stages.reporting.statistics import Runs
from stages.reporting.verdicts import at_an_edge, search_followed, up_to_date


class Search(NamedTuple):
    """What was tried and chosen."""

    verdict: str
    out_of_date: str
    chosen: Mapping[str, Any]  # settings of both cells, and learning_rates of each
    rows: list[tuple[Mapping[str, Any], bool]]  # each candidate, and whether it was chosen
    edges: str


def search_section(search: Mapping[str, Any], params: Params, runs: Runs) -> Search:
    """Return the section; search: reports/search.json; runs: of the main study, for their code."""
    chosen, rows = search["chosen"], search["rows"]
    rates = chosen["learning_rates"]
    tried = sum(row["cell"] == CELLS[0] for row in rows)
    return Search(
        search_followed(search["recipe"], changed_since(search, params), tried),
        up_to_date(
            out_of_date(search, asked(search, params), common_settings(search, params), runs), "make search"
        ),
        chosen,
        [
            (row, (row["settings"], row["learning_rate"]) == (chosen["settings"], rates[row["cell"]]))
            for row in rows
        ],
        at_an_edge(edges(search)),
    )


def changed_since(search: Mapping[str, Any], params: Params) -> list[str]:
    """Return the settings, dotted, in which the searched recipe is not what the search chose."""
    block, chosen = params.blocks[search["recipe"]].model_dump(), search["chosen"]
    rates = {f"{cell}.learning_rate": rate for cell, rate in chosen["learning_rates"].items()}
    wanted = {tuple(dotted.split(".")): value for dotted, value in (chosen["settings"] | rates).items()}
    return [f"{part}.{name}" for (part, name), value in wanted.items() if block[part][name] != value]


def asked(search: Mapping[str, Any], params: Params) -> dict[str, tuple[Any, Any]]:
    """Return dotted parameter of the search → what it was, and what it is now."""
    rows, now = search["rows"], params.search
    return {
        "search.recipe": (search["recipe"], now.recipe),
        "search.seeds": ({int(seed) for row in rows for seed in row["seeds"]}, set(now.seeds)),
        "search.learning_rate": ({row["learning_rate"] for row in rows}, set(now.learning_rate)),
        "search.pooling": ({row["settings"]["model.pooling"] for row in rows}, set(now.pooling)),
        "search.epsilon": ({row["settings"]["train.epsilon"] for row in rows}, set(now.epsilon)),
    }


def common_settings(search: Mapping[str, Any], params: Params) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the recipe's settings that were not searched, then and now."""
    then = search.get("settings", {})
    block = params.blocks[search["recipe"]].model_dump(mode="json")
    return then, {part: {name: block[part].get(name) for name in each} for part, each in then.items()}


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
