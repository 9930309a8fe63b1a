"""What does each cell cost? Weights, multiply-adds, and times that the benchmark measured."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from stages.params.recipe import CELLS
from stages.reporting.comparison import Result
from stages.reporting.formatting import LABELS

STEP = {"batch": 32, "length": 200, "threads": 1}  # the benchmark's training step that is shown
MATRICES = {"rnn": 1, "lstm": 4}  # products per token, one for each gate and the candidate


class CellCost(TypedDict):
    """Weights of the cell and of the model, and multiply-adds for one answer to a review of full length."""

    cell_weights: int
    weights: int
    multiply_adds: int


@dataclass(frozen=True)
class Row:
    """A cell's costs and times, in milliseconds."""

    label: str
    cost: CellCost
    step: float
    answers: float


@dataclass(frozen=True)
class Costs:
    """Both cells' costs, and the LSTM's as multiples of the RNN's."""

    recipe: str
    rows: list[Row]
    weights_ratio: float
    step_ratio: float
    answers_ratio: float
    processor: str
    timed_length: int
    timed_batch: int


def costs_section(benchmark: Mapping[str, Any], headline: Result) -> Costs:
    """Return the section; benchmark: reports/benchmark.json."""
    cost = cell_costs(headline)
    steps = {
        row["cell"]: row["milliseconds"]["fused"]
        for row in benchmark["steps"]
        if all(row[name] == value for name, value in STEP.items())
    }
    answers = {cell: benchmark["answers"][cell]["fused"] for cell in CELLS}
    return Costs(
        headline.name,
        [Row(LABELS[cell], cost[cell], steps[cell], answers[cell]) for cell in CELLS],
        cost["lstm"]["cell_weights"] / cost["rnn"]["cell_weights"],
        steps["lstm"] / steps["rnn"],
        answers["lstm"] / answers["rnn"],
        benchmark["machine"]["processor"],
        STEP["length"],
        STEP["batch"],
    )


def cell_costs(result: Result) -> dict[str, CellCost]:
    """Return cell → costs, of a recipe.

    Per token: [h,x] times W, four times as wide for the LSTM; then the last state times the output's
    weights. Looking up an embedding multiplies nothing; what the gates do elementwise is not counted.
    """
    model, maxlen = result.settings["model"], result.settings["pad"]["maxlen"]
    run, units = next(iter(result.seeds.values())), model["units"]
    return {
        cell: {
            "cell_weights": run[cell]["cell_weights"],
            "weights": run[cell]["weights"],
            "multiply_adds": maxlen * (model["embedding_dim"] + units) * units * MATRICES[cell] + units,
        }
        for cell in CELLS
    }
