"""The report: its sections, its figures, and its words, templates that only write down what sections hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from stages import StageError
from stages.inspection.equations import formulas
from stages.params.study import Params
from stages.reporting import figures
from stages.reporting.comparison import Result, compare_recipes
from stages.reporting.sections import inspection
from stages.reporting.sections.baseline import Baseline, baseline, baseline_accuracies
from stages.reporting.sections.costs import Costs, costs_section
from stages.reporting.sections.delayed_recall import DelayedRecallSection, delayed_recall_section
from stages.reporting.sections.introduction import Introduction, ResultsTable, introduction, results_table
from stages.reporting.sections.ladder import Ladder, ladder
from stages.reporting.sections.model_card import ModelCard, model_card
from stages.reporting.sections.published import PublishedResult, published_result
from stages.reporting.sections.reviews import Reviews, reviews_section
from stages.reporting.sections.search import Search, search_section
from stages.reporting.sections.whole_reviews import WholeReviews, whole_reviews_section, whole_runs
from stages.reporting.statistics import Runs


@dataclass(frozen=True)
class Inputs:
    """What other stages wrote under reports/, as JSON."""

    runs: Runs
    audit: Mapping[str, Any]
    bag_of_words: Sequence[Mapping[str, Any]]
    benchmark: Mapping[str, Any]
    delayed_recall: Mapping[int, Mapping[str, Any]]  # by seed
    inspection: Mapping[str, Mapping[str, Any]]  # by recipe
    released: Mapping[str, Any]
    search: Mapping[str, Any]
    whole_reviews: Mapping[str, Any]


@dataclass(frozen=True)
class Report:
    """What the templates write down, section by section."""

    results: Mapping[str, Result]  # of the main study
    every_result: Mapping[str, Result]  # with those of whole reviews
    headline: Result
    n_seeds: int
    several: bool  # seeds
    n_resamples: int
    published_recipe: str
    introduction: Introduction
    results_table: ResultsTable
    published: PublishedResult | None  # None: the recipe with the published settings was not run
    ladder: Ladder | None  # None: a single recipe was run
    chance: float  # that of two equal cells one wins with all seeds
    search: Search
    delayed_recall: DelayedRecallSection
    gradients: inspection.Gradients
    gates: inspection.Gates
    shown_tokens: tuple[int, int]
    baseline: Baseline
    whole_reviews: WholeReviews | None  # None: never run
    audit: Mapping[str, Any]
    reviews: Reviews
    costs: Costs
    formulas: list[tuple[str, str, int]]
    model_card: ModelCard


def build_report(params: Params, inputs: Inputs) -> Report:
    """Return the report. Raises `StageError` where it cannot lead with what `params` names."""
    for name, recipe in (
        ("comparison.headline", params.comparison.headline),
        ("release.recipe", params.release.recipe),
    ):
        if recipe not in inputs.runs:
            raise StageError(
                f"params.yaml: {name} = {recipe}: should be one of recipes, {', '.join(inputs.runs)}"
            )
    bags, audit, n_seeds = inputs.bag_of_words, inputs.audit, len(params.seeds)
    results = compare_recipes(inputs.runs, audit, bags, params.comparison)
    whole = compare_recipes(whole_runs(inputs.whole_reviews), audit, bags, params.comparison)
    every, headline = results | whole, results[params.comparison.headline]
    published = params.published.recipe
    return Report(
        results=results,
        every_result=every,
        headline=headline,
        n_seeds=n_seeds,
        several=n_seeds > 1,
        n_resamples=params.comparison.n_resamples,
        published_recipe=published,
        introduction=introduction(results, headline.name, published),
        results_table=results_table(params.published, list(every.values())),
        published=published_result(params.published, results[published]) if published in results else None,
        ladder=ladder(results, headline.name, published) if len(results) > 1 else None,
        chance=2 / 2**n_seeds,
        search=search_section(inputs.search, params, inputs.runs),
        delayed_recall=delayed_recall_section(inputs.delayed_recall, params.delayed_recall),
        gradients=inspection.gradients(inputs.inspection, results, headline.name),
        gates=inspection.gates(inputs.inspection, headline.name),
        shown_tokens=params.inspection.shown_tokens,
        baseline=baseline(bags, headline),
        whole_reviews=next(
            (
                whole_reviews_section(inputs.whole_reviews, each, headline, bags, params, inputs.runs)
                for each in whole.values()
            ),
            None,
        ),
        audit=audit,
        reviews=reviews_section(audit, list(every.values()), headline),
        costs=costs_section(inputs.benchmark, headline),
        formulas=formulas(),
        model_card=model_card(inputs.released, results[params.release.recipe], audit),
    )


def draw(params: Params, inputs: Inputs, report: Report) -> dict[str, Figure]:
    """Return the report's figures, by name."""
    runs, published = inputs.runs, params.published
    accuracies = baseline_accuracies(inputs.bag_of_words)
    baselines = {"bag of words": accuracies["single"], "bag of word pairs": accuracies["pairs"]}
    readings = inputs.inspection[report.headline.name]["readings"]
    return {
        "accuracy": figures.accuracy(runs, published, baselines),
        "learning_curves": figures.learning_curves(runs, published),
        "roc": figures.roc(runs),
        "confusion": figures.confusion(runs),
        "by_length": figures.by_length(
            {name: each.uncertainty["by_length"] for name, each in report.results.items()}, report.several
        ),
        "delayed_recall": figures.delayed_recall(inputs.delayed_recall),
        "gradients": figures.gradients(inputs.inspection),
        "gates": figures.gates(inputs.inspection),
        "lengths": figures.lengths(inputs.audit),
        **{
            f"reading_{each.name}": figures.reading(readings[each.name], each.title)
            for each in report.gates.readings
        },
    }
