"""The parameters: `params.yaml` as frozen, typed, validated objects."""

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from stages import StageError

PARAMS_FILE = Path("params.yaml")

Item = TypeVar("Item")


def _all_different(items: tuple[Item, ...]) -> tuple[Item, ...]:
    twice = next((item for item in items if items.count(item) > 1), None)
    if twice is not None:
        raise ValueError(f"should hold each value once, and {twice!r} stands there twice")
    return items


def _ascending(bounds: tuple[int, int]) -> tuple[int, int]:
    if bounds[0] > bounds[1]:
        raise ValueError("should be the least and the most, in this order")
    return bounds


# YAML has lists where frozen objects need tuples; the items themselves stay strictly typed.
List = Annotated[tuple[Item, ...], Field(strict=False, min_length=1)]
Set = Annotated[List[Item], AfterValidator(_all_different)]
Positive = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, lt=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
# A name goes into folder and stage names.
Name = Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]


class Block(BaseModel):
    """A mapping in `params.yaml`: exactly these names, exactly these types, never changed."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


class Digests(Block):
    """SHA-256 digests, in hexadecimal, of the files that are accepted."""

    archive: Set[Digest]
    word_index: Set[Digest]


class Download(Block):
    """Where the reviews come from and which bytes are accepted."""

    mirrors: List[str]
    digests: Digests


class Pad(Block):
    """How reviews of any length become rows of one length, and which of them validate."""

    vocabulary: Annotated[int, Field(ge=4)]
    pairs: Annotated[int, Field(ge=0)]
    length: Positive
    padding: Literal["pre", "post"]
    truncating: Literal["pre", "post"]
    validation: Literal["reviews", "films"]
    validation_share: Annotated[float, Field(gt=0, lt=1)]
    split_seed: Seed

    @field_validator("pairs")
    @classmethod
    def _leave_words(cls, pairs: int, info: ValidationInfo) -> int:
        most = info.data.get("vocabulary", pairs + 4) - 4  # where the vocabulary is wrong, that is told
        if pairs > most:
            raise ValueError(f"should be at most {most}, as vocabulary holds them and 4 others")
        return pairs


class Model(Block):
    """The shape that both nets share."""

    masking: bool
    embedding_width: Positive
    embedding_window: Positive | None
    units: Positive
    activation: Literal["tanh", "relu", "sigmoid"]
    pooling: Literal["last", "mean"]
    embedding_dropout: Share
    word_dropout: Share
    output_dropout: Share


class Train(Block):
    """How both nets are trained."""

    optimizer: Literal["adam", "rmsprop", "sgd"]
    epsilon: Rate
    clip_norm: Rate | None
    embedding_gradient: Literal["summed", "by_occurrence"]
    batch_size: Positive
    batches: Literal["shuffled", "by_length"]
    epochs: Positive
    averaging: Annotated[float, Field(gt=0, lt=1)] | None
    keep: Literal["last", "best"]
    kernel: Literal["keras", "fused"]


class Cell(Block):
    """What a cell has of its own."""

    learning_rate: Rate


class Recipe(Block):
    """Everything that shapes a recipe's runs, but for the seed."""

    pad: Pad
    model: Model
    train: Train
    rnn: Cell
    lstm: Cell


class BagOfWords(Block):
    """The yardstick: which recipe's reviews it reads, and what logistic regression may be."""

    recipe: Name
    whole_vocabulary: Annotated[int, Field(ge=4)]
    inverse_penalties: Set[Rate]


class Probe(Block):
    """Generated sequences in which the first token decides, and the nets that read them."""

    distances: Set[Positive]
    sequences: Annotated[int, Field(ge=10)]
    vocabulary: Annotated[int, Field(ge=4)]
    model: Model
    train: Train
    rnn: Cell
    lstm: Cell


class Inside(Block):
    """Over how many reviews and positions gradients and gates are taken, and which can be shown whole."""

    reviews: Positive
    positions: Positive
    shown_tokens: Annotated[tuple[Positive, Positive], Field(strict=False), AfterValidator(_ascending)]


class Comparison(Block):
    """How often, and with which random numbers, seeds and reviews are drawn anew for an interval."""

    resamples: Annotated[int, Field(ge=100)]
    seed: Seed


class Search(Block):
    """The grid that a recipe's settings were chosen from; `settings` are dotted names in its block."""

    recipe: Name
    seeds: Set[Seed]
    finalists: Positive
    learning_rates: Set[Rate]
    settings: dict[str, Set[Any]]


class PublishedCell(Block):
    """Test loss and accuracy, and validation accuracy per epoch, as the notebook printed them."""

    loss: float
    accuracy: float
    validation_accuracy: List[float]


class Published(Block):
    """What the notebook printed for each of its two models."""

    rnn: PublishedCell
    lstm: PublishedCell


class Params(Block):
    """All of `params.yaml`; `blocks` holds every recipe, `recipes` names those that are trained."""

    download: Download
    recipes: Set[Name]
    seeds: Set[Seed]
    comparison: Comparison
    bag_of_words: BagOfWords
    probe: Probe
    inside: Inside
    search: Search
    published: Published
    blocks: dict[Name, Recipe]


def load_params(path: Path = PARAMS_FILE) -> Params:
    """Read and validate `path`.

    Raises `StageError` with one line per mistake: the parameter's dotted name, its value, and what
    is allowed.
    """
    try:
        raw = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except OSError:
        raise StageError(f"{path} cannot be read: run this in the project's root folder") from None
    except (YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise StageError(f"{path} is not valid YAML: {reason}") from None
    if not isinstance(raw, dict):
        raise StageError(f"{path} should be a mapping of names to values")

    fixed = Params.model_fields.keys() - {"blocks"}
    own = {name: raw.pop(name) for name in list(raw) if name in fixed}
    try:
        params = Params.model_validate({**own, "blocks": raw})
    except ValidationError as error:
        raise StageError("\n".join(_explain(path, error.errors()))) from None
    named = {"recipes": params.recipes}
    named |= {f"{part}.recipe": (getattr(params, part).recipe,) for part in ("bag_of_words", "search")}
    for name, recipes in named.items():
        for recipe in recipes:
            if recipe not in params.blocks:
                raise StageError(
                    f"{path}: {name} names {recipe!r}, which has no block; "
                    f"the blocks are {', '.join(params.blocks) or 'none'}"
                )
    return params


def _explain(path: Path, errors: list[ErrorDetails]) -> Iterable[str]:
    """Yield one line per mistake; where names are unknown, only those: the rest follows from them."""
    unknown = [error for error in errors if error["type"] == "extra_forbidden"]
    missing = [_dotted(error) for error in errors if error["type"] == "missing"]
    for error in unknown or errors:
        name = _dotted(error)
        if error["type"] == "too_short" and error["input"]:
            continue  # it is short of an item that is wrong, and that is told
        if error["type"] == "extra_forbidden":
            meant = difflib.get_close_matches(name, missing, n=1)
            hint = f"; did you mean {meant[0]}?" if meant else ""
            yield f"{path}: {name} is no parameter{hint}"
        elif error["type"] == "missing":
            yield f"{path}: {name} is missing"
        else:
            allowed = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
            allowed = allowed.replace("Tuple", "List").replace("tuple", "list")  # YAML's word for it
            yield f"{path}: {name} = {_short(error['input'])}: {allowed}"


def _dotted(error: ErrorDetails) -> str:
    """Return the parameter's name as `params.yaml` nests it."""
    parts = [str(part) for part in error["loc"]]
    return ".".join(parts[1:] if parts[0] == "blocks" and len(parts) > 1 else parts)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
