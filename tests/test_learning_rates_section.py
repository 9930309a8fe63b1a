"""What the report says of learning rates: verdicts, a test for every outcome, table and figure."""

import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import numpy as np
import pytest

from stages.params.study import Params
from stages.reporting.rendering import render
from stages.reporting.report import build_report, draw
from stages.reporting.sections.learning_rates import (
    Measured,
    RecipeRates,
    between,
    cell_rates,
    change,
    edge,
    gap_by_rates,
    gap_by_recipe_and_rates,
    near_ties,
    of_a_near_tie,
    pair_measured,
    robustness,
    share_of_gap,
    who_learns,
    with_fresh_seeds,
)
from stages.reporting.statistics import Estimate, summarise
from tests.examples import CODE, made_up_best_rates, made_up_learning_rates, made_up_scores
from tests.test_report import made_up_inputs, small_params


def rows(accuracies: Mapping[float, list[float]]) -> list[dict[str, Any]]:
    """Return the table's rows of a cell: rate → validation accuracy of each seed; test: 0.1 lower."""
    return [
        {
            "learning_rate": rate,
            "seed": seed,
            "validation_accuracy": value,
            "test_accuracy": round(value - 0.1, 4),
        }
        for rate, values in accuracies.items()
        for seed, value in enumerate(values)
    ]


def test_the_best_rate_is_that_of_the_highest_mean_on_validation_reviews() -> None:
    table = rows({0.1: [0.8, 0.8], 0.2: [0.95, 0.7], 0.3: [0.8, 0.81], 0.4: [0.6, 0.6]})
    table[0]["test_accuracy"] = 1.0  # takes no part
    each = cell_rates(table, own=0.3)
    assert (each.best, each.own, each.at_edge) == (0.2, 0.3, False)
    assert each.near == [0.2, 0.3]  # 0.8 is 2.5 points below 0.825; 0.805 is not
    assert each.test[0.4] == {0: 0.5, 1: 0.5}
    assert cell_rates(table, own=0.25).own is None
    for best in (0.1, 0.4):
        assert cell_rates(rows({0.1: [0.8], 0.2: [0.7], 0.4: [0.7]} | {best: [0.9]}), 0.1).at_edge


def test_rates_at_which_nothing_is_learned_are_not_as_good_as_the_best() -> None:
    assert cell_rates(rows({0.1: [0.51], 0.2: [0.5]}), 0.1).near == []
    assert cell_rates(rows({0.1: [0.76], 0.2: [0.74]}), 0.1).near == [0.1]
    assert cell_rates(rows({0.1: [0.9], 0.2: [0.88]}), 0.1).near == [0.1, 0.2]  # exactly 2 points


def measured(accuracies: list[float], rate: float = 0.1) -> Measured:
    """Return a cell whose fresh seeds reach these accuracies on test reviews, with one rate."""
    return with_fresh_seeds(rows({rate: [value + 0.1 for value in accuracies]}))


def test_both_cells_are_compared_seed_by_seed_on_test_reviews() -> None:
    best = pair_measured({"rnn": measured([0.6, 0.7, 0.8]), "lstm": measured([0.7, 0.7, 0.9], rate=0.2)})
    assert best.rates == {"rnn": 0.1, "lstm": 0.2}
    assert best.accuracy["rnn"] == {"mean": 0.7, "sd": 0.1, "seeds": {"0": 0.6, "1": 0.7, "2": 0.8}}
    # Differences 0.1, 0, 0.1: sd 0.0577, and t(2) at 97.5 % is 4.303.
    assert best.difference == {"mean": 0.0667, "interval": [-0.0768, 0.2101]}
    assert (best.learnt, best.lstm_above) == ({"rnn": 1, "lstm": 1}, 2)


def gap(mean: float, reach: float = 0.01) -> Estimate:
    return {"mean": mean, "interval": [mean - reach, mean + reach]}


