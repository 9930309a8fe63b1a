"""The report's sections, tables and figures, on made-up results."""

import json
import re
from copy import deepcopy
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

from stages import evaluate
from stages.params.study import BestRates, Params
from stages.reporting import formatting, tables
from stages.reporting.comparison import Result, changed_settings, compare_recipes, length_bins
from stages.reporting.rendering import render
from stages.reporting.report import Inputs, Report, build_report, draw
from stages.reporting.sections.costs import cell_costs
from stages.reporting.sections.search import best_rows, ends, places
from stages.runtime import files
from stages.runtime.errors import StageError
from stages.scoring.packing import pack
from tests.examples import (
    CODE,
    REVIEWS,
    example_params,
    made_up_audit,
    made_up_bags,
    made_up_benchmark,
    made_up_inspection,
    made_up_recall,
    made_up_release,
    made_up_scores,
    made_up_search,
    made_up_whole_reviews,
)

TWO_SEEDS = {0: made_up_scores(0.55, 0.86), 1: made_up_scores(0.58, 0.87)}
LEVEL = {0: made_up_scores(0.6, 0.6), 1: made_up_scores(0.6, 0.6)}
Results = dict[str, dict[int, dict[str, Any]]]  # recipe → seed → scores


def small_params(runs: Results, headline: str = "tuned", published: str = "notebook") -> Params:
    """The tests' parameters for these recipes and seeds; the headline is released, too."""
    params = example_params()
    blocks = {
        **params.blocks,
        **dict.fromkeys(runs, params.blocks["notebook"]),
        "tuned": params.blocks["tuned"],
    }
    return params.model_copy(
        update={
            "recipes": tuple(runs),
            "seeds": tuple(next(iter(runs.values()))),
            "comparison": params.comparison.model_copy(update={"headline": headline}),
            "learning_rates": params.learning_rates.model_copy(update={"recipes": tuple(runs)}),
            "best_rates": params.best_rates.model_copy(
                update={"rates": tuple(BestRates(recipe=name, rnn=0.0001, lstm=0.001) for name in runs)}
            ),
            "release": params.release.model_copy(update={"recipe": headline}),
            "published": params.published.model_copy(update={"recipe": published}),
            "blocks": blocks,
        }
    )


def made_up_inputs(params: Params, runs: Results, **changes: Any) -> Inputs:
    """What `evaluate` would read; changes: of its fields. The runs of the highest seed are released."""
    recipe = params.release.recipe
    inputs = Inputs(
        runs=runs,
        audit=made_up_audit(),
        bag_of_words=made_up_bags(),
        benchmark=made_up_benchmark(),
        delayed_recall=made_up_recall(params),
        inspection=dict.fromkeys(runs, made_up_inspection()),
        learning_rates={},
        best_rates={},
        released=made_up_release(recipe, max(runs.get(recipe, [0]))),
        search=made_up_search(params) | {"provenance": {"code": CODE}},
        whole_reviews={},
        ablation={},
        ablation_rates={},
        ladder={},
    )
    return inputs._replace(**changes)


def build(runs: Results, params: Params | None = None, **changes: Any) -> Report:
    """Return the report on made-up runs."""
    params = params or small_params(runs)
    return build_report(params, made_up_inputs(params, runs, **changes))


def report(runs: Results, params: Params | None = None, name: str = "report.md", **changes: Any) -> str:
    """Return the text of one of the report's files."""
    return render(name, **build(runs, params, **changes)._asdict())


def section(heading: str, *arguments: Any, **changes: Any) -> str:
    """Return the part of the report below a heading."""
    return report(*arguments, **changes).split(f"## {heading}")[1].split("\n## ")[0]


def test_words_for_numbers() -> None:
    assert formatting.percent(0.86041) == "86.0 %"
    assert formatting.percent(0.86041, 2) == "86.04 %"
    assert formatting.points(0.0104) == "+1.0"
    assert formatting.points(-0.0104) == "−1.0"
    assert formatting.points(-0.0001) == "+0.0"
    assert formatting.spread({"mean": 0.8604, "sd": 0.0031}) == "86.0 ± 0.3 %"
    assert formatting.spread({"mean": 0.8604, "sd": None}) == "86.0 %"
    assert formatting.lead({"mean": 0.0104, "interval": [-0.002, 0.021]}) == "+1.0 (−0.2 to +2.1)"
    assert formatting.bounds([0.85, 0.9012]) == "85.0 to 90.1 %"
    assert [formatting.number(each) for each in (12345, 0.0000123, 0.25)] == ["12,345", "1.2e-05", "0.25"]
    assert [formatting.p_value(each) for each in (0.000503, 1e-250)] == ["0.0005", "< 1e-200"]
    assert [formatting.listed(["a", "b", "c"][:number]) for number in range(4)] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert formatting.fixed(0.31234, 3) == "0.312" and formatting.fixed(9.6) == "10"
    settings = [formatting.setting(each) for each in (None, False, 0.0, 1e-05, 1e-07)]
    assert settings == ["none", "False", "0.0", "0.00001", "1e-07"]


