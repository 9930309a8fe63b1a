"""Is a recurrent model worth it? Bag-of-words models beside it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from stages.networks.provenance import differing
from stages.params.recipe import CELLS
from stages.reporting.comparison import Result
from stages.reporting.formatting import LABELS
from stages.reporting.statistics import Estimate, mean_over_seeds
from stages.reporting.verdicts import against_baseline, equal_footing, given, regularisation_at_edges

Bag = Mapping[str, Any]  # one bag-of-words model, as that stage wrote it
# What models must have alike to be on an equal footing, by the settings that decide it.
FOOTING = {
    "maxlen": "tokens",
    "truncating": "tokens",
    "num_words": "vocabulary",
    "split_by": "train reviews",
    "split_seed": "train reviews",
    "validation_split": "train reviews",
}
WORDS = {"single": "single words", "pairs": "single words and pairs"}


class Row(NamedTuple):
    """What a kind of model is given, and what it reaches."""

    name: str
    recipe: str
    pad: Mapping[str, Any]
    trained_on: int  # reviews
    validation: float
    test: float
    leads: Sequence[Estimate]  # of the recipe's RNNs and LSTMs over it; none for these themselves
    footing: str


class Baseline(NamedTuple):
    """The headline's models against bag-of-words models."""

    accuracies: dict[str, float]  # "single" words or "pairs", of the main study's baseline → test accuracy
    verdicts: dict[str, str]  # the same → how both cells fare
    given: str  # what the baseline and the models have alike
    recipe: str  # as which the baseline reads
    rows: list[Row]
    edges: str  # which models have the least or the most regularisation that was tried; empty: none


def baseline(bags: Sequence[Bag], headline: Result, audit: Mapping[str, Any]) -> Baseline:
    """Return the section."""
    over = headline.over_bag_of_words
    cut = [
        (bag, against_baseline(rnn, lstm))
        for bag, rnn, lstm in zip(bags, over["rnn"], over["lstm"], strict=True)
        if bag["tokens"] == "cut"
    ]
    first, _ = cut[0]
    return Baseline(
        {bag["words"]: bag["test_accuracy"] for bag, _ in cut},
        {bag["words"]: verdict for bag, verdict in cut},
        given(other_footing(first, headline)),
        first["recipe"],
        [*model_rows(headline, audit), *bag_rows(bags, headline)],
        regularisation_at_edges(
            [(f"{WORDS[bag['words']]} as `{bag['recipe']}`", bag["C"]) for bag in bags if at_edge(bag)]
        ),
    )


def at_edge(bag: Bag) -> bool:
    """Return whether the chosen C is the least or the most that was tried."""
    tried = [each["C"] for each in bag["candidates"]]
    return bag["C"] in (min(tried), max(tried))


def model_rows(result: Result, audit: Mapping[str, Any]) -> list[Row]:
    """Return a recipe's RNNs and LSTMs, means over seeds."""
    return [
        Row(
            LABELS[cell],
            result.name,
            result.settings["pad"],
            trained_on(result, audit),
            float(mean_over_seeds(result.seeds, cell, "validation", "accuracy")),
            result.metrics[cell]["accuracy"]["mean"],
            (),
            "",
        )
        for cell in CELLS
    ]


def bag_rows(bags: Sequence[Bag], result: Result) -> list[Row]:
    """Return each bag-of-words model, with the leads of a recipe's models over it."""
    over = result.over_bag_of_words
    return [
        Row(
            WORDS[bag["words"]],
            bag["recipe"],
            bag["pad"],
            bag["trained_on"],
            bag["validation_accuracy"],
            bag["test_accuracy"],
            leads,
            equal_footing(other_footing(bag, result)),
        )
        for bag, *leads in zip(bags, over["rnn"], over["lstm"], strict=True)
    ]


def trained_on(result: Result, audit: Mapping[str, Any]) -> int:
    """Return the number of train reviews that did not validate."""
    validation = result.run["rnn"]["validation"]["by_shared"]
    return int(audit["train"]["reviews"] - sum(each["reviews"] for each in validation))


def other_footing(bag: Bag, result: Result) -> list[str]:
    """Return what a bag-of-words model was given otherwise than a recipe's models."""
    other = differing(bag["pad"], result.settings["pad"])
    return list(dict.fromkeys(what for name, what in FOOTING.items() if name in other))