CASES = [
    (gap(0.005), gap(-0.005), "level", "at neither is a cell ahead. The second interval includes 0."),
    (
        gap(0.005),
        gap(0.05),
        "shows",
        "own rates hide the difference. The second interval excludes 0: the LST",
    ),
    (
        gap(0.2),
        gap(-0.05),
        "turns",
        "decides which cell is ahead. The second interval excludes 0: the RNN is",
    ),
    (gap(-0.2), gap(0.05), "turns", "decides which cell is ahead. The second interval excludes 0: the LSTM"),
    (
        gap(0.2),
        gap(0.09),
        "shrinks",
        "most of that gap is the learning rate. The second interval excludes 0:",
    ),
    (
        gap(0.2),
        gap(0.05, 0.05),
        "seems to shrink",
        "on average most of that gap is the learning rate, but",
    ),
    (gap(0.2), gap(-0.005), "shrinks", "most of that gap is the learning rate. The second interval includes"),
    (gap(-0.2), gap(-0.09), "shrinks", "most of that gap is the learning rate. The second interval excludes"),
    (gap(0.2), gap(0.1), "stays", "less than half of that gap is the learning rate. The second interval exc"),
    (gap(0.2), gap(0.2), "stays", "less than half of that gap is the learning rate."),
    (gap(0.1), gap(0.2), "grows", "the learning rate does not explain that gap. The second interval exc"),
]


@pytest.mark.parametrize(("own", "best", "outcome", "said"), CASES)
def test_what_becomes_of_the_gap(own: Estimate, best: Estimate, outcome: str, said: str) -> None:
    assert change(own, best) == outcome
    text = gap_by_rates("a", own, best)
    assert text.startswith("With `a`, LSTM − RNN is ") and said in text


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        ("shrinks", "Most of it with `a` and `b`."),
        ("seems to shrink", "On average most of it with `a` and `b`."),
        ("stays", "On average less than half of it with `a` and `b`."),
        ("grows", "On average none of it with `a` and `b`."),
        ("turns", "With `a` and `b` the learning rate decides which cell is ahead."),
        ("shows", "With `a` and `b` the recipe's own rates hide a gap."),
        ("level", "With `a` and `b` no gap is shown."),
    ],
)
def test_how_much_of_the_gap_is_the_learning_rate(outcome: str, said: str) -> None:
    assert share_of_gap({"a": outcome, "b": outcome}) == said


def test_recipes_are_grouped_by_how_much_it_is() -> None:
    assert (
        share_of_gap({"a": "grows", "b": "shrinks"}) == "Most of it with `b`; on average none of it with `a`."
    )
    assert share_of_gap({}) == ""


def test_the_gap_in_words() -> None:
    assert gap_by_rates("a", gap(0.2), gap(0.05)) == (
        "With `a`, LSTM − RNN is +20.0 (+19.0 to +21.0) percentage points at its own rates and +5.0 (+4.0 to "
        "+6.0) with each cell's best: most of that gap is the learning rate. The second interval excludes 0: "
        "the LSTM is ahead."
    )
    assert gap_by_rates("a", gap(0.2), None) == (
        "With `a`, LSTM − RNN is +20.0 (+19.0 to +21.0) percentage points at its own rates. `make "
        "best_rates` measures it with each cell's best."
    )


def test_what_the_gap_goes_with_where_the_interval_reaches_far() -> None:
    def said(headline: float) -> str:
        return gap_by_recipe_and_rates("a", gap(0.3), gap(0.1, 0.1), "b", gap(headline), gap(0.0))

    assert said(0.1).startswith("Either the learning rate or the recipe `b` closes most of it, on average: ")
    assert said(0.2).startswith("The learning rate, more than the cell, on average: ")


@pytest.mark.parametrize(
    ("own", "best", "headline", "said"),
    [
        (0.005, 0.005, 0.2, "There is no gap to explain: "),
        (0.005, 0.3, 0.2, "There is no gap to explain: "),
        (0.3, -0.1, 0.0, "The learning rate decides which cell is ahead: "),
        (0.3, 0.1, 0.0, "Either the learning rate or the recipe `b` closes most of it: "),
        (0.1, 0.03, 0.0, "The learning rate, more than the cell: "),
        (0.3, 0.2, 0.05, "The rest of the recipe, more than the learning rate or the cell: "),
        (0.3, 0.2, 0.15, "Neither the learning rate nor the rest of the recipe explains most of it: "),
    ],
)
def test_what_the_gap_goes_with(own: float, best: float, headline: float, said: str) -> None:
    text = gap_by_recipe_and_rates("a", gap(own), gap(best), "b", gap(0.1), gap(headline))
    assert text.startswith(f"{said}LSTM − RNN is ")