def test_the_first_paragraph() -> None:
    runs = {"notebook": TWO_SEEDS, "tuned": LEVEL}
    first = report(runs).split("![")[0]
    assert (
        "With a published notebook's settings" in first and "the LSTM is ahead of the RNN: the RNN" in first
    )
    assert "Trained as `tuned`, the RNN gets 60.0 ± 0.0 %" in first
    assert "right: neither is ahead, LSTM − RNN is +0.0 (+0.0 to +0.0) percentage points." in first
    assert (
        "With `tuned`, given different train reviews, both models fall behind a bag-of-words model" in first
    )
    without = report({"mine": TWO_SEEDS, "tuned": LEVEL}).split("![")[0]
    assert "With the recipe `mine`, the LSTM is ahead of the RNN" in without
    alone = report({"tuned": TWO_SEEDS}).split("![")[0]
    assert "With the recipe `tuned`, the LSTM" in alone and "Trained as" not in alone


def test_the_table_of_results() -> None:
    runs = {"notebook": {0: made_up_scores(0.56, 0.86)}, "tuned": {0: made_up_scores(0.85, 0.87)}}
    assert report(runs, name="results.md").splitlines() == [
        "| test accuracy | published | `notebook`, measured | `tuned`, measured |",
        "| --- | ---: | ---: | ---: |",
        "| plain RNN | 58.2 % | 56.0 % | 85.0 % |",
        "| LSTM | 56.5 % (a second RNN) | 86.0 % | 87.0 % |",
        "| LSTM − RNN, percentage points | −1.6 | +30.0 | +2.0 |",
    ]


def test_the_published_lstm_is_placed_among_the_runs() -> None:
    text = section("Is the published result right?", {"notebook": TWO_SEEDS, "tuned": LEVEL})
    assert '**No. The published "LSTM" is no LSTM' in text
    assert "29.5 points below the lowest of the LSTMs, within the range of the RNNs |" in text
    assert (
        "| plain RNN | 58.2 % | 2 | 55.0 % to 58.0 % | 23.5 to 89.5 % | 0.2 points above the highest" in text
    )
    assert "32,896" in text and "131,584" in text
    runs = {"mine": TWO_SEEDS, "tuned": LEVEL}
    text = section("Is the published result right?", runs, small_params(runs, published="notebook"))
    assert "The recipe `notebook`, which has the published settings, is not among" in text
    text = section("Is the published result right?", runs, small_params(runs, published="mine"))
    assert '**No. The published "LSTM" is no LSTM' in text


def test_what_changes_from_recipe_to_recipe() -> None:
    tuned = {0: made_up_scores(0.85, 0.87, padding="pre")}
    text = section("What explains the gap?", {"notebook": {0: made_up_scores(0.56, 0.86)}, "tuned": tuned})
    assert "**The recipe, more than the cell: LSTM − RNN is +30.0 percentage points" in text
    assert "| `notebook` | 56.0 % | 86.0 % | +30.0 (" in text and ") | – | – |" in text
    assert "| `tuned` | 85.0 % | 87.0 % |" in text and "| +29.0 | +1.0 |" in text
    assert "| `pad.padding` | post | pre |" in text
    assert "What this does not say: `notebook` and `tuned` differ in one thing.\n" in text
    assert "Only one recipe was run, `tuned`" in section("What explains the gap?", {"tuned": tuned})


@pytest.mark.parametrize(
    ("padding", "mask", "blamed"), [("post", False, True), ("pre", False, False), ("post", True, False)]
)
def test_only_zeros_that_are_read_after_the_text_are_blamed(padding: str, mask: bool, blamed: bool) -> None:
    run = made_up_scores(0.56, 0.86, padding=padding)
    run["settings"]["model"]["mask_zero"] = mask
    text = report({"notebook": {0: run}, "tuned": {0: made_up_scores(0.8, 0.8)}})
    assert ("zeros stand between" in text) == ("31.5 per test review" in text) == blamed


def test_a_recipe_that_leads_and_comes_first_explains_no_gap() -> None:
    text = section("What explains the gap?", {"tuned": TWO_SEEDS, "other": LEVEL})
    assert "**" not in text and "| `other` |" in text


