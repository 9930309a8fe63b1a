"""Stage `tabulate_notebook`: what the notebook in plain Keras reaches, and whether this pipeline agrees."""

import re
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
from scipy.stats import t

from stages.params.study import load_params
from stages.publishing.notebook import printed, with_text
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
LINE = re.compile(
    r"^(RNN|LSTM), (as published|put right): ([\d.]+) % of the test reviews right$", re.MULTILINE
)

FOUND = """## What the study found

{table}

Test accuracy, mean ± standard deviation over seeds. `{recipe}` has the published settings, with a genuine
LSTM. [The report](report.md) goes on: what explains the gap, how certain it is, and what tuning adds.

## How this notebook was made

A stage of the pipeline ran it, on the same reviews in another order than Keras'. {agreement} The pipeline's
models differ from these in which train reviews validate, in the order of the reviews and in the random
numbers that they start from; their gradients are computed in another way, which changes rounding alone.
"""


def tabulate_notebook() -> None:
    """Write the notebook to reports/, with what the study found at its end, and its figures as a table."""
    params = load_params()
    recipe, seeds = params.published.recipe, params.seeds
    try:
        made = nbformat.reads(load_text(EXECUTED), as_version=4)
    except (nbformat.reader.NotJSONError, nbformat.ValidationError) as error:
        raise damaged(EXECUTED, error) from None
    lines = LINE.findall(printed(made))
    accuracies = {f"{cell.lower()}, {what}": float(number) / 100 for cell, what, number in lines}
    compared = {}
    if recipe in params.recipes:
        for cell in ("rnn", "lstm"):
            own = [load_json(RUNS / f"{recipe}-{seed}.json")[cell]["test"]["accuracy"] for seed in seeds]
            compared[cell] = beside(accuracies[f"{cell}, as published"], own)
    write_atomically(TABLE, json_text({"accuracies": accuracies, "compared": compared}))
    table = load_text(REPORTS / "results.md").strip()
    found = FOUND.format(table=table, recipe=recipe, agreement=agreement(compared))
    write_atomically(NOTEBOOK, nbformat.writes(with_text(made, found)) + "\n")
    print(f"tabulate_notebook: {NOTEBOOK}: {agreement(compared)}")


def beside(accuracy: float, own: list[float]) -> dict[str, Any]:
    """Return an accuracy beside those of the pipeline's seeds, and where they let expect one more to lie.

    The 95 % prediction interval, of Student's t; None with a single seed.
    """
    interval = None
    if len(own) > 1:
        spread = np.std(own, ddof=1) * np.sqrt(1 + 1 / len(own)) * t.ppf(0.975, len(own) - 1)
        interval = [round(float(np.mean(own) + sign * spread), 4) for sign in (-1, 1)]
    return {"accuracy": accuracy, "seeds": own, "prediction_interval": interval}


def agreement(compared: dict[str, Any]) -> str:
    """Say where the first two accuracies lie, given what `beside` returns for each cell."""
    said = []
    for cell, each in compared.items():
        if each["prediction_interval"]:
            low, high = each["prediction_interval"]
            inside = "inside" if low <= each["accuracy"] <= high else "outside"
            own = f"{100 * each['accuracy']:.1f} % lie {inside} {100 * low:.1f} to {100 * high:.1f} %"
            said.append(f"the {cell.upper()}'s {own}")
    if not said:
        return "The pipeline has no runs of these settings, or one seed, to compare it with."
    return f"As published, {' and '.join(said)}: where the pipeline's seeds let expect one more run, at 95 %."


if __name__ == "__main__":
    stage_main(tabulate_notebook)