def test_what_the_gap_goes_with_in_words() -> None:
    assert gap_by_recipe_and_rates("a", gap(0.3), gap(0.2), "b", gap(0.1), gap(0.05)).endswith(
        ": LSTM − RNN is +30.0 percentage points with `a` at its own rates and +20.0 with each cell's best, "
        "+10.0 and +5.0 with `b`."
    )


@pytest.mark.parametrize(
    ("lstm", "rnn", "said"),
    [
        ((4, 2), (3, 1), "The LSTM does well with more of the 6 learning rates than the RNN: 4 to 3 with"),
        ((4, 2), (4, 5), "The RNN does well with at least as many of the 6 learning rates as the LSTM: 4 t"),
        ((4, 5), (1, 5), "The LSTM does well with at least as many of the 6 learning rates as the RNN: 4"),
        ((4, 5), (4, 5), "Both cells do well with equally many of the 6 learning rates: 4 to 4 with `a`, "),
        ((4, 2), (1, 5), "Which cell does well with more of the 6 learning rates depends on the recipe: "),
    ],
)
def test_which_cell_does_well_with_more_rates(lstm: tuple[int, int], rnn: tuple[int, int], said: str) -> None:
    near = {name: {"lstm": lstm[i], "rnn": rnn[i]} for i, name in enumerate("ab")}
    text = robustness(near, 6)
    assert text.startswith(said) and text.endswith(f", {lstm[1]} to {rnn[1]} with `b` (LSTM to RNN).")


def test_best_rates_at_an_edge() -> None:
    inside = cell_rates(rows({0.1: [0.8], 0.2: [0.9], 0.3: [0.8]}), 0.1)
    own = pair_measured({"rnn": measured([0.8]), "lstm": measured([0.9])})

    def said(rnn: bool, lstm: bool) -> str:
        cells = {"rnn": inside._replace(at_edge=rnn), "lstm": inside._replace(at_edge=lstm)}
        return edge({"a": RecipeRates(cells, {}, own, None, "")})

    assert said(False, False) == "All best rates lie inside the range that was tried."
    assert said(True, True) == (
        "The RNN's with `a` and the LSTM's with `a` lie at an edge of that range: beyond it may be a better "
        "rate."
    )
    assert said(False, True).startswith("The LSTM's with `a` lies at an edge")


def test_best_rates_that_chance_may_have_chosen() -> None:
    own = pair_measured({"rnn": measured([0.8]), "lstm": measured([0.9])})

    def said(best: list[float], rate: float | None) -> str:
        cell = cell_rates(rows({0.1: best, 0.2: [0.8, 0.8]}), rate or 0.5)
        cells = {"rnn": cell, "lstm": cell._replace(own=None)}
        return near_ties({"a": RecipeRates(cells, {}, own, None, "")})

    near = "For the RNN with `a` that choice was a near tie with its own rate."
    assert said([0.79, 0.83], 0.2) == near  # 1 point ahead; standard deviation 2.8
    assert said([0.82, 0.83], 0.2) == ""  # 2.5 points; 0.7
    assert said([0.79, 0.83], 0.1) == said([0.79, 0.83], None) == ""


def test_a_near_tie_is_measured_with_fresh_seeds_that_both_rates_had() -> None:
    fresh = Measured(0.2, {}, {3: 0.73, 4: 0.71, 9: 0.99})
    assert of_a_near_tie("rnn", fresh, summarise({0: 0.7, 3: 0.72, 4: 0.72})) == (
        # 1 and −1 points: standard deviation 1.41, and t(1) at 97.5 % is 12.706.
        "That 0.2 is the RNN's best rate may be chance: with the seeds 3 and 4, which took no part in the "
        "choice, test accuracy with it minus that with the recipe's own rate is +0.0 (−12.7 to +12.7) "
        "percentage points."
    )
    for own in ({3: 0.7}, {0: 0.7}):
        assert of_a_near_tie("rnn", fresh, summarise(own)).endswith("best rate may be chance.")