def test_another_recipe_at_the_end_moves_nothing_else() -> None:
    """No headline, no released model, no other recipe's numbers."""
    runs = {"notebook": TWO_SEEDS, "tuned": {seed: made_up_scores(0.8, 0.85, "mean") for seed in (0, 1)}}
    other = {seed: made_up_scores(0.9, 0.7) for seed in (0, 1)}
    short = made_up_inspection(positions=5)
    before, after = (
        build(runs),
        build(
            runs | {"other": other}, inspection={**dict.fromkeys(runs, made_up_inspection()), "other": short}
        ),
    )
    assert list(after.results) == ["notebook", "tuned", "other"]
    moved = {name for name, value in before._asdict().items() if getattr(after, name) != value}
    assert moved == {
        *("params", "inputs", "results", "every_result", "gap", "gradients", "gates", "reviews"),
        *("certainty", "calibration"),
    }
    assert before.calibration.verdict == after.calibration.verdict
    assert {name: after.results[name] for name in runs} == before.results
    assert before.gap and after.gap and after.gap.verdict == before.gap.verdict
    assert after.gates.verdict == before.gates.verdict and after.reviews.nearness == before.reviews.nearness
    assert after.gradients.rows[: len(before.gradients.rows)] == before.gradients.rows
    assert after.gradients.rows[-1].left[-1] is None  # its reviews are too short
    first = [render("report.md", **each._asdict()).split("![")[0] for each in (before, after)]
    assert first[0] == first[1]
    cards = [render("model_card.md", **each._asdict()) for each in (before, after)]
    assert cards[0] == cards[1]
    numbers = evaluate.json_texts(after)
    for name, text in evaluate.json_texts(before).items():
        moved_numbers = json.loads(numbers[name])
        assert moved_numbers.pop("other") and moved_numbers == json.loads(text)


def test_which_cell_is_better() -> None:
    text = section(
        "Which cell is better", {"tuned": {0: made_up_scores(0.5, 0.7), 4: made_up_scores(0.5, 0.71)}}
    )
    assert "**With `tuned`, the LSTM is ahead of the RNN: LSTM − RNN is +20.5 (" in text
    assert "| 100 % of 4 pairs |\n" in text and "2 seeds cannot tell whether runs are normal" in text
    assert "After Holm's" not in text  # it is one recipe
    assert "| `tuned` | LSTM | 4 | 2 | 71.0 % | 71.0 % | 0.500 | 0.710 | 0.710 |" in text


def test_the_tests_of_several_recipes_are_corrected() -> None:
    runs = {"notebook": LEVEL, "tuned": {seed: made_up_scores(0.5, 0.55) for seed in (0, 1)}}
    text = section("Which cell is better", runs)
    assert "After Holm's correction for 2 recipes, p is below 0.05 for `tuned` only." in text
    assert "| `notebook` | +0.0 (+0.0 to +0.0) | 1 | 1 | 50 % of 4 pairs |" in text
    made = build(runs)
    assert made.certainty.corrected["tuned"] == 2 * made.results["tuned"].uncertainty["p_value"] < 0.05


def test_the_seeds_that_chose_the_headlines_settings_are_told_from_the_others() -> None:
    leads = {0: 0.3, 1: 0.3, 2: 0.1, 3: 0.1}  # the search has the seeds 0 and 1
    runs = {"tuned": {seed: made_up_scores(0.5, 0.5 + lead) for seed, lead in leads.items()}}
    text = section("Which cell is better", runs)
    assert "LSTM − RNN is +20.0 (" in text
    assert (
        "Seeds 0 and 1 also chose settings of `tuned`, in the search; with the seeds 2 and 3 alone, LSTM − "
        "RNN is +10.0 (+10.0 to +10.0), an interval over seeds."
    ) in text
    for few in ((0, 1), (0, 1, 2)):  # nothing to compare
        some = {"tuned": {seed: runs["tuned"][seed] for seed in few}}
        assert "also chose settings" not in report(some)
    assert "also chose settings" not in report(runs, search={})


def test_a_single_seed_is_said_to_be_one() -> None:
    runs = {"notebook": {0: made_up_scores(0.5, 0.6)}, "tuned": {0: made_up_scores(0.5, 0.6)}}
    params = small_params(runs)
    recall = params.delayed_recall.model_copy(update={"seeds": (0,)})
    params = params.model_copy(update={"delayed_recall": recall})
    one = report(runs, params, delayed_recall=made_up_recall(params))
    assert "**One seed: each figure is that of one run." in one and "What one seed cannot show" in one
    assert "| plain RNN | 58.2 % | 1 | 50.0 % | 8.2 points above" in one
    assert not re.search(r"±|over (all )?seeds|of 1 pairs|median test|1 seeds", one)


def search_with(params: Params, **changes: Any) -> dict[str, Any]:
    """A search that is up to date, but for what is changed."""
    return made_up_search(params) | {"provenance": {"code": CODE}} | changes


