"""The search that a recipe's settings were chosen by: the same grid for both cells, judged by validation.

`python -m stages.search` writes reports/search.json. It is no stage of the pipeline, because it trains
more nets than all stages together; it never reads a test review.
"""

import sys
from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from pydantic import ValidationError

from stages import StageError
from stages.files import REPORTS, json_text, load_padded, new_file
from stages.params import Recipe, Search, load_params
from stages.statistics import CELLS
from stages.train_all import parse_jobs, side_by_side


class Candidate(NamedTuple):
    """One net of the grid: what differs from the recipe's block."""

    cell: str
    learning_rate: float
    settings: tuple[tuple[str, Any], ...]  # dotted name, value
    seed: int


def candidates(search: Search) -> list[Candidate]:
    """Return every net of the grid, those that take longest first."""
    grids = product(*[[(name, value) for value in values] for name, values in search.settings.items()])
    return [
        Candidate(cell, rate, settings, seed)
        for cell, settings, rate, seed in product(
            reversed(CELLS), list(grids), search.learning_rates, search.seeds
        )
    ]


def changed(name: str, recipe: Recipe, settings: Iterable[tuple[str, Any]]) -> Recipe:
    """Return `recipe` (the block `name`) with `settings` in it.

    Raises `StageError` where one is no setting of `model` or `train`, or its value is not allowed.
    """
    block = recipe.model_dump()
    for dotted, value in settings:
        part, _, leaf = dotted.partition(".")
        if part not in ("model", "train") or leaf not in block[part]:
            known = ", ".join(f"{part}.{leaf}" for part in ("model", "train") for leaf in block[part])
            raise StageError(f"search.settings names {dotted!r}, which is none of {name}'s: {known}")
        block[part][leaf] = value
    try:
        return Recipe.model_validate(block)
    except ValidationError as error:
        mistake = error.errors()[0]
        where = ".".join(map(str, mistake["loc"]))
        raise StageError(
            f"search.settings: {where} = {mistake['input']!r}: {mistake['msg'].removeprefix('Input ')}"
        ) from None


def trial(name: str, recipe: Recipe, candidate: Candidate) -> list[float]:
    """Train one candidate and return its validation accuracy after each epoch."""
    from stages.nets import new_net
    from stages.training import fit

    data = load_padded(name)  # mapped: what is not used, as the test reviews, is not read
    recipe = changed(name, recipe, candidate.settings)
    cell, rate, _, seed = candidate
    net = new_net(cell, recipe.pad.vocabulary, recipe.model, recipe.train.kernel, seed)
    fitted = fit(net, data["train"], data["validation"], recipe.train, rate, seed)
    return [row["validation_accuracy"] for row in fitted.history]


def table(search: Search, reached: Mapping[Candidate, list[float]]) -> dict[str, Any]:
    """Return what the search found: a row per candidate, and what is chosen.

    A net counts with its best epoch, a candidate with the mean over seeds. Each cell takes the learning
    rate that suits it best; the settings that both share are those under which the sum of both cells'
    best is highest.
    """
    rows: list[dict[str, Any]] = [
        {
            "settings": dict(settings),
            "learning_rate": rate,
            "cell": cell,
            "seeds": {
                str(seed): round(max(reached[Candidate(cell, rate, settings, seed)]), 4)
                for seed in search.seeds
            },
        }
        for cell, rate, settings in dict.fromkeys((c.cell, c.learning_rate, c.settings) for c in reached)
    ]
    for row in rows:
        row["mean"] = round(float(np.mean(list(row["seeds"].values()))), 4)

    def best(cell: str, settings: Mapping[str, Any] | None = None) -> dict[str, Any]:
        own = [row for row in rows if row["cell"] == cell and settings in (None, row["settings"])]
        return max(own, key=lambda row: row["mean"])

    shared = max(
        (row["settings"] for row in rows),
        key=lambda settings: sum(best(cell, settings)["mean"] for cell in CELLS),
    )
    return {
        "recipe": search.recipe,
        "rows": sorted(rows, key=lambda row: (row["cell"], -row["mean"])),
        "chosen": {
            "settings": shared,
            "learning_rates": {cell: best(cell, shared)["learning_rate"] for cell in CELLS},
        },
        "best_alone": {cell: best(cell) for cell in CELLS},
    }


def main() -> None:
    """Train every candidate, several side by side, and write reports/search.json."""
    jobs = parse_jobs("stages.search", __doc__)
    try:
        params = load_params()
        search, recipe = params.search, params.blocks[params.search.recipe]
        load_padded(search.recipe)
        nets = candidates(search)
        for candidate in nets:
            changed(search.recipe, recipe, candidate.settings)
    except StageError as error:
        sys.exit(f"search: {error}")
    print(f"{len(nets)} nets to train, {min(jobs, len(nets))} at a time", flush=True)
    reached = {}
    calls = [(search.recipe, recipe, candidate) for candidate in nets]
    for (_, _, candidate), accuracies in side_by_side(trial, calls, jobs):
        reached[candidate] = accuracies
        print(f"{len(reached)} of {len(nets)} nets trained", flush=True)
    found = table(search, {net: reached[net] for net in nets})
    new_file(REPORTS / "search.json", json_text(found))
    chosen = found["chosen"]
    rates = [f"{cell}.learning_rate {rate}" for cell, rate in chosen["learning_rates"].items()]
    settings = ", ".join([*(f"{name} {value}" for name, value in chosen["settings"].items()), *rates])
    print(f"Best on validation reviews: {settings}. All that was tried is in {REPORTS}/search.json")


if __name__ == "__main__":
    main()
