"""Stage `tabulate_ablation_rates`: which learning rate each variant of the ablation should have."""

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from stages.params.recipe import CELLS, changed
from stages.params.study import load_params
from stages.runtime.command_line import stage_main
from stages.runtime.errors import StageError
from stages.runtime.files import delete_others, json_text, write_atomically
from stages.scoring.checks import checked_provenance
from stages.scoring.histories import kept_accuracy

FOLDER = Path("data/ablation_rates")


def tabulate_ablation_rates() -> None:
    """Write what each variant reaches on validation reviews with each rate, and which rate it should have."""
    params = load_params()
    study, pilot = params.ablation, params.ablation_rates
    recipe = params.blocks[study.recipe]
    own = {cell: recipe.own(cell).learning_rate for cell in CELLS}
    for cell, rate in own.items():
        rates = [each.learning_rate for each in pilot.tried if each.cell == cell]
        if rate not in rates:
            raise StageError(
                f"ablation_rates.tried has {', '.join(map(str, rates)) or 'nothing'} for {cell}: "
                f"should include {rate}, the learning rate of recipe {study.recipe!r}"
            )
    runs = {
        FOLDER / "runs" / f"{variant.name}-{each.cell}-{each.learning_rate}": (variant, each)
        for variant, each in product(study.variants, pilot.tried)
    }
    settings = {
        run: changed(study.recipe, recipe, variant.changes(**{each.cell: each.learning_rate})).settings(
            each.cell
        )
        for run, (variant, each) in runs.items()
    }
    provenance = checked_provenance(settings)
    rows = [
        {
            "variant": variant.name,
            "cell": each.cell,
            "learning_rate": each.learning_rate,
            "validation_accuracy": kept_accuracy(run),
        }
        for run, (variant, each) in runs.items()
    ]
    table = {
        "recipe": study.recipe,
        "seed": pilot.seed,
        "margin": pilot.margin,
        "settings": recipe.model_dump(mode="json"),
        "variants": [variant.model_dump(include={"name", "settings"}) for variant in study.variants],
        "rows": rows,
        "chosen": chosen(rows, own, pilot.margin),
        "provenance": provenance,
    }
    write_atomically(FOLDER / "table.json", json_text(table))
    delete_others(FOLDER / "runs", runs)


def chosen(
    rows: Sequence[Mapping[str, Any]], own: Mapping[str, float], margin: float
) -> dict[str, dict[str, float]]:
    """Return variant → cell → the learning rate that it should have.

    That is the recipe's, `own`, unless the best is ahead of it by more than `margin` percentage points.
    """
    accuracies: dict[str, dict[str, dict[float, float]]] = {}
    for row in rows:
        cells = accuracies.setdefault(row["variant"], {})
        cells.setdefault(row["cell"], {})[row["learning_rate"]] = row["validation_accuracy"]
    result: dict[str, dict[str, float]] = {}
    for variant, cells in accuracies.items():
        result[variant] = {}
        for cell, reached in cells.items():
            best = max(reached, key=lambda rate: reached[rate])
            gain = round(100 * (reached[best] - reached[own[cell]]), 4)  # as few digits as accuracies have
            result[variant][cell] = best if gain > margin else own[cell]
    return result


if __name__ == "__main__":
    stage_main(tabulate_ablation_rates)
