"""Stage `evaluate`: the comparison over all recipes and seeds, as numbers, curves, figures and a report.

Works on the small files that other stages wrote under reports/, without models or reviews.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from stages.params.study import Params, load_params
from stages.reporting import tables
from stages.reporting.rendering import render
from stages.reporting.report import Inputs, Report, build_report, draw
from stages.reporting.sections.costs import cell_costs
from stages.runtime.command_line import stage_main
from stages.runtime.files import (
    REPORTS,
    RUNS,
    delete_others,
    json_text,
    load_json,
    write_atomically,
    write_folder,
)

TEXTS = ("model_card.md", "report.md", "results.md")


def evaluate() -> None:
    """Compare the cells over all recipes and seeds, and write everything under reports/."""
    params = load_params()
    inputs = load_inputs(params)
    report = build_report(params, inputs)
    texts = {name: render(name, **report._asdict()) for name in TEXTS} | json_texts(report)
    write_tables(REPORTS / "learning_curves", tables.learning_curves(inputs.runs))
    write_tables(REPORTS / "roc", tables.roc_curves(inputs.runs))
    write_figures(REPORTS / "figures", draw(inputs, report))
    for name, text in texts.items():
        write_atomically(REPORTS / name, text)
    number = 2 * len(params.recipes) * len(params.seeds)
    print(f"evaluate: {number} runs compared in {REPORTS}/report.md")


def load_inputs(params: Params) -> Inputs:
    """Return what other stages wrote, for the recipes and seeds that `params` names."""
    runs = load_all(RUNS, [f"{recipe}-{seed}" for recipe in params.recipes for seed in params.seeds])
    names = (
        "audit",
        "bag_of_words",
        "benchmark",
        "best_rates",
        "ablation",
        "ablation_rates",
        "delayed_recall",
        "ladder",
        "learning_rates",
        "released",
        "search",
        "whole_reviews",
    )
    return Inputs(
        runs={recipe: {seed: runs[f"{recipe}-{seed}"] for seed in params.seeds} for recipe in params.recipes},
        inspection=load_all(REPORTS / "inspection", params.recipes),
        **{name: load_json(REPORTS / f"{name}.json") for name in names},
    )


def load_all(folder: Path, names: Collection[Any]) -> dict[Any, Any]:
    """Return what a stage wrote as `folder`/NAME.json for each of `names`, and delete what else is there."""
    files = {name: folder / f"{name}.json" for name in names}
    found = {name: load_json(file) for name, file in files.items()}
    delete_others(folder, files.values())
    return found


def json_texts(report: Report) -> dict[str, str]:
    """Return the name and the text of each JSON file: means for `dvc metrics diff`, intervals, costs."""
    every = report.every_result
    return {
        "metrics.json": json_text(tables.metrics(every)),
        "comparison.json": json_text({name: result.as_json() for name, result in every.items()}),
        "costs.json": json_text({name: cell_costs(result) for name, result in report.results.items()}),
    }


def write_tables(path: Path, frames: Mapping[str, pd.DataFrame]) -> None:
    """Write each table to the folder `path` as NAME.csv."""
    with write_folder(path) as folder:
        for name, frame in frames.items():
            frame.to_csv(folder / f"{name}.csv", index=False, float_format="%.4f", lineterminator="\n")


def write_figures(path: Path, figures: Mapping[str, Figure]) -> None:
    """Write each figure to the folder `path` as NAME.png."""
    with write_folder(path) as folder:
        for name, figure in figures.items():
            # No software version or date in the file: the same figures give the same bytes.
            figure.savefig(folder / f"{name}.png", metadata={"Software": None})


if __name__ == "__main__":
    stage_main(evaluate)
