"""A recipe: everything that shapes its runs, but for the seed."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError
from ruamel.yaml import YAML

from stages.params.reading import PARAMS_FILE, Block, Rate, Renamed, Seed, read, short, validated
from stages.runtime.errors import StageError

CELLS = ("rnn", "lstm")

Pooling = Literal["last", "mean", "max"]
Share = Annotated[float, Field(ge=0, lt=1)]
LearningRate = Annotated[float, Field(gt=0, le=10)]
# Far above what is of use, and below what ends in an obscure error far from params.yaml.
Width = Annotated[int, Field(ge=1, le=10_000)]
NumWords = Annotated[int, Field(ge=4, le=1_000_000)]

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

    num_words: NumWords
    maxlen: Annotated[int, Field(ge=1, le=100_000)]
    padding: Literal["pre", "post"]
    truncating: Literal["pre", "post"]
    split_by: Literal["review", "film"]
    validation_split: Annotated[float, Field(gt=0, lt=1)]
    split_seed: Seed


class Model(Block):
    """The architecture, the same for both cells."""

    mask_zero: bool
    embedding_dim: Width
    ppmi_window: Width | None
    units: Width
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
    batch_size: Width
    bucketing: bool
    epochs: Annotated[int, Field(ge=1, le=1_000)]
    ema_momentum: Annotated[float, Field(gt=0, lt=1)] | None
    checkpoint: Literal["last", "best"]
    implementation: Literal["fused", "keras"]


class Rnn(Block):
    """What the plain RNN has of its own."""

    learning_rate: LearningRate
    recurrent_initializer: Literal["orthogonal", "identity"]


class Lstm(Block):
    """What the LSTM has of its own."""

    learning_rate: LearningRate
    chrono_t_max: Annotated[int, Field(ge=3, le=100_000)] | None


class Recipe(Block):
    """Everything that shapes a recipe's runs, but for the seed."""

    pad: Pad
    model: Model
    train: Train
    rnn: Rnn
    lstm: Lstm

    def own(self, cell: str) -> Rnn | Lstm:
        """Return what `cell`, one of CELLS, has of its own."""
        return self.rnn if cell == "rnn" else self.lstm

    def settings(self, cell: str) -> dict[str, Any]:
        """Return what shapes the runs of `cell`: all but what other cells have of their own."""
        return self.model_dump(mode="json", exclude=set(CELLS) - {cell})


def load_recipe(name: str, path: Path = PARAMS_FILE) -> Recipe:
    """Return the recipe `name` of params.yaml; raise `StageError` where it is missing or wrong."""
    raw = read(path)
    if not isinstance(raw.get(name), dict):
        recipes = (each for each, block in raw.items() if isinstance(block, dict) and "pad" in block)
        raise StageError(
            f"recipe {name!r} is not in {path}, which has {', '.join(map(str, recipes)) or 'none'}"
        )
    return validated(Recipe, raw[name], RENAMED, path=path, name=name)


def setting(text: str) -> tuple[str, Any]:
    """Return the name and value of a setting such as "train.epsilon=1e-05"; the value is YAML."""
    name, equals, value = text.partition("=")
    try:
        if equals:
            return name, YAML(typ="safe", pure=True).load(value)
    except Exception:  # odd scalars and great depths raise whatever they lead to
        pass
    raise StageError(f"--set {text}: should be NAME=VALUE, such as model.pooling=max")


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
        raise StageError(f"{name}.{where} = {short(mistake['input'])}: {allowed}") from None