def test_whether_a_recipe_is_what_the_search_chose() -> None:
    runs = {"tuned": TWO_SEEDS}
    text = section("Is the tuning fair?", runs)
    assert (
        "`tuned` has what it chose. The other settings were set by hand or by former searches.** "
        "That both cells share" in text
    )
    assert "Chosen are `model.pooling` mean" in text
    assert "Out of date" not in text and "`make search` runs the search again.\n" in text
    assert "| RNN | 0.001 | mean | 0.00001 | 90.00 % | 90.00 % | 90.00 % | 2, 2 | yes |" in text
    assert "The LSTM's learning rate lies inside the grid; the RNN's learning rate and `train" in text
    assert "is the last of 5 in 0 of 24 runs of the RNN and in 0 of 24 runs of the LSTM" in text
    assert "[How the recipes came about](history.md)" in text
    search = search_with(small_params(runs))
    search["chosen"]["learning_rates"]["rnn"] = 0.123
    text = section("Is the tuning fair?", runs, search=search)
    assert "no longer what the search chose: `rnn.learning_rate` was changed since" in text


def test_a_search_of_other_parameters_or_code_is_out_of_date() -> None:
    runs = {"tuned": TWO_SEEDS}
    params = small_params(runs)
    asked = {"seeds": (0, 7), "learning_rate": (0.001,), "pooling": ("max",), "epsilon": (0.1,)}
    for name, value in asked.items():
        changed = params.model_copy(update={"search": params.search.model_copy(update={name: value})})
        text = report(runs, changed, search=search_with(params))
        assert f"**Out of date: `search.{name}` has changed since; `make search` runs it again.**" in text
    code = dict.fromkeys(CODE, "b" * 64) | {"stages/choose.py": "c" * 64}
    text = report(runs, search=search_with(params, provenance={"code": code}))
    assert "**Out of date: `stages/networks/training.py` has changed since; `make search`" in text
    text = report(runs, search=search_with(params, provenance={}))
    assert "not recorded which code made this; `make search`" in text
    settings = search_with(params)["settings"]
    settings = {**settings, "train": settings["train"] | {"epochs": 99}}
    text = report(runs, search=search_with(params, settings=settings))
    assert "**Out of date: `tuned.train.epochs` has changed since; `make search`" in text


def test_choices_inside_of_what_was_tried_and_at_its_edges() -> None:
    def found(rnn: float, lstm: float, units: int, tried: tuple[int, ...] = (8, 16, 32)) -> Any:
        rows = [
            {"learning_rate": rate, "settings": {"model.units": each, "train.global_clipnorm": clip}}
            for rate, each, clip in product((0.1, 0.2, 0.3), tried, (None, 1.0))
        ]
        settings = {"model.units": units, "train.global_clipnorm": None}
        chosen = {"learning_rates": {"rnn": rnn, "lstm": lstm}, "settings": settings}
        return places({"chosen": chosen, "rows": rows})

    rates = ["the RNN's learning rate", "the LSTM's learning rate"]
    assert found(0.2, 0.2, 16) == ([*rates, "`model.units`"], [])
    assert found(0.1, 0.3, 32) == ([], [*rates, "`model.units`"])
    assert found(0.1, 0.2, 16) == ([rates[1], "`model.units`"], rates[:1])
    assert found(0.2, 0.2, 8, tried=(8,)) == (rates, [])  # no choice, so no edge


def test_how_many_runs_end_with_their_best_epoch() -> None:
    epochs = {"rnn": ({"0": 3, "1": 2}, {"0": 3, "1": 3}), "lstm": ({"0": 1, "1": 2}, {"0": 2, "1": 1})}
    rows = [{"cell": cell, "epochs": each} for cell, both in epochs.items() for each in both]
    assert ends(rows, 3) == {"rnn": (3, 4), "lstm": (0, 4)}


def test_a_cells_best_under_the_shared_settings_and_under_any() -> None:
    rows = [
        {"cell": cell, "settings": {"model.pooling": pooling}, "mean": mean}
        for cell, pooling, mean in (
            ("rnn", "last", 0.9),
            ("rnn", "mean", 0.7),
            ("rnn", "mean", 0.8),
            ("lstm", "mean", 0.95),
        )
    ]
    search = {"chosen": {"settings": {"model.pooling": "mean"}}, "rows": rows}
    assert best_rows(search, "rnn") == (rows[2], rows[0])
    assert best_rows(search, "lstm") == (rows[3], rows[3])


def test_a_search_that_was_never_run_is_said_to_be() -> None:
    text = section("Is the tuning fair?", {"tuned": TWO_SEEDS}, search={})
    assert "was not trained yet: `make search` does it." in text and "|" not in text


