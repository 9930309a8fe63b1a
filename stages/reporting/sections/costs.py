"""What does each cell cost? Weights, multiply-adds, and times that the benchmark measured."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from stages.params.recipe import CELLS
from stages.reporting.comparison import Result

MATRICES = {"rnn": 1, "lstm": 4}  # products per token, one for each gate and the candidate


class Costs(NamedTuple):
    """Both cells' costs, and the LSTM's as multiples of the RNN's."""

    cells: dict[str, dict[str, int]]
    step: dict[str, float]  # cell → milliseconds
    answers: dict[str, float]  # cell → milliseconds for 1,000 reviews
    weights_ratio: float
    step_ratio: float
    answers_ratio: float
    timed: Mapping[str, int]  # batch, length and threads of that step


def costs_section(benchmark: Mapping[str, Any], headline: Result) -> Costs:
    """Return the section; benchmark: reports/benchmark.json."""
    cells = cell_costs(headline)
    timed = {name: benchmark["same_allocator"][0][name] for name in ("batch", "length", "threads")}
    rows = [row for row in benchmark["steps"] if row.items() >= timed.items()]
    step = {row["cell"]: row["milliseconds"]["fused"] for row in rows}
    answers = {cell: benchmark["answers"][cell]["fused"] for cell in CELLS}
    return Costs(
        cells,
        step,
        answers,
        cells["lstm"]["cell_weights"] / cells["rnn"]["cell_weights"],
        step["lstm"] / step["rnn"],
        answers["lstm"] / answers["rnn"],
        timed,
    )


def cell_costs(result: Result) -> dict[str, dict[str, int]]:
    """Return cell → `cell_weights`, `weights`, and `multiply_adds` for one answer to a review of full length.

    Per token: [h,x] times W, four times as wide for the LSTM; then the last state times the output's
    weights. Looking up an embedding multiplies nothing; what the gates do elementwise is not counted.
    """
    model, maxlen = result.settings["model"], result.settings["pad"]["maxlen"]
    width, units = model["embedding_dim"] + model["units"], model["units"]
    return {
        cell: {
            "cell_weights": result.run[cell]["cell_weights"],
            "weights": result.run[cell]["weights"],
            "multiply_adds": maxlen * width * units * MATRICES[cell] + units,
        }
        for cell in CELLS
    }
