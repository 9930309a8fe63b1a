"""Stage `choose`: of the search's grid, the settings under which both cells do best on validation reviews."""

from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from stages.networks.provenance import FILE, differing
from stages.params.recipe import CELLS
from stages.params.study import Search, load_params
from stages.runtime.command_line import stage_main
from stages.runtime.errors import StageError
from stages.runtime.files import delete_others, json_text, load_json, write_atomically
from stages.scoring.histories import load_history
from stages.scoring.provenance import common_provenance

FOLDER = Path("data/search")


class Run(NamedTuple):
    """What tells a run of the grid from the others."""

    cell: str
    pooling: str
    epsilon: float
    learning_rate: float
    seed: str


class Best(NamedTuple):
    """The first epoch of a run after which its validation accuracy was highest."""

    epoch: int
    accuracy: float


def choose() -> None:
    """Write what every run of the grid reached, and which settings are chosen."""
    search = load_params().search
    folders, made = {}, {}
    for file in sorted(FOLDER.glob(f"runs/*/{FILE}")):
        provenance = load_json(file)
        run = run_of(file.parent.name, provenance["settings"])
        folders[run], made[run] = file.parent, provenance
    runs = grid(search)
    if missing := [run for run in runs if run not in folders]:
        raise StageError(
            f"{FOLDER}/runs lacks {len(missing)} of the grid's {len(runs)} runs, such as "
            f"{' '.join(map(str, missing[0]))}: `dvc repro stages/search/dvc.yaml` trains them"
        )
    table = rows({run: best_epoch(load_history(folders[run])) for run in runs})
    best = chosen(table)
    result = {
        "recipe": search.recipe,
        "rows": sorted(table, key=lambda row: (CELLS.index(row["cell"]), -row["mean"])),
        "chosen": best,
        "settings": common_settings({str(folders[run]): made[run]["settings"] for run in runs}),
        "provenance": common_provenance({str(folders[run]): made[run] for run in runs}),
    }
    write_atomically(FOLDER / "table.json", json_text(result))
    delete_others(FOLDER / "runs", [folders[run] for run in runs])
    rates = {f"{cell}.learning_rate": rate for cell, rate in best["learning_rates"].items()}
    settings = ", ".join(f"{name} {value}" for name, value in (best["settings"] | rates).items())
    print(f"choose: best on validation reviews: {settings}")


def run_of(name: str, settings: Mapping[str, Any]) -> Run:
    """Return which run lies in the folder `name`, which ends in the seed; its provenance has the settings."""
    (cell,) = settings.keys() & set(CELLS)
    rate = settings[cell]["learning_rate"]
    return Run(
        cell, settings["model"]["pooling"], settings["train"]["epsilon"], rate, name.rpartition("-")[2]
    )


def grid(search: Search) -> list[Run]:
    """Return all runs of the grid, those of a candidate (all but the seed) one after another."""
    seeds = map(str, search.seeds)
    return [
        Run(*each) for each in product(CELLS, search.pooling, search.epsilon, search.learning_rate, seeds)
    ]


def best_epoch(history: pd.DataFrame) -> Best:
    """Return the best epoch in a run's history."""
    best = int(history["validation_accuracy"].argmax())
    return Best(int(history["epoch"].iloc[best]), float(history["validation_accuracy"].iloc[best]))


def rows(reached: Mapping[Run, Best]) -> list[dict[str, Any]]:
    """Return a row per candidate: its settings, each seed's accuracy and best epoch, the mean accuracy."""
    candidates: dict[Run, dict[str, Best]] = {}
    for run, best in reached.items():
        candidates.setdefault(run._replace(seed=""), {})[run.seed] = best
    return [
        {
            "cell": run.cell,
            "learning_rate": run.learning_rate,
            "settings": {"model.pooling": run.pooling, "train.epsilon": run.epsilon},
            "seeds": {seed: round(best.accuracy, 4) for seed, best in seeds.items()},
            "epochs": {seed: best.epoch for seed, best in seeds.items()},
            "mean": round(float(np.mean([round(best.accuracy, 4) for best in seeds.values()])), 5),
        }
        for run, seeds in candidates.items()
    ]


def chosen(table: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the settings and each cell's learning rate that do best, given the rows of all candidates.

    Both cells get the settings under which the sum of their best means is highest. Of equals, the first.
    """

    def best(cell: str, settings: Mapping[str, Any]) -> dict[str, Any]:
        own = [row for row in table if row["cell"] == cell and row["settings"] == settings]
        return max(own, key=lambda row: row["mean"])

    def total(settings: Mapping[str, Any]) -> float:
        return round(sum(best(cell, settings)["mean"] for cell in CELLS), 5)  # equals are equal

    settings = max((row["settings"] for row in table), key=total)
    rates = {cell: best(cell, settings)["learning_rate"] for cell in CELLS}
    return {"settings": settings, "learning_rates": rates}


def common_settings(settings: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the settings that are not searched, given each run's; raise `StageError` where two differ."""
    common: dict[str, tuple[str, dict[str, Any]]] = {}  # block → the first run that has it, and its settings
    for name, each in settings.items():
        for part, own in not_searched(each).items():
            first, one = common.setdefault(part, (name, own))
            for setting, (mine, theirs) in differing(one, own, f"{part}.").items():
                raise StageError(
                    f"{first} and {name} cannot be compared: {setting} is {mine} and {theirs}; "
                    "`dvc repro stages/search/dvc.yaml` trains what is out of date"
                )
    return {part: own for part, (_, own) in common.items()}


def not_searched(settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return a run's settings without those that are searched."""
    kept = {part: dict(own) for part, own in settings.items()}
    del kept["model"]["pooling"], kept["train"]["epsilon"]
    for cell in kept.keys() & set(CELLS):
        del kept[cell]["learning_rate"]
    return kept


if __name__ == "__main__":
    stage_main(choose)
