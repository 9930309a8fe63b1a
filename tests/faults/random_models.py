"""Tiny models with random weights, as if they had been trained."""

from pathlib import Path

import numpy as np

from stages.params.recipe import Recipe, load_recipe
from tests.examples import PARAMS

_RECIPE = load_recipe("tuned", PARAMS)
TINY: Recipe = _RECIPE.model_copy(
    update={
        "pad": _RECIPE.pad.model_copy(update={"num_words": 8, "maxlen": 6}),
        "model": _RECIPE.model.model_copy(update={"units": 3, "embedding_dim": 2}),
    }
)


def save_random(path: Path, cell: str, num_words: int = TINY.pad.num_words) -> None:
    """Save a model of TINY, or one of another number of words."""
    from stages.networks.models import build_model, save_model  # TensorFlow takes seconds

    model = build_model(cell, num_words, TINY.model)
    random = np.random.default_rng(0)
    model.set_weights([random.normal(size=weights.shape) for weights in model.get_weights()])
    save_model(model, path)
