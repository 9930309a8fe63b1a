"""Stage `train_variant`: one run of a recipe with some settings changed, for a side study."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from stages import StageError
from stages.params.recipe import CELLS, Recipe, changed, load_recipe
from stages.runtime.command_line import stage_main
from stages.runtime.files import WORD_VECTORS, load_array, load_padded


def train_variant(recipe: str, cell: str, seed: int, *, out: Path, set: list[str]) -> None:  # noqa: A002
    """Train one run of a recipe with settings changed, such as model.pooling=max, and save what train_rnn saves."""
    if cell not in CELLS:
        raise StageError(f"cell = {cell!r}: should be {' or '.join(CELLS)}")
    load = partial(load_variant, recipe, [setting(text) for text in set])
    variant = load()
    vectors = load_array(WORD_VECTORS / f"{recipe}.npy")
    if variant.model.ppmi_window is None:
        vectors = vectors[:0]
    data = load_padded(recipe)
    # Imported here: TensorFlow takes seconds and prints lines of its own; what is wrong is said before.
    from stages.networks.training import train_run

    title = f"{recipe} {cell} seed {seed} with {', '.join(set)}"
    train_run(cell, title, load, seed, data, vectors, out)


def setting(text: str) -> tuple[str, Any]:
    """Return name and value of a setting like "train.epsilon=1e-05", whose value is YAML."""
    name, equals, value = text.partition("=")
    try:
        if equals:
            return name, YAML(typ="safe", pure=True).load(value)
    except YAMLError:
        pass
    raise StageError(f"--set {text}: should be NAME=VALUE, such as model.pooling=max")


def load_variant(name: str, settings: Iterable[tuple[str, Any]]) -> Recipe:
    """Return the recipe `name` of params.yaml with other settings.

    Raises `StageError` where the recipe's padded reviews or word vectors are not those of such a variant.
    """
    recipe = load_recipe(name)
    variant = changed(name, recipe, settings)
    for what in ("embedding_dim", "ppmi_window"):
        own, other = getattr(recipe.model, what), getattr(variant.model, what)
        if other != own and not (what == "ppmi_window" and other is None):
            ...
    return variant
