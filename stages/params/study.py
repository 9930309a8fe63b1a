"""All of params.yaml: the recipes and seeds of the study, and what is done with the trained models."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from stages.params.delayed_recall import RENAMED as RENAMED_IN_DELAYED_RECALL
from stages.params.delayed_recall import DelayedRecall
from stages.params.download import Download
from stages.params.reading import (
    PARAMS_FILE,
    Block,
    List,
    Name,
    Positive,
    Rate,
    Renamed,
    Seed,
    Set,
    read,
    renaming,
    validated,
)
from stages.params.recipe import Pooling, Recipe
from stages.runtime.errors import StageError

RENAMED: Renamed = {
    **RENAMED_IN_DELAYED_RECALL,  # with those in recipes
    "search.finalists": None,
    "search.settings": None,
    "bag_of_words.whole_vocabulary": "bag_of_words.num_words",
    "bag_of_words.inverse_penalties": "bag_of_words.C",
    "search.learning_rates": "search.learning_rate",
    "comparison.resamples": None,
    "comparison.n_resamples": None,
    "comparison.seed": None,
    "probe": "delayed_recall",
    "inside": "inspection",
}


def _ascending(bounds: tuple[int, int]) -> tuple[int, int]:
    if bounds[0] > bounds[1]:
        raise ValueError("should be the least and the most, in this order")
    return bounds


class BagOfWords(Block):
    """The baseline: whose reviews it reads, and how logistic regression may be regularised."""

    recipe: Name
    num_words: Annotated[int, Field(ge=4)]
    C: Set[Rate]


class Inspection(Block):
    """How many reviews and positions gradients and gates are averaged over, and which reviews are shown."""

    reviews: Positive
    positions: Positive
    shown_tokens: Annotated[tuple[Positive, Positive], Field(strict=False), AfterValidator(_ascending)]


class Comparison(Block):
    """The recipe that the report leads with."""

    headline: Name


class Release(Block):
    """Which recipe's best runs are for others to use."""

    recipe: Name


class Search(Block):
    """The grid that a recipe's settings were chosen from."""

    recipe: Name
    seeds: Set[Seed]
    learning_rate: Set[Rate]
    pooling: Set[Pooling]
    epsilon: Set[Rate]


class WholeReviews(Block):
    """The side study of whole reviews: its recipe, its seeds, and the poolings that the first seed tries."""

    recipe: Name
    seeds: Set[Seed]
    poolings: Set[Pooling]


class PublishedCell(Block):
    """Test loss and accuracy, and validation accuracy per epoch, as the notebook printed them."""

    loss: float
    accuracy: float
    validation_accuracy: List[float]


class Published(Block):
    """What the notebook printed for each of its two models, and which recipe has its settings."""

    recipe: Name
    rnn: PublishedCell
    lstm: PublishedCell


class Params(Block):
    """All of params.yaml; `blocks` holds every recipe, `recipes` names those of the main study."""

    download: Download
    recipes: Set[Name]
    seeds: Set[Seed]
    release: Release
    comparison: Comparison
    bag_of_words: BagOfWords
    delayed_recall: DelayedRecall
    inspection: Inspection
    search: Search
    whole_reviews: WholeReviews
    published: Published
    blocks: dict[Name, Recipe]


def load_params(path: Path = PARAMS_FILE) -> Params:
    """Return all of params.yaml.

    Raises `StageError` with one line per mistake: the parameter's dotted name, its value, what is allowed.
    """
    raw = read(path)
    if former := sorted(raw.keys() & RENAMED.keys()):  # they would be taken for recipes
        raise StageError("\n".join(f"{path}: {renaming(name, '', RENAMED[name])}" for name in former))
    fixed = Params.model_fields.keys() - {"blocks"}
    own = {name: raw.pop(name) for name in list(raw) if name in fixed}
    params = validated(Params, {**own, "blocks": raw}, RENAMED, path=path)
    blocks = tuple(params.blocks)
    for name, recipe, allowed, what in (
        *(("recipes", each, blocks, "the blocks") for each in params.recipes),
        ("bag_of_words.recipe", params.bag_of_words.recipe, blocks, "the blocks"),
        ("search.recipe", params.search.recipe, blocks, "the blocks"),
        ("whole_reviews.recipe", params.whole_reviews.recipe, blocks, "the blocks"),
        ("published.recipe", params.published.recipe, blocks, "the blocks"),
        ("comparison.headline", params.comparison.headline, params.recipes, "`recipes`"),
        ("release.recipe", params.release.recipe, params.recipes, "`recipes`"),
    ):
        if recipe not in allowed:
            names = ", ".join(allowed) or "none"
            raise StageError(f"{path}: {name} = {recipe!r}: should be one of {what}: {names}")
    if (side := params.whole_reviews.recipe) in params.recipes:  # DVC refuses outputs of two stages
        raise StageError(f"{path}: whole_reviews.recipe = {side!r}: should be none of `recipes`")
    return params
