"""Stage `tabulate_learning_rates`: what both cells reach with each learning rate, in one file."""

from itertools import product
from pathlib import Path

from stages.params.recipe import CELLS
from stages.params.study import load_params
from stages.runtime.command_line import stage_main
from stages.runtime.files import delete_others, json_text, write_atomically
from stages.scoring.rates import Run, rates_table

FOLDER = Path("data/learning_rates")


def tabulate_learning_rates() -> None:
    """Write what every run reached on validation and test reviews."""
    params = load_params()
    study = params.learning_rates
    grid = [Run(*each) for each in product(study.recipes, CELLS, study.learning_rate, study.seeds)]
    runs = {FOLDER / "runs" / "-".join(map(str, run)): run for run in grid}
    write_atomically(FOLDER / "table.json", json_text(rates_table(runs, params.blocks)))
    delete_others(FOLDER / "runs", runs)


if __name__ == "__main__":
    stage_main(tabulate_learning_rates)