def test_a_rate_that_fails_between_two_that_suit() -> None:
    own = pair_measured({"rnn": measured([0.8]), "lstm": measured([0.9])})

    def said(*means: float) -> str:
        cell = cell_rates(
            rows({(i + 1) / 10: [mean - 0.01, mean + 0.01] for i, mean in enumerate(means)}), 0.1
        )
        return between({"a": RecipeRates({"rnn": cell, "lstm": cell._replace(near=[])}, {}, own, None, "")})

    assert said(0.6, 0.9, 0.9) == said(0.9, 0.9, 0.6) == said(0.6, 0.6, 0.6) == ""
    assert said(0.9, 0.6, 0.6, 0.9, 0.5) == (
        "With `a` the RNN does well with a lower and a higher rate than 0.2, but with that one validation "
        "accuracy is 59.0 % to 61.0 %. With `a` the RNN does well with a lower and a higher rate than 0.3, "
        "but with that one validation accuracy is 59.0 % to 61.0 %."
    )


def test_how_many_runs_learn_with_the_best_rate() -> None:
    def said(rnn: list[float], lstm: list[float]) -> str:
        return who_learns({"a": pair_measured({"rnn": measured(rnn), "lstm": measured(lstm)})})

    assert said([0.8, 0.76], [0.9, 0.9]) == ""
    assert said([0.8, 0.75], [0.9, 0.9]) == (
        "Even with the best rate not every run learns: 1 of 2 runs of the RNN with `a` get more than 75 % of "
        "the test reviews right."
    )
    both = "1 of 2 runs of the RNN with `a` and 0 of 2 runs of the LSTM with `a` get"
    assert both in said([0.5, 0.8], [0.5, 0.5])


RUNS = {
    "notebook": {seed: made_up_scores(0.55, 0.86) for seed in (0, 1)},
    "tuned": {seed: made_up_scores(0.84, 0.85, padding="pre") for seed in (0, 1)},
}
HEADING = "## How much of the gap is the learning rate?"


def report(
    rnn: list[float], lstm: list[float], fresh: tuple[list[float], list[float]] | None, runs: Any = RUNS
) -> str:
    """Return the report where each rate reaches this accuracy, with each recipe.

    fresh: what the RNN's and the LSTM's fresh seeds reach with the best; None: they were not trained.
    """
    params = small_params(runs)
    study = made_up_learning_rates(params, runs, rnn, lstm)
    measured = made_up_best_rates(params, runs, *fresh) if fresh else {}
    inputs = made_up_inputs(params, runs, learning_rates=study, best_rates=measured)
    return render("report.md", **build_report(params, inputs)._asdict())


def part(text: str, heading: str = HEADING) -> str:
    return text.split(heading)[1].split("\n## ")[0]


def test_a_gap_that_the_best_rate_closes_is_said_to_be_the_rates() -> None:
    text = report(rnn=[0.85, 0.55, 0.5], lstm=[0.84, 0.86, 0.85], fresh=([0.849, 0.851], [0.861, 0.863]))
    section = part(text)
    assert "**Most of it with `notebook`; on average none of it with `tuned`. The LSTM does well" in section
    assert "above 75 % and at most 2 percentage points below its best." in section
    assert "with each cell's best: most of that gap is the learning rate." in section
    own, best = (
        re.search(rf"\| `notebook` \| {which} \|.*", section) for which in ("its own", "each cell's best")
    )
    assert own and "| 0.001 | 0.001 | 2 of 2 | 55.0 ± 0.0 % | 86.0 ± 0.0 % | 0 and 2 | +31.0 (" in own[0]
    assert best and "| 0.0001 | 0.001 | 2 of 2 | 85.0 ± 0.1 % | 86.2 ± 0.1 % | 2 and 2 | +1.2 (" in best[0]
    assert "not every run learns" not in text
    assert "is measured with the seeds 2, 3, which took no part in the choice." in section
    assert "The RNN's with `notebook` and the RNN's with `tuned` lie at an edge of that range: " in section
    assert "figures/learning_rates.png" in section and "Out of date" not in section
    assert "**Either the learning rate or the recipe `tuned` closes most of it: " in part(
        text, "## What explains the gap?"
    )
    opening = text.split("![")[0]
    assert "validation chose for each cell, LSTM − RNN in percentage points is +1.2 (" in opening
    row = "| LSTM − RNN, each with the learning rate that validation chose |"
    assert f"{row} – | +1.2 | +1.2 |" in text.split(HEADING)[0]
    assert (
        "\nThe last row is a mean over the seeds 2, 3, which took no part in choosing"
        in text.split(HEADING)[0]
    )
    assert text.index("figures/accuracy.png") < text.index(HEADING) < text.index("## Is the published result")


