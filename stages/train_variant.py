"""Stage `train_variant`: one run of a recipe with some settings changed, for a side study."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from stages.networks.provenance import differing
from stages.params.recipe import CELLS, Recipe, changed, load_recipe
from stages.runtime.command_line import stage_main
from stages.runtime.errors import StageError


def train_variant(recipe: str, cell: str, seed: int, *, out: Path, set: list[str]) -> None:  # noqa: A002
    """Train one run with settings changed, such as model.pooling=max, and write what train_rnn writes."""
    if cell not in CELLS:
        raise StageError(f"cell = {cell!r}: should be {' or '.join(CELLS)}")
    settings = [setting(text) for text in set]
    check_variant(recipe, load_recipe(recipe), settings)
    # Imported here: TensorFlow takes seconds and prints lines of its own; mistakes are reported before.
    from stages.networks.training import train_run

    train_run(cell, recipe, seed, out, settings)


def setting(text: str) -> tuple[str, Any]:
    """Return the name and value of a setting such as "train.epsilon=1e-05"; the value is YAML."""
    name, equals, value = text.partition("=")
    try:
        if equals:
            return name, YAML(typ="safe", pure=True).load(value)
    except YAMLError:
        pass
    raise StageError(f"--set {text}: should be NAME=VALUE, such as model.pooling=max")


def check_variant(name: str, recipe: Recipe, settings: Sequence[tuple[str, Any]]) -> None:
    """Raise `StageError` where settings are not allowed, or need other reviews or word vectors.

    A variant has those of `recipe`, or does without word vectors.
    """
    variant = changed(name, recipe, settings)
    for dotted, (own, other) in differing(recipe.model_dump(), variant.model_dump()).items():
        window = dotted == "model.ppmi_window"
        if dotted.startswith("pad.") or dotted == "model.embedding_dim" or (window and other is not None):
            allowed = "null or as in params.yaml" if window else "as in params.yaml"
            raise StageError(
                f"{dotted} = {other!r}: should be {allowed} ({own!r}), "
                f"because a variant reads the reviews and word vectors of recipe {name!r}"
            )


if __name__ == "__main__":
    stage_main(train_variant)
