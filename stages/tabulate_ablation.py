"""Stage `tabulate_ablation`: what every variant of a recipe reached, in one file."""

from itertools import product
from pathlib import Path

from stages.params.recipe import CELLS, changed
from stages.params.study import load_params
from stages.runtime.command_line import stage_main
from stages.runtime.files import delete_others, json_text, load_padded, write_atomically
from stages.scoring.checks import checked_provenance
from stages.scoring.variants import rows

FOLDER = Path("data/ablation")


def tabulate_ablation() -> None:
    """Write what each variant, cell and seed reached on validation and test reviews."""
    params = load_params()
    study, recipe = params.ablation, params.blocks[params.ablation.recipe]
    changes = {variant.name: variant.changes() for variant in study.variants}
    runs = {
        FOLDER / "runs" / f"{variant}-{cell}-{seed}": (variant, cell, seed)
        for variant, cell, seed in product(changes, CELLS, study.seeds)
    }
    settings = {
        run: changed(study.recipe, recipe, changes[variant]).settings(cell)
        for run, (variant, cell, _) in runs.items()
    }
    provenance = checked_provenance(settings)
    labels = load_padded(study.recipe)["test"].labels
    table = {
        "recipe": study.recipe,
        "settings": recipe.model_dump(mode="json"),
        "variants": [variant.model_dump() for variant in study.variants],
        "rows": rows("variant", runs, settings, labels),
        "provenance": provenance,
    }
    write_atomically(FOLDER / "table.json", json_text(table))
    delete_others(FOLDER / "runs", runs)


if __name__ == "__main__":
    stage_main(tabulate_ablation)