def test_where_the_rnn_wins_the_report_says_so() -> None:
    runs = {
        "notebook": {seed: made_up_scores(0.86, 0.55 + seed / 100) for seed in (0, 1)},
        "tuned": {seed: made_up_scores(0.9, 0.8, padding="pre") for seed in (0, 1)},
    }
    text = report([0.87, 0.88, 0.87], [0.5, 0.6, 0.8], ([0.88, 0.88], [0.8, 0.79]), runs)
    assert "the RNN is ahead of the LSTM" in text.split("![")[0]
    said = (
        "**Most of it with `notebook`; on average less than half of it with `tuned`. The RNN does well with"
    )
    assert said in part(text)
    assert part(text).count("The second interval excludes 0: the RNN is ahead.") == 2
    assert "the LSTM is ahead" not in text
    turned = part(report([0.7, 0.6, 0.88], [0.7, 0.8, 0.7], ([0.88, 0.88], [0.8, 0.8])))
    assert "the learning rate decides which cell is ahead. The second interval excludes 0: the RNN" in turned


def test_recipes_whose_own_rates_were_not_tried() -> None:
    runs = deepcopy(RUNS)
    for run in runs["tuned"].values():
        run["settings"]["rnn"]["learning_rate"] = 0.002
    text = report([0.85, 0.55, 0.5], [0.84, 0.86, 0.85], ([0.85, 0.85], [0.86, 0.86]), runs)
    assert "| `tuned` | its own | 0.002 | 0.001 | 2 of 2 |" in part(text)


def test_fresh_seeds_with_the_published_settings_stand_beside_the_published_result() -> None:
    """The LSTM's best rate is the recipe's own, the RNN's is another."""
    fresh = [0.85, 0.85], [0.81, 0.86]
    text = report([0.85, 0.55, 0.5], [0.84, 0.86, 0.85], fresh)
    published = part(text, "## Is the published result right?")
    assert "| plain RNN | 58.2 % | 2 | 55.0 % to 55.0 % | 55.0 to 55.0 % | 3.2 points above" in published
    # 0.86, 0.86, 0.81, 0.86: mean 0.8475, sd 0.025, t(3) at 97.5 % is 3.182, and √1.25.
    assert "| 4 | 81.0 % to 86.0 % | 75.8 to 93.7 % | 24.5 points below" in published
    one_seed = {name: {0: seeds[0]} for name, seeds in RUNS.items()}
    text = report([0.85, 0.55, 0.5], [0.84, 0.86, 0.85], fresh, one_seed)
    published = part(text, "## Is the published result right?")
    assert "| plain RNN | 58.2 % | 1 | 55.0 % | – | 3.2 points" in published
    assert "| 3 | 81.0 % to 86.0 % | 70.0 to 98.7 % |" in published
    params = small_params(RUNS)
    other = made_up_best_rates(params, {"notebook": RUNS["tuned"], "tuned": RUNS["tuned"]}, *fresh)
    inputs = made_up_inputs(params, RUNS, best_rates=other)  # its `notebook` has other settings
    text = render("report.md", **build_report(params, inputs)._asdict())
    assert "| 2 | 86.0 % to 86.0 % | 86.0 to 86.0 % |" in part(text, "## Is the published result right?")


def test_best_rates_that_were_not_measured() -> None:
    text = report([0.85, 0.55, 0.5], [0.84, 0.86, 0.85], None)
    assert part(text).count("`make best_rates` measures it with each cell's best.") == 2
    assert "each cell's best |" not in text and "best learning rate" not in text
    assert "at their own learning rates.**" in part(text, "## What explains the gap?")


def test_a_run_that_does_not_learn_is_told_beside_those_that_do() -> None:
    text = report([0.85, 0.55, 0.5], [0.84, 0.86, 0.85], ([0.85, 0.55], [0.86, 0.86]))
    said = "1 of 2 runs of the RNN with `notebook` and 1 of 2 runs of the RNN with `tuned` get more than 75 %"
    assert said in part(text) and said in text.split("![")[0]
    assert "| 70.0 ± 21.2 % | 86.0 ± 0.0 % | 1 and 2 | +16.0 (" in text


