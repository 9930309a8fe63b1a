"""A recipe: everything that shapes its runs, but for the seed."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from stages.params.reading import PARAMS_FILE, Block, Positive, Rate, Renamed, Seed, read, validated
from stages.runtime.errors import StageError

CELLS = ("rnn", "lstm")

Pooling = Literal["last", "mean", "max"]
Share = Annotated[float, Field(ge=0, lt=1)]

RENAMED: Renamed = {
    "pad.pairs": None,
    "pad.vocabulary": "pad.num_words",
    "pad.length": "pad.maxlen",
    "pad.validation": "pad.split_by",
    "pad.validation_share": "pad.validation_split",
    "model.masking": "model.mask_zero",
    "model.embedding_width": "model.embedding_dim",
    "model.embedding_window": "model.ppmi_window",
    "train.clip_norm": "train.global_clipnorm",
    "train.embedding_gradient": "train.embedding_gradients",
    "train.batches": "train.bucketing",
    "train.averaging": "train.ema_momentum",
    "train.keep": "train.checkpoint",
    "train.kernel": "train.implementation",
}


class Pad(Block):
    """How reviews of any length become rows of one length, and which of them validate."""

    num_words: Annotated[int, Field(ge=4)]
    maxlen: Positive
    padding: Literal["pre", "post"]
    truncating: Literal["pre", "post"]
    split_by: Literal["review", "film"]
    validation_split: Annotated[float, Field(gt=0, lt=1)]
    split_seed: Seed


class Model(Block):
    """The architecture, the same for both cells."""

    mask_zero: bool
    embedding_dim: Positive
    ppmi_window: Positive | None
    units: Positive
    activation: Literal["tanh", "relu", "sigmoid"]
    pooling: Pooling
    embedding_dropout: Share
    word_dropout: Share
    output_dropout: Share


class Train(Block):
    """How both cells are trained."""

    optimizer: Literal["adam", "rmsprop", "sgd"]
    epsilon: Rate
    global_clipnorm: Rate | None
    embedding_gradients: Literal["coalesced", "per_occurrence"]
    batch_size: Positive
    bucketing: bool
    epochs: Positive
    ema_momentum: Annotated[float, Field(gt=0, lt=1)] | None
    checkpoint: Literal["last", "best"]
    implementation: Literal["fused", "keras"]


class Cell(Block):
    """What each cell has of its own."""

    learning_rate: Rate


class Cells(Block):
    """What shapes the models of both cells."""

    model: Model
    train: Train
    rnn: Cell
    lstm: Cell

    def learning_rate(self, cell: str) -> float:
        """Return the learning rate of `cell`, one of CELLS."""
        return float(getattr(self, cell).learning_rate)


class Recipe(Cells):
    """Everything that shapes a recipe's runs, but for the seed."""

    pad: Pad

    def settings(self, cell: str) -> dict[str, Any]:
        """Return what shapes the runs of `cell`: all but what other cells have of their own."""
        return self.model_dump(mode="json", exclude=set(CELLS) - {cell})


def load_recipe(name: str, path: Path = PARAMS_FILE) -> Recipe:
    """Return the recipe `name` of params.yaml; raise `StageError` where it is missing or wrong."""
    raw = read(path)
    if not isinstance(raw.get(name), dict):
        recipes = (each for each, block in raw.items() if isinstance(block, dict) and "pad" in block)
        raise StageError(f"recipe {name!r} is not in {path}, which has {', '.join(recipes) or 'none'}")
    return validated(Recipe, raw[name], RENAMED, path=path, name=name)


def changed(name: str, recipe: Recipe, settings: Iterable[tuple[str, Any]]) -> Recipe:
    """Return `recipe` (called `name`) with settings changed, such as `("model.pooling", "max")`.

    Raises `StageError` where one is no setting of the recipe's, or its value is not allowed.
    """
    block = recipe.model_dump()
    for dotted, value in settings:
        part, _, leaf = dotted.partition(".")
        if leaf not in block.get(part, ()):
            known = ", ".join(f"{part}.{leaf}" for part in block for leaf in block[part])
            raise StageError(f"{dotted!r} is not a setting of recipe {name!r}, which has {known}")
        block[part][leaf] = value
    try:
        return Recipe.model_validate(block)
    except ValidationError as error:
        mistake = error.errors()[0]
        where = ".".join(map(str, mistake["loc"]))
        allowed = mistake["msg"].removeprefix("Input ")
        raise StageError(f"{name}.{where} = {mistake['input']!r}: {allowed}") from None