def test_what_all_candidates_have_alike_is_no_column() -> None:
    runs = {"tuned": TWO_SEEDS}
    search = search_with(small_params(runs))
    search["rows"] = [row for row in search["rows"] if row["settings"]["train.epsilon"] == 1e-05]
    text = section("Is the tuning fair?", runs, search=search)
    assert "| cell | learning rate | `model.pooling` | validation" in text
    assert "All candidates have `train.epsilon` 0.00001." in text
    assert "| RNN | 0.001 | mean | 90.00 % | 90.00 % | 90.00 % | 2, 2 | yes |" in text


def test_whole_reviews() -> None:
    runs = {"tuned": {0: made_up_scores(0.6, 0.9)}}
    whole = made_up_whole_reviews(small_params(runs), 0.7, 0.8)
    text = report(runs, whole_reviews=whole)
    part = text.split("## Is a recurrent model worth it?")[1].split("\n## ")[0]
    assert "the last 1,200 tokens with a vocabulary of 30,000, the RNN gets 70.0" in part
    assert "the LSTM is ahead of the RNN, LSTM − RNN is +10.0 (" in part and "Out of date" not in part
    assert "| `pad.num_words` | 10000 | 30000 |" in part
    assert "RNN mean 90.00 %, RNN max 90.00 %, LSTM mean 90.00 %, LSTM max 90.00 %." in part
    assert "| RNN | `long` | 1,200 | 30,000 | 1,570 | 70.0 % | 70.0 % | – | – | – |" in part
    assert part.count(" | yes |") == 2  # the models of whole reviews and their baselines
    assert "what a model with pretrained embeddings would reach" in part
    assert "| `tuned`, measured | `long`, measured |" in text.split("## ")[0]
    for part in text.split("\n## ")[1:4]:
        assert "`long`" not in part, part  # it is no rung of the ladder
    without = report(runs)
    assert "or one that reads whole reviews, would reach" in without and "`long`, measured" not in without


@pytest.mark.parametrize(
    ("checkpoint", "said"),
    [
        ("best", "the last of 5 in 1 of 1 runs of the RNN and in 0 of 1 runs of the LSTM: more"),
        ("last", None),
    ],
)
def test_whole_reviews_whose_last_epoch_is_the_best(checkpoint: str, said: str | None) -> None:
    runs = {"tuned": {0: made_up_scores(0.6, 0.9)}}
    whole = deepcopy(made_up_whole_reviews(small_params(runs), 0.7, 0.8))
    for run in whole["runs"].values():
        run["settings"]["train"]["checkpoint"] = checkpoint
        run["rnn"]["kept_epoch"] = run["settings"]["train"]["epochs"]
    part = section("Is a recurrent model worth it?", runs, whole_reviews=whole)
    assert said in part if said else "The best epoch" not in part


def test_whole_reviews_of_other_parameters_or_code_are_out_of_date() -> None:
    runs = {"tuned": {0: made_up_scores(0.6, 0.9)}}
    params = small_params(runs)

    def said(settings: Any = None, **changes: Any) -> str:
        whole = made_up_whole_reviews(params, 0.7, 0.8) | changes
        for run in whole["runs"].values():
            run["settings"] = settings or run["settings"]
        (text,) = re.findall(r"\*\*Out of date: .*", report(runs, params, whole_reviews=whole)) or [""]
        return text

    assert said() == ""
    settings = made_up_whole_reviews(params, 0.7, 0.8)["runs"]["0"]["settings"]
    settings = {**settings, "train": settings["train"] | {"epochs": 99}}
    assert said(settings=settings).startswith(
        "**Out of date: `long.train.epochs` has changed since; `make whole_reviews`"
    )
    assert "`stages/networks/training.py` has" in said(provenance={"code": dict.fromkeys(CODE, "b" * 64)})
    assert "not recorded which code" in said(provenance={})
    for name, value in (("seeds", (7,)), ("poolings", ("last",)), ("recipe", "tuned")):
        asked = params.whole_reviews.model_copy(update={name: value})
        whole = made_up_whole_reviews(params, 0.7, 0.8)
        text = report(runs, params.model_copy(update={"whole_reviews": asked}), whole_reviews=whole)
        assert f"**Out of date: `whole_reviews.{name}` has changed since" in text


def test_reviews_by_length() -> None:
    text = section("Does an LSTM gain on longer reviews?", {"tuned": TWO_SEEDS})
    assert "for reviews of up to 100 tokens and +" in text and "for those of 101 to 200.**" in text
    assert "| 101 to 200 | 200 |" in text


