"""Stage `train_variant`: one run of a recipe with some settings changed, for a side study."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stages.networks.provenance import differing
from stages.params.recipe import CELLS, Recipe, changed, load_recipe, setting
from stages.runtime.command_line import stage_main
from stages.runtime.errors import StageError


def train_variant(
    recipe: str,
    cell: str,
    seed: int,
    reviews: str = "",
    *,
    out: Path,
    set: list[str],  # noqa: A002
) -> None:
    """Train one run with settings changed, such as model.pooling=max, and write what train_rnn writes.

    Reviews that are padded in another way are made by `pad` with the same settings and name.
    """
    if cell not in CELLS:
        raise StageError(f"cell = {cell!r}: should be {' or '.join(CELLS)}")
    settings = [setting(text) for text in set]
    check_variant(recipe, load_recipe(recipe), settings, own_reviews=not reviews)
    # Imported here: TensorFlow takes seconds and prints lines of its own; mistakes are reported before.
    from stages.networks.training import train_run

    train_run(cell, recipe, seed, out, settings, reviews)


def check_variant(
    name: str, recipe: Recipe, settings: Sequence[tuple[str, Any]], *, own_reviews: bool
) -> None:
    """Raise `StageError` where settings are not allowed, or need other word vectors than `recipe` has.

    With `own_reviews`, also where they need other reviews.
    """
    variant = changed(name, recipe, settings)
    for dotted, (own, other) in differing(recipe.model_dump(), variant.model_dump()).items():
        window = dotted == "model.ppmi_window"
        vectors = dotted in ("model.embedding_dim", "pad.num_words") or (window and other is not None)
        if vectors or (own_reviews and dotted.startswith("pad.")):
            allowed = "null or as in params.yaml" if window else "as in params.yaml"
            raise StageError(
                f"{dotted} = {other!r}: should be {allowed} ({own!r}), "
                f"because a variant reads the {'word vectors' if vectors else 'reviews'} of recipe {name!r}"
            )


if __name__ == "__main__":
    stage_main(train_variant)
