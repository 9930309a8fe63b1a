"""What the studies of variants write under reports/, made up."""

from itertools import product
from typing import Any

from stages.params.recipe import CELLS
from stages.params.study import Params
from tests.examples import CODE


def made_up_ablation(params: Params, worth: dict[str, tuple[float, float]]) -> dict[str, Any]:
    """What `make ablation` would write of a recipe with test accuracies 0.8 and 0.9.

    worth: variant → what RNN and LSTM lose without it or gain with it; seed 1 0.01 more than seed 0.
    """
    study, block = params.ablation, params.blocks[params.ablation.recipe]
    rows = [
        {
            "variant": variant.name,
            "cell": cell,
            "seed": seed,
            "learning_rate": getattr(variant, cell),
            "kept_epoch": 2,
            "validation_accuracy": 0.7,
            "test_accuracy": accuracy + (gain + 0.01 * seed) * (1 if variant.kind == "with" else -1),
        }
        for variant in study.variants
        for cell, accuracy, gain in zip(CELLS, (0.8, 0.9), worth[variant.name], strict=True)
        for seed in study.seeds
    ]
    return {
        "recipe": study.recipe,
        "settings": block.model_dump(mode="json"),
        "variants": [variant.model_dump() for variant in study.variants],
        "rows": rows,
        "provenance": {"code": CODE},
    }


def made_up_pilot(params: Params, chosen: dict[str, dict[str, float]]) -> dict[str, Any]:
    """What `make ablation_rates` would write, had it found these rates: variant → cell → learning rate."""
    study, pilot = params.ablation, params.ablation_rates
    rows = [
        {
            "variant": variant.name,
            "cell": each.cell,
            "learning_rate": each.learning_rate,
            "validation_accuracy": 0.7,
        }
        for variant, each in product(study.variants, pilot.tried)
    ]
    return {
        "recipe": study.recipe,
        "seed": pilot.seed,
        "margin": pilot.margin,
        "settings": params.blocks[study.recipe].model_dump(mode="json"),
        "variants": [{"name": each.name, "settings": each.settings} for each in study.variants],
        "rows": rows,
        "chosen": chosen,
        "provenance": {"code": CODE},
    }


def made_up_ladder(params: Params, reached: dict[str, tuple[float, float]]) -> dict[str, Any]:
    """What `make ladder` would write; reached: step → test accuracy of RNN and LSTM with every seed."""
    ladder = params.ladder
    ends = {"first": ladder.first, "last": ladder.last}
    return {
        **ends,
        "settings": {which: params.blocks[name].model_dump(mode="json") for which, name in ends.items()},
        "steps": [step.model_dump(mode="json") for step in ladder.steps],
        "rows": [
            {
                "step": step.name,
                "cell": cell,
                "seed": seed,
                "learning_rate": 0.001,
                "kept_epoch": 2,
                "validation_accuracy": 0.7,
                "test_accuracy": accuracy,
            }
            for step in ladder.steps
            for cell, accuracy in zip(CELLS, reached[step.name], strict=True)
            for seed in ladder.seeds
        ],
        "provenance": {"code": CODE},
    }
