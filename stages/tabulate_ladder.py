"""Stage `tabulate_ladder`: what both cells reach after each step from one recipe to another, in one file."""

from itertools import product
from pathlib import Path

from stages.params.ladder import settings_after
from stages.params.recipe import CELLS, changed
from stages.params.study import load_params
from stages.runtime.command_line import stage_main
from stages.runtime.files import delete_others, json_text, load_padded, write_atomically
from stages.scoring.checks import checked_provenance
from stages.scoring.variants import rows

FOLDER = Path("data/ladder")


def tabulate_ladder() -> None:
    """Write what each step, cell and seed reached on validation and test reviews."""
    params = load_params()
    ladder = params.ladder
    first, last = params.blocks[ladder.first], params.blocks[ladder.last]
    runs = {
        FOLDER / "runs" / f"{step.name}-{cell}-{seed}": (step.name, cell, seed)
        for step, cell, seed in product(ladder.steps, CELLS, ladder.seeds)
    }
    settings = {
        run: changed(ladder.first, first, settings_after(ladder, step, first, last)).settings(cell)
        for run, (step, cell, _) in runs.items()
    }
    provenance = checked_provenance(settings)
    labels = load_padded(ladder.last)["test"].labels
    table = {
        "first": ladder.first,
        "last": ladder.last,
        "settings": {"first": first.model_dump(mode="json"), "last": last.model_dump(mode="json")},
        "steps": [step.model_dump(mode="json") for step in ladder.steps],
        "rows": rows("step", runs, settings, labels),
        "provenance": provenance,
    }
    write_atomically(FOLDER / "table.json", json_text(table))
    delete_others(FOLDER / "runs", runs)


if __name__ == "__main__":
    stage_main(tabulate_ladder)
