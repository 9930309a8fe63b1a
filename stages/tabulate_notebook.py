"""Stage `tabulate_notebook`: what the notebook in plain Keras reaches, and whether this pipeline agrees."""

import re
from pathlib import Path
from typing import Any

import nbformat
import numpy as np

from stages.params.study import Params, load_params
from stages.publishing.notebook import printed, with_text
from stages.reporting.statistics import prediction_interval
from stages.runtime.command_line import stage_main
from stages.runtime.files import (
    REPORTS,
    RUNS,
    damaged,
    json_text,
    load_json,
    load_text,
    write_atomically,
)

EXECUTED = Path("data/keras_notebook/executed.ipynb")
TABLE = Path("data/keras_notebook/table.json")
NOTEBOOK = REPORTS / "keras_notebook.ipynb"
RATES = (REPORTS / "learning_rates.json", REPORTS / "best_rates.json")
LINE = re.compile(r"^((?:RNN|LSTM), .*): ([\d.]+) % of the test reviews right$", re.MULTILINE)
# What the notebook trains: the published settings, but for the cell, the padding and the learning rate.
TRAININGS = {
    "RNN, published settings": ("rnn", "post", 0.001),
    "LSTM, published settings": ("lstm", "post", 0.001),
    "RNN, zeros before the text": ("rnn", "pre", 0.001),
    "RNN, lower learning rate": ("rnn", "post", 0.0001),
    "RNN, both": ("rnn", "pre", 0.0001),
}

FOUND = """## What the study found

{table}

Test accuracy, mean ± standard deviation over seeds. [The report](report.md) says what the recipes are, what
explains the gap, how certain it is, and what tuning adds.

## Does this notebook agree with the study?

A stage of the pipeline ran it, on the same reviews in another order than Keras'. {agreement}

{comparison}
The pipeline's models differ from these in which train reviews validate, in the order of the reviews and in
the random numbers that they start from. Their gradients are computed in another way, which changes rounding
alone. The interval supposes that accuracies vary as a normal distribution does. Where one seed learns within
the five epochs and another does not, they vary more, and a few seeds may all have learned.
"""
HEAD = """| test accuracy | here | pipeline, seed {seed} | its mean | of seeds | 95 % prediction interval |
| --- | ---: | ---: | ---: | ---: | ---: |
"""


def tabulate_notebook() -> None:
    """Write the notebook to reports/, with what the study found at its end, and its figures as a table."""
    params = load_params()
    try:
        made = nbformat.reads(load_text(EXECUTED), as_version=4)
    except (nbformat.reader.NotJSONError, nbformat.ValidationError) as error:
        raise damaged(EXECUTED, error) from None
    accuracies = {name: float(percent) / 100 for name, percent in LINE.findall(printed(made))}
    compared = {
        name: beside(accuracies[name], own)
        for name, training in TRAININGS.items()
        if len(own := pipeline_runs(params, *training)) > 1
    }
    write_atomically(TABLE, json_text({"accuracies": accuracies, "compared": compared}))
    found = FOUND.format(
        table=load_text(REPORTS / "results.md").strip(),
        agreement=agreement(compared),
        comparison=comparison(compared, params.seeds[0]) if compared else "",
    )
    write_atomically(NOTEBOOK, nbformat.writes(with_text(made, found)) + "\n")
    print(f"tabulate_notebook: {NOTEBOOK}: {agreement(compared)}")


def pipeline_runs(params: Params, cell: str, padding: str, rate: float) -> list[float]:
    """Return the test accuracies of the pipeline's runs with the same settings, a seed each.

    They are those of a recipe, and of learning rates that were tried with one.
    """

    def settings(recipe: str) -> dict[str, Any]:
        return params.blocks[recipe].settings(cell)

    wanted = settings(params.published.recipe)
    wanted["pad"]["padding"], wanted[cell]["learning_rate"] = padding, rate
    found = {
        run["seed"]: run["test_accuracy"]
        for table in RATES
        for run in load_json(table).get("runs", [])
        if (run["cell"], run["learning_rate"]) == (cell, rate)
        and settings(run["recipe"]) | {cell: wanted[cell]} == wanted
    }
    for recipe in params.recipes:
        if settings(recipe) == wanted:
            for seed in params.seeds:
                found[seed] = load_json(RUNS / f"{recipe}-{seed}.json")[cell]["test"]["accuracy"]
    return [found[seed] for seed in sorted(found)]


def beside(accuracy: float, own: list[float]) -> dict[str, Any]:
    """Return an accuracy beside the pipeline's, at least two, and their prediction interval for one more."""
    return {"accuracy": accuracy, "seeds": own, "prediction_interval": prediction_interval(own)}


def agreement(compared: dict[str, Any]) -> str:
    """Say which accuracies lie outside their prediction interval, given what `beside` returns for each."""
    if not compared:
        return "The pipeline has too few runs of these settings to compare it with."
    outside = [
        name
        for name, each in compared.items()
        if not each["prediction_interval"][0] <= each["accuracy"] <= each["prediction_interval"][1]
    ]
    inside = f"{len(compared) - len(outside)} of {len(compared)} accuracies lie inside"
    lie = f"; outside: {'; '.join(outside)}. A single run does not tell why." if outside else "."
    return f"{inside} the 95 % prediction interval for one more run of the pipeline{lie}"


def comparison(compared: dict[str, Any], seed: int) -> str:
    """Return the table of the accuracies beside the pipeline's; seed: the first."""
    rows = [
        f"| {name} | {each['accuracy']:.1%} | {each['seeds'][0]:.1%} | {np.mean(each['seeds']):.1%} | "
        f"{len(each['seeds'])} | "
        f"{each['prediction_interval'][0]:.1%} to {each['prediction_interval'][1]:.1%} |\n"
        for name, each in compared.items()
    ]
    return HEAD.format(seed=seed) + "".join(rows).replace("%", " %")


if __name__ == "__main__":
    stage_main(tabulate_notebook)