def test_a_best_rate_that_is_no_longer_the_best_is_told() -> None:
    """Measured were 0.0001 for the RNN and 0.001 for the LSTM; tried 0.0001, 0.001 and 0.01."""
    fresh = ([0.85, 0.85], [0.86, 0.86])
    assert "The best rate is another" not in report([0.85, 0.8, 0.8], [0.8, 0.85, 0.8], fresh)
    for measured_too in (fresh, None):
        assert (
            "**The best rate is another one than in `best_rates`: 0.01 for the RNN with `notebook` and 0.01 "
            "for the RNN with `tuned`.**"
        ) in part(report([0.8, 0.8, 0.85], [0.8, 0.85, 0.8], measured_too))
    assert "0.0001 for the LSTM with `tuned`.**" in part(report([0.85, 0.8, 0.8], [0.9, 0.8, 0.8], fresh))


def test_one_recipe_alone_was_measured() -> None:
    params = small_params(RUNS)
    study = made_up_learning_rates(params, RUNS, [0.85, 0.55, 0.5], [0.84, 0.86, 0.85])
    best = made_up_best_rates(params, RUNS, [0.85, 0.85], [0.86, 0.86])
    best["runs"] = [run for run in best["runs"] if run["recipe"] == "tuned"]
    inputs = made_up_inputs(params, RUNS, learning_rates=study, best_rates=best)
    text = render("report.md", **build_report(params, inputs)._asdict())
    assert "percentage points is +1.0 (+1.0 to +1.0) with `tuned`." in text.split("![")[0]
    row = "| LSTM − RNN, each with the learning rate that validation chose |"
    assert f"{row} – | – | +1.0 |" in text.split(HEADING)[0]
    assert "with `notebook`, LSTM − RNN is" in part(text).replace("With", "with")
    assert part(text).count("`make best_rates` measures it with each cell's best.") == 1
    assert "at their own learning rates.**" in part(text, "## What explains the gap?")


def test_measured_rates_without_those_that_chose_them_are_not_shown() -> None:
    params = small_params(RUNS)
    best = made_up_best_rates(params, RUNS, [0.85, 0.85], [0.86, 0.86])
    text = render(
        "report.md", **build_report(params, made_up_inputs(params, RUNS, best_rates=best))._asdict()
    )
    assert "This run does not say" in part(text) and "best learning rate" not in text
    # Nor is a row of dashes, where none of the recipes that are shown was measured.
    study = made_up_learning_rates(params, RUNS, [0.85, 0.55, 0.5], [0.84, 0.86, 0.85])
    best["runs"] = [run | {"recipe": "other"} for run in best["runs"]]
    inputs = made_up_inputs(params, RUNS, learning_rates=study, best_rates=best)
    text = render("report.md", **build_report(params, inputs)._asdict())
    assert "best learning rate" not in text and "The last row" not in text


def test_without_the_study_one_sentence_says_how_to_run_it() -> None:
    params = small_params(RUNS)
    inputs = made_up_inputs(params, RUNS)
    made = build_report(params, inputs)
    text = render("report.md", **made._asdict())
    assert "best learning rate" not in text.split(HEADING)[0]
    assert part(text).strip() == (
        "This run does not say: `make learning_rates` trains the recipes with other learning rates "
        "than their own."
    )
    assert "**The recipe, more than the cell: LSTM − RNN is +31.0 " in part(text, "## What explains the gap?")
    assert "learning_rates" not in draw(inputs, made)


def changed(params: Params, **changes: Any) -> Params:
    return params.model_copy(update={"learning_rates": params.learning_rates.model_copy(update=changes)})