def test_another_recipe_that_differs_by_length_is_told() -> None:
    short = {seed: deepcopy(run) for seed, run in TWO_SEEDS.items()}
    for run in short.values():  # the RNN errs on the short reviews, every other one
        run["rnn"]["test"]["correct"] = pack(np.arange(REVIEWS) % 2 == 1)
        run["lstm"]["test"]["correct"] = pack(np.ones(REVIEWS, bool))
    text = section("Does an LSTM gain on longer reviews?", {"notebook": short, "tuned": TWO_SEEDS})
    assert "**This is not shown: with `tuned`" in text
    assert (
        "for those of 101 to 200.** With `notebook`, whose shorter reviews are followed by zeros, it" in text
    )
    assert "it is smaller on longer reviews: +100.0 (" in text
    headline = section("Does an LSTM gain on longer reviews?", {"tuned": short})
    assert "**The reverse is shown: with `tuned`" in headline and "it is smaller" not in headline


def test_gradients_tell_of_gates_where_the_last_state_answers() -> None:
    last, mean = {0: made_up_scores(0.6, 0.9)}, {0: made_up_scores(0.6, 0.9, pooling="mean")}

    def part(runs: Results, **changes: Any) -> str:
        return section("Do gates mitigate vanishing gradients?", runs, **changes)

    both = part({"notebook": last, "tuned": mean})
    assert "**In the models of seed 0, yes after training, with `notebook`; before training yes.**" in both
    assert "And `tuned` uses mean pooling: the last token reaches one of the averaged states" in both
    two = part({"notebook": last, "tuned": last})
    assert "yes after training, with `notebook` and `tuned`; before training yes.**" in two
    assert "**This run does not say: no recipe pools by the last state alone.**" in part({"tuned": mean})
    turned = part({"tuned": last}, inspection={"tuned": made_up_inspection(rnn=1.01, lstm=0.9)})
    assert (
        "no after training, with `tuned`; before training no.**" in turned
        and "a token passes on 101.0 % of the gradient in the RNN and 90.0 %" in turned
    )
    few = part({"tuned": last}, inspection={"tuned": made_up_inspection(positions=5)})
    assert "4 before it |" in few and "| `tuned` | RNN | before | 1 | × 0.062 |" in few


def test_only_readings_that_were_found_are_shown() -> None:
    text = section("What do the gates do?", {"tuned": TWO_SEEDS})
    assert "A review that both get wrong, labelled positive" in text
    assert "reading_lstm_only.png" not in text
    assert "| `tuned` | 50.0 % | 20.0 to 90.0 % | 50.0 %" in text


@pytest.mark.parametrize(
    ("bag", "said"),
    [
        (0.5, "both models beat a bag-of-words model"),
        (0.7, "the RNN falls behind and the LSTM beats a bag-of-words model"),
        (0.6, "the RNN is level with and the LSTM beats a bag-of-words model"),
        (0.95, "both models fall behind a bag-of-words model"),
    ],
)
def test_the_baseline(bag: float, said: str) -> None:
    text = report({"tuned": {0: made_up_scores(0.6, 0.9)}}, bag_of_words=made_up_bags(bag))
    assert f", {said}" in text.split("![")[0]


def test_every_model_is_shown_with_what_it_was_given() -> None:
    runs = {"tuned": {0: made_up_scores(0.6, 0.9, **example_params().blocks["tuned"].pad.model_dump())}}
    equal = section("Is a recurrent model worth it?", runs)
    assert (
        "**With `tuned`, given the same tokens, vocabulary and train reviews, the RNN falls behind" in equal
    )
    assert "| RNN | `tuned` | 200 | 10,000 | 1,570 | 60.0 % | 60.0 % | – | – | – |" in equal
    assert "| single words | `tuned` | 200 | 10,000 | 300 | 80.0 % | 80.0 % | −20.0 (" in equal
    assert " | yes |\n| single words and pairs | `tuned` |" in equal
    assert "| single words and pairs | `long` | 1,200 | 30,000 | 300 |" in equal
    assert "is that of single words and pairs as `tuned` (C = 10) and single words and pairs as `lo" in equal
    assert equal.count(" | no: different tokens, vocabulary and train reviews |") == 2
    runs = {"tuned": {0: made_up_scores(0.6, 0.9, split_by="film", validation_split=0.3)}}
    other = section("Is a recurrent model worth it?", runs)
    assert "**With `tuned`, given different train reviews, the RNN" in other and "| yes |" not in other
    drawn = draw(made_up_inputs(small_params(runs), runs), build(runs))["accuracy"]
    legend = [text.get_text() for text in drawn.legends[0].get_texts()]
    assert {"bag of words (data of tuned)", "bag of word pairs (data of tuned)"} < set(legend)


