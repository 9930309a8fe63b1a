"""How fast training is: stock Keras, PyTorch and this pipeline on the same batches, in one run.

Writes reports/benchmark.json, .md and .png. Times are medians of repeats in which all
take turns, each in a process of its own, so that what else the machine does falls on all of them; only ratios
mean something elsewhere. Needs `data/raw`, PyTorch, two cores and 16 GB.
"""

import importlib.util
import json
from collections.abc import Mapping
from typing import Any

from stages.benchmarking.dvc_costs import measure_dvc
from stages.benchmarking.processes import usable_cores
from stages.benchmarking.timing import THREADS, load_reviews, measure, measure_fresh
from stages.params.study import load_params
from stages.runtime.command_line import Parser, protocol
from stages.runtime.errors import StageError
from stages.runtime.files import REPORTS, json_text, load_json, write_atomically, write_file


def benchmark() -> dict[str, Any]:
    """Return what was measured, as reports/benchmark.json has it."""
    if importlib.util.find_spec("torch") is None:
        raise StageError("PyTorch is not installed: `make bench` installs it, or pip install torch==2.13.0")
    if len(usable_cores()) < THREADS[-1]:
        raise StageError(f"{THREADS[-1]} cores are needed")
    params = load_params()
    recipe = params.blocks[params.published.recipe]  # which Keras and PyTorch can do, too
    reviews = load_reviews(recipe)
    beside = {"dvc": measure_dvc(), "fresh_process": measure_fresh(recipe, reviews)}
    times = measure(recipe, reviews)

    # Imported here: not for the processes that are timed, which import this file.
    from stages.benchmarking.summary import Measured

    return Measured(times, recipe, reviews).summary() | beside


def write(measured: Mapping[str, Any]) -> None:
    """Write the reports."""
    # Imported here: not for the processes that are timed, which import this file.
    from stages.benchmarking.speed import speed_figure, speed_text

    text = json_text(measured)
    measured = json.loads(text)  # in its order, as `stages.tools.stale` reads it
    texts = {"benchmark.md": speed_text(measured), "benchmark.json": text}
    with write_file(REPORTS / "benchmark.png") as draft:
        speed_figure(measured).savefig(draft, format="png", metadata={"Software": None})
    for file, text in texts.items():
        write_atomically(REPORTS / file, text)
    print(f"benchmark: written to {REPORTS}/benchmark.md")


def main() -> None:
    """Run the benchmark; exit as a stage does."""
    parser = Parser(prog="python -m stages.tools.benchmark", description=__doc__)
    parser.add_argument(
        "--render", action="store_true", help="time nothing, write what reports/benchmark.json has"
    )
    arguments = parser.parse_args()
    with protocol("benchmark"):
        write(load_json(REPORTS / "benchmark.json") if arguments.render else benchmark())


if __name__ == "__main__":
    main()
