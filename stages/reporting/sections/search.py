"""Is the tuning fair? The grid that a recipe's settings were chosen from."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from stages.params.recipe import CELLS
from stages.params.study import Params
from stages.reporting.comparison import out_of_date
from stages.reporting.formatting import LABELS
from stages.reporting.sections.ablation import Ablation
from stages.reporting.statistics import Runs
from stages.reporting.verdicts import up_to_date
from stages.reporting.verdicts_search import (
    Ends,
    enough_epochs,
    equal_settings,
    fixed_settings,
    followed,
    inside_the_grid,
    worth_in_ablation,
)

Row = Mapping[str, Any]  # a candidate, as stage `choose` wrote it


class Candidate(NamedTuple):
    """A row of the table."""

    row: Row
    searched: list[Any]  # its values of `Search.names`
    epochs: list[int]  # the best of each seed
    chosen: bool


class Search(NamedTuple):
    """What was tried and chosen."""

    verdict: str
    out_of_date: str
    chosen: Mapping[str, Any]  # settings of both cells, and learning_rates of each
    names: list[str]  # of the settings of both cells, those that were searched
    fixed: str  # the others
    candidates: list[Candidate]
    edges: str
    epochs: str
    equal_settings: str
    elsewhere: str  # what the ablation says of the settings that a cell would have alone; empty: nothing


def search_section(
    search: Mapping[str, Any], ablation: Ablation | None, params: Params, runs: Runs
) -> Search:
    """Return the section; search: reports/search.json; runs: of the main study, for their code."""
    chosen, rows = search["chosen"], search["rows"]
    names = [name for name in chosen["settings"] if len(tried(rows, name)) > 1]
    return Search(
        followed(
            search["recipe"], changed_since(search, params), sum(row["cell"] == CELLS[0] for row in rows)
        ),
        up_to_date(
            out_of_date(search, asked(search, params), common_settings(search, params), runs), "make search"
        ),
        chosen,
        names,
        fixed_settings({name: value for name, value in chosen["settings"].items() if name not in names}),
        [
            Candidate(
                row,
                [row["settings"][name] for name in names],
                list(row.get("epochs", {}).values()),
                is_chosen(row, chosen),
            )
            for row in rows
        ],
        inside_the_grid(*places(search)),
        epochs_sentence(search),
        equal_settings({cell: best_rows(search, cell) for cell in CELLS}),
        elsewhere(search, ablation) if ablation and not ablation.out_of_date else "",
    )


def tried(rows: Sequence[Row], name: str) -> set[Any]:
    """Return the values of a setting that were tried."""
    return {row["settings"][name] for row in rows}


def is_chosen(row: Row, chosen: Mapping[str, Any]) -> bool:
    """Return whether a candidate is the chosen one of its cell."""
    rate = chosen["learning_rates"][row["cell"]]
    return (row["settings"], row["learning_rate"]) == (chosen["settings"], rate)


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
        "search.pooling": (tried(rows, "model.pooling"), set(now.pooling)),
        "search.epsilon": (tried(rows, "train.epsilon"), set(now.epsilon)),
    }


def common_settings(search: Mapping[str, Any], params: Params) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the recipe's settings that were not searched, then and now."""
    then = search.get("settings", {})
    block = params.blocks[search["recipe"]].model_dump(mode="json")
    return then, {part: {name: block[part].get(name) for name in each} for part, each in then.items()}


def places(search: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return the chosen numbers that lie inside of what was tried, and those at an edge of it, in words."""
    chosen, rows = search["chosen"], search["rows"]
    choices = [
        (f"the {LABELS[cell]}'s learning rate", rate, {row["learning_rate"] for row in rows})
        for cell, rate in chosen["learning_rates"].items()
    ]
    choices += [(f"`{name}`", value, tried(rows, name)) for name, value in chosen["settings"].items()]
    inside: list[str] = []
    at_an_edge: list[str] = []
    for name, value, values in choices:
        if len(values) > 1 and all(isinstance(each, int | float) for each in values):
            (at_an_edge if value in (min(values), max(values)) else inside).append(name)
    return inside, at_an_edge


def epochs_sentence(search: Mapping[str, Any]) -> str:
    """Say whether runs would have had use for more epochs."""
    noted = [row for row in search["rows"] if "epochs" in row]
    if not noted:  # a former search
        return ""
    epochs = search["settings"]["train"]["epochs"]
    own = [row for row in noted if is_chosen(row, search["chosen"])]
    return enough_epochs(epochs, ends(noted, epochs), ends(own, epochs))


def ends(rows: Sequence[Row], epochs: int) -> Ends:
    """Return cell → in how many runs the last epoch is the best, and the number of runs."""
    best = {
        cell: [each for row in rows if row["cell"] == cell for each in row["epochs"].values()]
        for cell in CELLS
    }
    return {cell: (each.count(epochs), len(each)) for cell, each in best.items()}


def elsewhere(search: Mapping[str, Any], ablation: Ablation) -> str:
    """Return what the ablation says of the settings that a cell would have alone; empty: nothing."""
    if ablation.recipe != search["recipe"]:
        return ""
    said = []
    for cell in CELLS:
        shared, alone = (row["settings"] for row in best_rows(search, cell))
        other = " ".join(f"{name}={value}" for name, value in alone.items() if value != shared[name])
        said += [
            worth_in_ablation(part.name, cell, part.worth[cell], ablation.seeds)
            for part in ablation.parts
            if part.settings == other and part.worth[cell]["interval"]
        ]
    return " ".join(said)


def best_rows(search: Mapping[str, Any], cell: str) -> tuple[Row, Row]:
    """Return a cell's best row under the chosen settings, and under any."""
    own = [row for row in search["rows"] if row["cell"] == cell]
    shared = [row for row in own if row["settings"] == search["chosen"]["settings"]]
    best_shared, best = (max(each, key=lambda row: float(row["mean"])) for each in (shared, own))
    return best_shared, best
