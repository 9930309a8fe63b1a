"""Stage `tabulate_delayed_recall`: all runs of delayed recall in one file, and each start's learning rate."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from stages.networks.provenance import FILE, check_current
from stages.params.delayed_recall import STARTS, DelayedRecall, load_delayed_recall
from stages.runtime.command_line import stage_main
from stages.runtime.errors import StageError
from stages.runtime.files import DELAYED_RECALL, delete_others, json_text, load_json, write_atomically
from stages.scoring.provenance import common_provenance

RUNS = DELAYED_RECALL / "runs"


class Run(NamedTuple):
    """What tells a run of the grid from the others."""

    start: str
    learning_rate: float
    seed: int


def tabulate_delayed_recall() -> None:
    """Write what every run of the grid answered, and the learning rate that suits each start best."""
    settings = load_delayed_recall()
    folders, results = {}, {}
    for file in sorted(RUNS.glob("*/results.json")):
        result = load_json(file)
        run = Run(result["start"], result["learning_rate"], result["seed"])
        folders[run], results[run] = file.parent, result
    runs = grid(settings)
    if missing := [run for run in runs if run not in folders]:
        raise StageError(
            f"{RUNS} lacks {len(missing)} of the grid's {len(runs)} runs, such as "
            f"{' '.join(map(str, missing[0]))}: `dvc repro stages/delayed_recall/dvc.yaml` trains them"
        )
    made = {str(folders[run]): load_json(folders[run] / FILE) for run in runs}
    for name, each in made.items():
        check_current(name, each, settings.shaping())
    rows = [results[run] for run in runs]
    means = tried(rows)
    best = chosen(means)
    table = {
        "rows": rows,
        "tried": means,
        "chosen": best,
        "settings": settings.shaping(),
        "provenance": common_provenance(made),
    }
    write_atomically(DELAYED_RECALL / "table.json", json_text(table))
    delete_others(RUNS, [folders[run] for run in runs])
    rates = ", ".join(f"{start} {rate:g}" for start, rate in best.items())
    print(f"tabulate_delayed_recall: best learning rates on validation sequences: {rates}")


def grid(settings: DelayedRecall) -> list[Run]:
    """Return all runs of the grid: the same learning rates and seeds for every start."""
    return [Run(*each) for each in product(STARTS, settings.learning_rate, settings.seeds)]


def tried(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a row per start and learning rate: the validation accuracy that its runs kept.

    It is that of the kept epochs, the mean over seeds and delays. rows: a run's results in each.
    """
    accuracies: dict[tuple[str, float], list[float]] = {}
    for row in rows:
        kept = [each["validation_accuracy"][each["kept_epoch"] - 1] for each in row["delays"]]
        accuracies.setdefault((row["start"], row["learning_rate"]), []).extend(kept)
    return [
        {"start": start, "learning_rate": rate, "validation_accuracy": round(float(np.mean(each)), 5)}
        for (start, rate), each in accuracies.items()
    ]


def chosen(means: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return start → the learning rate of highest validation accuracy, of equals the first.

    means: of `tried`.
    """
    return {
        start: max(
            (row for row in means if row["start"] == start), key=lambda row: row["validation_accuracy"]
        )["learning_rate"]
        for start in STARTS
    }


if __name__ == "__main__":
    stage_main(tabulate_delayed_recall)
