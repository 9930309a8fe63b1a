"""Stage `tabulate_best_rates`: what both cells reach with their best learning rates, in one file."""

from itertools import product
from pathlib import Path

from stages.params.recipe import CELLS
from stages.params.study import load_params
from stages.runtime.command_line import stage_main
from stages.runtime.files import delete_others, json_text, write_atomically
from stages.scoring.rates import Run, rates_table

FOLDER = Path("data/best_rates")


def tabulate_best_rates() -> None:
    """Write what every run reached on validation and test reviews."""
    params = load_params()
    study = params.best_rates
    runs = {
        FOLDER / "runs" / f"{rates.recipe}-{cell}-{seed}": Run(rates.recipe, cell, rates.of(cell), seed)
        for rates, cell, seed in product(study.rates, CELLS, study.seeds)
    }
    write_atomically(FOLDER / "table.json", json_text(rates_table(runs, params.blocks)))
    delete_others(FOLDER / "runs", runs)


if __name__ == "__main__":
    stage_main(tabulate_best_rates)
