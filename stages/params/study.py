"""All of params.yaml: the recipes and seeds of the study, and what is done with the trained models."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from stages.params.delayed_recall import RENAMED as RENAMED_IN_DELAYED_RECALL
from stages.params.delayed_recall import DelayedRecall
from stages.params.download import Download
from stages.params.ladder import Ladder
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
from stages.params.recipe import LearningRate, Pooling, Recipe, setting
from stages.runtime.errors import StageError

RENAMED: Renamed = {
    **RENAMED_IN_DELAYED_RECALL,  # with those in recipes
    "search.finalists": None,
    "search.settings": None,
    "bag_of_words.whole_vocabulary": None,
    "bag_of_words.num_words": None,
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


class Demo(Block):
    """The page that runs models: whose it has beside the released ones, and how many reviews of each kind."""

    recipe: Name
    examples: Positive


class Search(Block):
    """The grid that a recipe's settings were chosen from."""

    recipe: Name
    seeds: Set[Seed]
    learning_rate: Set[Rate]
    pooling: Set[Pooling]
    epsilon: Set[Rate]


def _rising(values: tuple[float, ...]) -> tuple[float, ...]:
    if list(values) != sorted(values):
        raise ValueError("should rise from the lowest to the highest")
    return values


def _several(values: tuple[int, ...]) -> tuple[int, ...]:
    if len(values) < 2:
        raise ValueError("should hold two seeds or more")
    return values


class LearningRates(Block):
    """The learning rates that both cells of some recipes are trained with."""

    recipes: Set[Name]
    seeds: Annotated[Set[Seed], AfterValidator(_several)]
    learning_rate: Annotated[Set[LearningRate], AfterValidator(_rising)]


class BestRates(Block):
    """The best learning rate of each cell of a recipe."""

    recipe: Name
    rnn: LearningRate
    lstm: LearningRate

    def of(self, cell: str) -> float:
        """Return the rate of a cell."""
        return {"rnn": self.rnn, "lstm": self.lstm}[cell]


def _one_per_recipe(rates: tuple[BestRates, ...]) -> tuple[BestRates, ...]:
    names = [each.recipe for each in rates]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f"should name each recipe once, but names {twice!r} twice")
    return rates


class BestRatesStudy(Block):
    """The side study of each cell's best learning rate, with seeds that did not choose it."""

    seeds: Annotated[Set[Seed], AfterValidator(_several)]
    rates: Annotated[List[BestRates], AfterValidator(_one_per_recipe)]


class WholeReviews(Block):
    """The side study of whole reviews: its recipe, its seeds, and the poolings that the first seed tries."""

    recipe: Name
    seeds: Set[Seed]
    poolings: Set[Pooling]


class Reviews(Block):
    """Reviews that are padded otherwise than the recipe's: their name, and settings as `--set` takes them."""

    name: Name
    settings: str


class Variant(Block):
    """A recipe without one of its parts, or with one more: settings as `--set` takes them, and rates."""

    name: Name
    kind: Literal["without", "with"]
    reviews: Name
    settings: str
    rnn: LearningRate
    lstm: LearningRate

    def changes(self, **rates: float) -> list[tuple[str, Any]]:
        """Return what differs from the recipe; rates: cell → another learning rate than the variant's."""
        rates = {"rnn": self.rnn, "lstm": self.lstm} | rates
        return [
            *map(setting, self.settings.split()),
            *((f"{cell}.learning_rate", rate) for cell, rate in rates.items()),
        ]


class Ablation(Block):
    """What each part of a recipe is worth: its variants, and the reviews that some of them read."""

    recipe: Name
    seeds: Set[Seed]
    reviews: List[Reviews]
    variants: List[Variant]


class CellRate(Block):
    """A learning rate that is tried for one cell."""

    cell: Literal["rnn", "lstm"]
    learning_rate: LearningRate


class AblationRates(Block):
    """The pilot of the ablation: the rates that it tries, and from which gain on a variant gets another.

    margin: in percentage points of validation accuracy.
    """

    seed: Seed
    margin: Annotated[float, Field(ge=0)]
    tried: Set[CellRate]


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
    demo: Demo
    comparison: Comparison
    bag_of_words: BagOfWords
    delayed_recall: DelayedRecall
    inspection: Inspection
    search: Search
    learning_rates: LearningRates
    best_rates: BestRatesStudy
    whole_reviews: WholeReviews
    ablation: Ablation
    ablation_rates: AblationRates
    ladder: Ladder
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
        ("ablation.recipe", params.ablation.recipe, blocks, "the blocks"),
        ("ladder.first", params.ladder.first, blocks, "the blocks"),
        ("ladder.last", params.ladder.last, blocks, "the blocks"),
        ("published.recipe", params.published.recipe, blocks, "the blocks"),
        *(
            ("learning_rates.recipes", each, params.recipes, "`recipes`")
            for each in params.learning_rates.recipes
        ),
        *(
            ("best_rates.rates", each.recipe, params.learning_rates.recipes, "learning_rates.recipes")
            for each in params.best_rates.rates
        ),
        ("comparison.headline", params.comparison.headline, params.recipes, "`recipes`"),
        ("release.recipe", params.release.recipe, params.recipes, "`recipes`"),
        ("demo.recipe", params.demo.recipe, params.recipes, "`recipes`"),
    ):
        if recipe not in allowed:
            names = ", ".join(allowed) or "none"
            raise StageError(f"{path}: {name} = {recipe!r}: should be one of {what}: {names}")
    if chosen_with := sorted(set(params.best_rates.seeds) & set(params.learning_rates.seeds)):
        raise StageError(
            f"{path}: best_rates.seeds holds {chosen_with[0]}: should hold none of learning_rates.seeds, "
            "with which the rates were chosen"
        )
    if (pilot := params.ablation_rates.seed) in params.ablation.seeds:
        raise StageError(f"{path}: ablation_rates.seed = {pilot}: should be none of ablation.seeds")
    if (side := params.whole_reviews.recipe) in params.recipes:  # DVC refuses outputs of two stages
        raise StageError(f"{path}: whole_reviews.recipe = {side!r}: should be none of `recipes`")
    return params