def test_a_study_of_other_parameters_or_code_is_out_of_date() -> None:
    params = small_params(RUNS)

    def said(params: Params = params, **changes: Any) -> str:
        study = made_up_learning_rates(small_params(RUNS), RUNS, [0.85, 0.8, 0.8], [0.8, 0.85, 0.8]) | changes
        made = build_report(params, made_up_inputs(params, RUNS, learning_rates=study)).learning_rates
        assert made
        return made.out_of_date

    assert said() == ""
    assert said(changed(params, recipes=("tuned",))) == ""  # as in the copy of `make quick`
    for name, value in (("recipes", ("tuned", "more")), ("seeds", (0, 7)), ("learning_rate", (0.1, 0.2))):
        assert said(changed(params, **{name: value})) == (
            f"**Out of date: `learning_rates.{name}` has changed since; "
            "`make learning_rates` runs it again.**"
        )
    assert "`stages/networks/training.py` has" in said(provenance={"code": dict.fromkeys(CODE, "b" * 64)})
    settings = made_up_learning_rates(params, RUNS, [0.8] * 3, [0.8] * 3)["settings"]
    settings["tuned"]["train"]["epochs"] = 99
    assert "`tuned.train.epochs` has changed since" in said(settings=settings)


def test_best_rates_of_other_parameters_or_code_are_out_of_date() -> None:
    params = small_params(RUNS)
    study = made_up_learning_rates(params, RUNS, [0.85, 0.8, 0.8], [0.8, 0.85, 0.8])

    def said(params: Params = params, **changes: Any) -> str:
        measured = made_up_best_rates(small_params(RUNS), RUNS, [0.85, 0.85], [0.86, 0.86]) | changes
        inputs = made_up_inputs(params, RUNS, learning_rates=study, best_rates=measured)
        made = build_report(params, inputs).learning_rates
        assert made
        return made.out_of_date

    def asking(**update: Any) -> Params:
        return params.model_copy(update={"best_rates": params.best_rates.model_copy(update=update)})

    assert said() == said(asking(rates=params.best_rates.rates[:1])) == ""
    other = params.best_rates.rates[0].model_copy(update={"rnn": 0.5})
    for name, value in (("seeds", (7, 8)), ("rates", (other,))):
        assert said(asking(**{name: value})).endswith(
            f"**Out of date: `best_rates.{name}` has changed since; `make best_rates` runs it again.**"
        )
    assert "`stages/networks/training.py` has" in said(provenance={"code": dict.fromkeys(CODE, "b" * 64)})
    settings = made_up_best_rates(params, RUNS, [0.8] * 2, [0.8] * 2)["settings"]
    settings["tuned"]["train"]["epochs"] = 99
    assert "`tuned.train.epochs` has changed since" in said(settings=settings)
    study["provenance"] = {"code": dict.fromkeys(CODE, "b" * 64)}
    both = said(asking(seeds=(7, 8)))
    assert "`make learning_rates` runs it again.** **Out of date: " in both and both.count("**") == 4


def test_recipes_that_the_main_study_no_longer_has_are_not_shown() -> None:
    study = made_up_learning_rates(small_params(RUNS), RUNS, [0.8, 0.85, 0.8], [0.8, 0.85, 0.8])
    for runs, shown in (({"tuned": RUNS["tuned"]}, ["tuned"]), ({"mine": RUNS["tuned"]}, None)):
        params = small_params(runs, headline=next(iter(runs)))
        made = build_report(params, made_up_inputs(params, runs, learning_rates=study)).learning_rates
        assert (list(made.recipes) if made else None) == shown


@pytest.mark.parametrize("names", [["tuned"], ["notebook", "tuned"]])
def test_the_figure_has_every_seed_and_the_recipes_own_rate(names: list[str]) -> None:
    runs = {name: RUNS[name] for name in names}
    params = small_params(runs)
    study = made_up_learning_rates(params, runs, [0.8, 0.85, 0.8], [0.8, 0.85, 0.9])
    measured = made_up_best_rates(params, runs, [0.7, 0.8], [0.8, 0.9])
    inputs = made_up_inputs(params, runs, learning_rates=study, best_rates=measured)
    figure = draw(inputs, build_report(params, inputs))["learning_rates"]
    assert [axes.get_title() for axes in figure.axes] == 2 * names
    assert [axes.get_ylabel().split()[0] for axes in figure.axes[:: len(names)]] == ["validation", "test"]
    for axes in figure.axes:
        dots = sum(np.size(line.get_ydata()) for line in axes.lines if line.get_marker() == "o")
        assert dots == 2 * 3 * 2 + 2  # cells × rates × seeds, and a ring for each cell
        fresh = [np.size(line.get_ydata()) for line in axes.lines if line.get_marker() == "D"]
        assert fresh == [2, 2]