def test_validation_reviews_that_are_nearer_than_test_reviews_are_said_to_be() -> None:
    """40 of 430 validation reviews share most, and 10 of 400 test reviews."""
    part = section("Can the data be trusted?", {"tuned": TWO_SEEDS})
    assert "nearer to what is trained on than test reviews are: with `tuned` 9.3 % of them share 4" in part
    assert "of the test reviews 2.5 %.**" in part and "are kept together" not in part
    assert "| `tuned` | reviews | validation | 9.3 % |" in part
    assert "**2 of 400 test reviews are also in train, word for word, 0 of them with the other" in part

    level, empty = made_up_scores(0.6, 0.9), made_up_scores(0.6, 0.9, split_by="film")
    for cell in ("rnn", "lstm"):
        level[cell]["validation"]["by_shared"] = level[cell]["test"]["by_shared"]
        empty[cell]["validation"]["by_shared"][2] = {"reviews": 0, "accuracy": None}
    empty["lstm"]["validation"]["accuracy"] = 0.912
    part = section("Can the data be trusted?", {"notebook": {0: level}, "tuned": {0: empty}})
    assert "are no nearer to what is trained on than test reviews are: with `notebook` 2.5 %" in part
    assert "`notebook` RNN +0.0, LSTM +0.0; `tuned` RNN +0.0, LSTM +1.2.\n" in part
    assert "With `tuned` reviews that seem to be of one film are kept together" in part
    assert "| `tuned` | films | validation | 0.0 % | 60.0 % | 60.0 % | 60.0 % | – | 91.2 %" in part


def test_costs_are_counted_from_the_shapes() -> None:
    runs = {"tuned": {0: made_up_scores(0.5, 0.6, maxlen=10)}}
    costs = cell_costs(build(runs).headline)
    assert costs["rnn"]["multiply_adds"] == 10 * 256 * 128 + 128
    assert costs["lstm"]["multiply_adds"] == 10 * 256 * 512 + 128
    text = section("What does each cell cost?", runs)
    assert "The LSTM's cell has 4.0 times the RNN's weights" in text
    assert "takes 3.0 times as long, an answer 4.0 times.**" in text
    assert "| LSTM | 131,584 | 1 | 1,310,848 | 60 | 200 |" in text


def test_every_question_has_its_section() -> None:
    sections = [line for line in report({"tuned": TWO_SEEDS}).splitlines() if line.startswith("## ")]
    assert [section for section in sections if not section.endswith("?")] == ["## The equations, as code"]
    assert len(sections) > 10 and len(set(sections)) == len(sections)


def test_the_model_card_has_the_released_runs() -> None:
    runs = {
        "tuned": {
            seed: made_up_scores(*pair) for seed, pair in enumerate([(0.6, 0.9), (0.7, 0.8), (0.8, 0.85)])
        }
    }
    for seed, accuracy in ((0, 0.66), (2, 0.88)):
        runs["tuned"][seed]["rnn"]["validation"]["accuracy"] = accuracy
    released = made_up_release("tuned", 2)
    released["rnn"]["seed"] = 0
    card = report(runs, name="model_card.md", released=released)
    assert "| `rnn` | 0 | 1 | 66.0 % | 60.0 % |" in card and "| 0.600 | 40.0 % |" in card
    assert "| `lstm` | 2 | 1 | 85.0 % | 85.0 % |" in card
    front = YAML(typ="safe", pure=True).load(card.split("---\n")[1])
    rnn, lstm = (each["results"][0]["metrics"] for each in front["model-index"])
    assert (front["license"], front["library_name"]) == ("mit", "keras")
    assert [rnn[0], lstm[0]] == [{"type": "accuracy", "value": each} for each in (0.6, 0.85)]
    assert "Of 3 seeds each, the released run is the one of highest validation accuracy." in card
    one = report({"tuned": {0: made_up_scores(0.6, 0.9)}}, name="model_card.md")
    assert "Each was trained with one seed." in one and "highest" not in one
    assert "the 95 % interval excludes 0: the LSTM is ahead. A bag" in one


@pytest.mark.parametrize(("recipe", "seed"), [("notebook", 0), ("tuned", 7)])
def test_a_release_of_other_runs_is_refused(recipe: str, seed: int) -> None:
    released = made_up_release("tuned", 1)
    released["lstm"] |= {"recipe": recipe, "seed": seed}
    with pytest.raises(StageError) as error:
        build({"notebook": TWO_SEEDS, "tuned": TWO_SEEDS}, released=released)
    assert str(error.value) == (
        f"reports/released.json: {recipe} lstm seed {seed} is no run of tuned, which is release.recipe in "
        "params.yaml: `dvc repro release` chooses anew"
    )


def test_settings_that_differ() -> None:
    nothing: Any = {}
    pads = {"a": {"maxlen": 9, "padding": "pre"}, "b": {"maxlen": 9, "padding": "post"}}
    pads["c"] = {"maxlen": 8, "padding": "pre"}
    results = [
        Result(name, {0: {"settings": {"pad": pad, "x": 1}}}, nothing, nothing, nothing)
        for name, pad in pads.items()
    ]
    assert changed_settings(results) == {
        "pad.maxlen": {"a": 9, "b": 9, "c": 8},
        "pad.padding": {"a": "pre", "b": "post", "c": "pre"},
    }
    assert changed_settings(results[:1]) == {}


