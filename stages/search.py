"""The search that a recipe's settings were chosen by: the same grid for both cells, judged by validation.

Every candidate is trained with the first seed; the best settings, the finalists, with the others, too.
`python -m stages.search` writes reports/search.json, and goes on where it was stopped. It is no stage of the
pipeline, because a change of code need not repeat it; it never reads a test review.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pydantic import ValidationError

from stages import StageError
from stages.runtime.files import REPORTS, json_text, load_padded, new_file
from stages.params.study import Recipe, Search, load_params
from stages.provenance import code_digest
from stages.reporting.statistics import CELLS
from stages.runner.pipeline import parse_jobs, resumed

REACHED = Path("data/search.json")  # what a search that was stopped goes on from


class Candidate(NamedTuple):
    """One net of the grid: what differs from the recipe's block."""

    cell: str
    learning_rate: float
    settings: tuple[tuple[str, Any], ...]  # dotted name, value
    seed: int


def candidates(search: Search) -> list[Candidate]:
    """Return every net of the grid, with the first seed, those that take longest first."""
    grids = product(*[[(name, value) for value in values] for name, values in search.settings.items()])
    return [
        Candidate(cell, rate, settings, search.seeds[0])
        for cell, settings, rate in product(reversed(CELLS), list(grids), search.learning_rates)
    ]


def finalists(search: Search, reached: Mapping[Candidate, list[float]]) -> list[Candidate]:
    """Return the nets that are trained with the other seeds: each cell's best under the best settings.

    reached: every net of `candidates`, and its validation accuracy after each epoch. Settings are as good
    as the sum of both cells' best learning rates under them.
    """
    settings = list(dict.fromkeys(net.settings for net in reached))
    best = {
        (cell, each): max(
            (net for net in reached if (net.cell, net.settings) == (cell, each)),
            key=lambda net: max(reached[net]),
        )
        for cell in reversed(CELLS)
        for each in settings
    }
    settings.sort(key=lambda each: -sum(max(reached[best[cell, each]]) for cell in CELLS))
    return [
        net._replace(seed=seed)
        for (_, each), net in best.items()
        if each in settings[: search.finalists]
        for seed in search.seeds[1:]
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
    from stages.networks.models import new_net
    from stages.networks.training import fit

    data = load_padded(name)  # mapped: what is not used, as the test reviews, is not read
    recipe = changed(name, recipe, candidate.settings)
    cell, rate, _, seed = candidate
    train = data["train"]
    net = new_net(cell, recipe.pad.vocabulary, recipe.model, recipe.train.kernel, seed, train.tokens)
    fitted = fit(net, train, data["validation"], recipe.train, rate, seed)
    return [row["validation_accuracy"] for row in fitted.history]


def table(search: Search, reached: Mapping[Candidate, list[float]]) -> dict[str, Any]:
    """Return what the search found: a row per candidate, and what is chosen.

    A net counts with its best epoch, a candidate with the mean over its seeds. Of the finalists, which have
    them all, those settings are chosen under which the sum of both cells is highest.
    """
    rows: list[dict[str, Any]] = []
    for cell, rate, settings in dict.fromkeys((net.cell, net.learning_rate, net.settings) for net in reached):
        nets = {seed: reached.get(Candidate(cell, rate, settings, seed)) for seed in search.seeds}
        seeds = {str(seed): round(max(each), 4) for seed, each in nets.items() if each}
        rows.append(
            {
                "settings": dict(settings),
                "learning_rate": rate,
                "cell": cell,
                "seeds": seeds,
                "mean": round(float(np.mean(list(seeds.values()))), 4),
            }
        )

    final = [row for row in rows if len(row["seeds"]) == len(search.seeds)]

    def best(cell: str, settings: Mapping[str, Any]) -> dict[str, Any]:
        own = [row for row in final if (row["cell"], row["settings"]) == (cell, settings)]
        return max(own, key=lambda row: row["mean"])

    chosen = max(
        (row["settings"] for row in final),
        key=lambda settings: sum(best(cell, settings)["mean"] for cell in CELLS),
    )
    taken = {cell: best(cell, chosen) for cell in CELLS}
    first = str(search.seeds[0])
    return {
        "recipe": search.recipe,
        "code": code_digest(),
        "rows": sorted(rows, key=lambda row: (row["cell"], -len(row["seeds"]), -row["mean"])),
        "chosen": {
            "settings": chosen,
            "learning_rates": {cell: row["learning_rate"] for cell, row in taken.items()},
        },
        # With the first seed, which all candidates have: the highest of them, and what was chosen.
        "first_seed": {
            cell: {
                "best": max(row["seeds"][first] for row in rows if row["cell"] == cell),
                "chosen": taken[cell]["seeds"][first],
            }
            for cell in CELLS
        },
    }


def run(search: Search, recipe: Recipe, nets: Iterable[Candidate], jobs: int) -> dict[Candidate, list[float]]:
    """Return what each of `nets` reaches: train those that an earlier, stopped search has not trained."""
    calls = {json.dumps(net): (search.recipe, recipe, net) for net in nets}
    trained = resumed(trial, calls, REACHED, origin(search, recipe), jobs)
    return {calls[name][2]: accuracies for name, accuracies in trained.items()}


def origin(search: Search, recipe: Recipe) -> list[Any]:
    """Return what all nets of the grid have in common: the settings of the recipe that it does not change."""
    block = recipe.model_dump()
    for dotted in (*search.settings, *(f"{cell}.learning_rate" for cell in CELLS)):
        part, _, leaf = dotted.partition(".")
        del block[part][leaf]
    return [search.recipe, block]


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
    reached = run(search, recipe, nets, jobs)
    reached |= run(search, recipe, finalists(search, reached), jobs)
    found = table(search, reached)
    new_file(REPORTS / "search.json", json_text(found))
    chosen = found["chosen"]
    rates = [f"{cell}.learning_rate {rate}" for cell, rate in chosen["learning_rates"].items()]
    settings = ", ".join([*(f"{name} {value}" for name, value in chosen["settings"].items()), *rates])
    print(f"Best on validation reviews: {settings}. All that was tried is in {REPORTS}/search.json")


if __name__ == "__main__":
    main()
