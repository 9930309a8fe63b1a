"""Stage `tabulate_ablation`: what every variant of a recipe reached, in one file."""

from itertools import product
from pathlib import Path

from stages.params.recipe import CELLS, changed
from stages.params.study import load_params
from stages.runtime.command_line import stage_main
from stages.runtime.files import delete_others, json_text, load_padded, write_atomically
from stages.scoring.checks import checked_provenance
from stages.scoring.variants import reached

FOLDER = Path("data/ablation")


def tabulate_ablation() -> None:
    """Write what each variant, cell and seed reached on validation and test reviews."""
    params = load_params()
    study, recipe = params.ablation, params.blocks[params.ablation.recipe]
    runs = {
        FOLDER / "runs" / f"{variant.name}-{cell}-{seed}": (variant, cell, seed)
        for variant, cell, seed in product(study.variants, CELLS, study.seeds)
    }
    settings = {
        run: changed(study.recipe, recipe, variant.changes()).settings(cell)
        for run, (variant, cell, _) in runs.items()
    }
    provenance = checked_provenance(settings)
    labels = load_padded(study.recipe)["test"].labels
    table = {
        "recipe": study.recipe,
        "settings": recipe.model_dump(mode="json"),
        "variants": [variant.model_dump() for variant in study.variants],
        "rows": [
            {
                "variant": variant.name,
                "cell": cell,
                "seed": seed,
                "learning_rate": settings[run][cell]["learning_rate"],
                **reached(run, labels),
            }
            for run, (variant, cell, seed) in runs.items()
        ],
        "provenance": provenance,
    }
    write_atomically(FOLDER / "table.json", json_text(table))
    delete_others(FOLDER / "runs", runs)


if __name__ == "__main__":
    stage_main(tabulate_ablation)
