"""The report: its sections, its figures, and its words, templates that only write down what sections hold."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib.figure import Figure

from stages.inspection.equations import formulas
from stages.params.study import Params
from stages.reporting.comparison import Result, compare_recipes
from stages.reporting.figures import (
    comparison,
    delayed_recall,
    inspection,
    learning_rates,
    reviews,
    variants,
)
from stages.reporting.sections.ablation import Ablation, ablation_section
from stages.reporting.sections.baseline import Baseline, baseline
from stages.reporting.sections.calibration import Calibration, calibration_section
from stages.reporting.sections.certainty import Certainty, certainty
from stages.reporting.sections.costs import Costs, costs_section
from stages.reporting.sections.delayed_recall import DelayedRecall, delayed_recall_section
from stages.reporting.sections.gap import Gap, gap_section
from stages.reporting.sections.inspection import Gates, Gradients, gates, gradients
from stages.reporting.sections.introduction import Introduction, introduction
from stages.reporting.sections.learning_rates import LearningRates, learning_rates_section, with_own_rates
from stages.reporting.sections.model_card import ModelCard, model_card
from stages.reporting.sections.published import PublishedResult, published_result
from stages.reporting.sections.reviews import Reviews, reviews_section
from stages.reporting.sections.search import Search, search_section
from stages.reporting.sections.steps import Steps, steps_section
from stages.reporting.sections.whole_reviews import WholeReviews, whole_reviews_section, whole_runs
from stages.reporting.statistics import Runs
from stages.reporting.verdicts import elsewhere_on_longer, gain_on_longer


class Inputs(NamedTuple):
    """What other stages wrote under reports/, as JSON."""

    runs: Runs
    audit: Mapping[str, Any]
    bag_of_words: Sequence[Mapping[str, Any]]
    benchmark: Mapping[str, Any]
    best_rates: Mapping[str, Any]
    delayed_recall: Mapping[str, Any]
    inspection: Mapping[str, Mapping[str, Any]]  # by recipe
    learning_rates: Mapping[str, Any]
    released: Mapping[str, Any]  # by cell
    search: Mapping[str, Any]
    whole_reviews: Mapping[str, Any]
    ablation: Mapping[str, Any]
    ablation_rates: Mapping[str, Any]
    ladder: Mapping[str, Any]


class Report(NamedTuple):
    """What the templates write down: parameters, inputs, and the report's sections."""

    params: Params
    inputs: Inputs
    results: Mapping[str, Result]  # of the main study
    every_result: Mapping[str, Result]  # with those of whole reviews
    headline: Result
    several: bool  # seeds
    introduction: Introduction
    learning_rates: LearningRates | None  # None: never run
    published: PublishedResult | None  # None: the recipe with the published settings was not run
    gap: Gap | None  # None: a single recipe was run
    steps: Steps | None  # None: never run
    ablation: Ablation | None  # None: never run
    certainty: Certainty
    published_difference: float  # LSTM − RNN
    search: Search | None  # None: never run
    delayed_recall: DelayedRecall | None  # None: never run
    gain_on_longer: str  # reviews, with the headline's models and those that read whole ones
    elsewhere_on_longer: str  # with the other recipes
    gradients: Gradients
    gates: Gates
    baseline: Baseline
    calibration: Calibration
    whole_reviews: WholeReviews | None  # None: never run
    reviews: Reviews
    costs: Costs
    formulas: list[tuple[str, str, int]]
    model_card: ModelCard


def build_report(params: Params, inputs: Inputs) -> Report:
    """Return the report."""
    headline, release, published = params.comparison.headline, params.release.recipe, params.published
    runs, bags, audit = inputs.runs, inputs.bag_of_words, inputs.audit
    results = compare_recipes(runs, audit, bags)
    whole = compare_recipes(whole_runs(inputs.whole_reviews), audit, bags)
    every, leading, original = results | whole, results[headline], results.get(published.recipe)
    whole_sections = [
        whole_reviews_section(inputs.whole_reviews, each, leading, bags, audit, params, runs)
        for each in whole.values()
    ]
    rates = learning_rates_section(inputs.learning_rates, inputs.best_rates, results, params, runs)
    ablation = ablation_section(inputs.ablation, inputs.ablation_rates, results, params, runs)
    return Report(
        params=params,
        inputs=inputs,
        results=results,
        every_result=every,
        headline=leading,
        several=len(params.seeds) > 1,
        introduction=introduction(results, headline, published.recipe),
        learning_rates=rates,
        published=published_result(published, original, with_own_rates(inputs.best_rates, original))
        if original
        else None,
        gap=gap_section(results, headline, published.recipe, rates) if len(results) > 1 else None,
        steps=steps_section(inputs.ladder, results, params, runs),
        ablation=ablation,
        certainty=certainty(results, leading, inputs.search),
        published_difference=published.lstm.accuracy - published.rnn.accuracy,
        search=search_section(inputs.search, ablation, params, runs) if inputs.search else None,
        delayed_recall=delayed_recall_section(inputs.delayed_recall, ablation, params, runs),
        gain_on_longer=gain_on_longer(
            {
                each.name: (each.settings["pad"]["maxlen"], each.uncertainty["by_length"])
                for each in (leading, *whole.values())
            }
        ),
        elsewhere_on_longer=elsewhere_on_longer(
            {
                name: (result.settings["pad"]["padding"], result.uncertainty["by_length"])
                for name, result in results.items()
                if result is not leading
            }
        ),
        gradients=gradients(inputs.inspection, results, headline),
        gates=gates(inputs.inspection, headline),
        baseline=baseline(bags, leading, audit),
        calibration=calibration_section(results, headline, bags),
        whole_reviews=whole_sections[0] if whole_sections else None,
        reviews=reviews_section(list(every.values()), audit, leading.settings["pad"]["maxlen"]),
        costs=costs_section(inputs.benchmark, leading),
        formulas=formulas(),
        model_card=model_card(inputs.released, results[release], audit),
    )


def draw(inputs: Inputs, report: Report) -> dict[str, Figure]:
    """Return the report's figures, by name."""
    runs, published, accuracies = inputs.runs, report.params.published, report.baseline.accuracies
    data = f"(data of {report.baseline.recipe})"
    baselines = {
        f"bag of words {data}": accuracies["single"],
        f"bag of word pairs {data}": accuracies["pairs"],
    }
    by_length = {name: result.uncertainty["by_length"] for name, result in report.results.items()}
    drawn = {
        "accuracy": comparison.accuracy(runs, published, baselines),
        "learning_curves": comparison.learning_curves(runs, published),
        "roc": comparison.roc(runs),
        "confusion": comparison.confusion(runs),
        "reliability": comparison.reliability(report.calibration.curves),
        "by_length": comparison.by_length(by_length, report.several),
        "gradients": inspection.gradients(inputs.inspection),
        "gates": inspection.gates(inputs.inspection),
        "lengths": reviews.lengths(inputs.audit),
    } | {f"reading_{name}": inspection.reading(each, title) for name, title, each in report.gates.readings}
    if rates := report.learning_rates:
        drawn["learning_rates"] = learning_rates.learning_rates(rates.recipes)
    if report.steps:
        drawn["steps"] = variants.steps(report.steps.steps)
    if report.ablation:
        drawn["ablation"] = variants.ablation(report.ablation.parts, report.ablation.additions)
    if recalled := report.delayed_recall:
        drawn["delayed_recall"] = delayed_recall.delayed_recall(recalled.panels, recalled.delays)
    return drawn