def test_bins_of_length_have_names() -> None:
    bins = length_bins({"length_edges": [100, 150, 500], "test_lengths": "0312"})
    assert {name: each.astype(int).tolist() for name, each in bins.items()} == {
        "up to 100": [1, 0, 0, 0],
        "101 to 150": [0, 0, 1, 0],
        "151 to 500": [0, 0, 0, 1],
        "over 500": [0, 1, 0, 0],
    }


def test_without_duplicates_and_over_the_baseline() -> None:
    """The last two of 400 reviews are in train; the baseline is correct on 320."""
    run = made_up_scores(1.0, 0.5)
    result = compare_recipes({"a": {0: run}}, made_up_audit(), made_up_bags())["a"]
    assert result.uncertainty["without_duplicates"]["lstm"]["mean"] == round(200 / 398, 4)
    assert [each["mean"] for each in result.over_bag_of_words["rnn"]] == [0.2] * 4
    assert [each["mean"] for each in result.over_bag_of_words["lstm"]] == [-0.3] * 4


def test_curves_are_of_each_seed_and_rocs_means() -> None:
    runs = {"a": {0: made_up_scores(0.5, 0.6), 1: made_up_scores(0.7, 0.6)}}
    curves = tables.learning_curves(runs)
    assert list(curves) == ["a-rnn", "a-lstm"]
    assert curves["a-rnn"]["seed"].tolist() == [0, 0, 1, 1]
    assert curves["a-rnn"]["epoch"].tolist() == [1, 2, 1, 2]
    assert curves["a-rnn"]["validation"].tolist() == [0.5, 0.5, 0.5, 0.7]
    assert tables.roc_curves(runs)["a"]["lstm"].tolist()[-1] == 1.0


def test_metrics_have_validation_accuracy_and_whole_reviews() -> None:
    runs = {"tuned": {0: made_up_scores(0.5, 0.6), 1: made_up_scores(0.7, 0.6)}}
    made = build(runs, whole_reviews=made_up_whole_reviews(small_params(runs), 0.7, 0.8))
    metrics = tables.metrics(made.every_result)
    assert list(metrics) == ["tuned", "long"]
    assert metrics["tuned"]["rnn"]["validation_accuracy"] == metrics["tuned"]["rnn"]["accuracy"] == 0.6
    assert metrics["tuned"]["difference"]["accuracy"] == 0.0
    keys = json.loads(evaluate.json_texts(made)["comparison.json"])["long"].keys()
    assert {"metrics", "prediction_interval", "probability_of_superiority", "over_bag_of_words"} < keys


@pytest.mark.parametrize("names", [["a"], ["notebook", "tuned"]])
def test_every_figure_is_drawn_for_any_recipes_and_seeds(names: list[str], tmp_path: Path) -> None:
    seeds = TWO_SEEDS if len(names) > 1 else {0: made_up_scores(0.5, 1.0)}
    runs = dict.fromkeys(names, seeds)
    params = small_params(runs, headline=names[-1])
    inputs = made_up_inputs(params, runs)
    drawn = draw(inputs, build_report(params, inputs))
    assert len(drawn) == 11 and "delayed_recall" in drawn
    evaluate.write_figures(tmp_path / "figures", drawn)
    assert {path.stem for path in (tmp_path / "figures").iterdir()} == drawn.keys()
    for name, figure in drawn.items():
        for axes in figure.axes:
            assert (axes.get_xlabel() or name.startswith("reading")) and axes.get_ylabel(), name
    legend = [text.get_text() for text in drawn["accuracy"].legends[0].get_texts()]
    assert ("published" in legend) == ("notebook" in names)


def test_a_run_that_was_dropped_is_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for seed in (0, 1, 2):
        files.write_atomically(files.RUNS / f"tuned-{seed}.json", json.dumps(made_up_scores(0.5, 0.6)))
    runs = evaluate.load_all(files.RUNS, ["tuned-0", "tuned-1"])
    assert list(runs) == ["tuned-0", "tuned-1"]
    assert sorted(path.name for path in files.RUNS.iterdir()) == ["tuned-0.json", "tuned-1.json"]
    assert "tuned-2.json belongs to nothing" in capsys.readouterr().out

    (files.RUNS / "tuned-1.json").unlink()
    files.write_atomically(files.RUNS / "left-9.json", "{}")
    with pytest.raises(StageError, match=r"tuned-1\.json does not exist"):
        evaluate.load_all(files.RUNS, ["tuned-0", "tuned-1"])
    assert (files.RUNS / "left-9.json").exists()  # nothing is deleted where something is wrong
