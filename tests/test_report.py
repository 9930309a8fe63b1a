"""The report's words follow the numbers."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stages.provenance import code_digest

from stages import evaluate
from stages.params.study import Params, load_params
from stages.reporting.report import (
    ahead,
    bounds,
    changed_settings,
    lead,
    number,
    percent,
    place,
    points,
    quote,
    remembered,
    render,
    spread,
)
from stages.reporting.statistics import pack
from stages.runtime import files
from stages.runtime.errors import StageError
from tests.examples import PARAMS, made_up_benchmark, made_up_search

REVIEWS = 400  # of a made-up test set


def made_up(rnn: float, lstm: float, pooling: str = "last", **settings: Any) -> dict[str, Any]:
    """What `score` would write of two runs with these test accuracies; `settings` are those of `pad`."""
    recipe = load_params(PARAMS).blocks["notebook"].model_dump()
    recipe["pad"] |= settings
    recipe["model"]["pooling"] = pooling
    result: dict[str, Any] = {
        "settings": recipe,
        "padding": {"share_of_reviews": 0.4, "mean_tokens": 31.5},
    }
    for cell, accuracy in (("rnn", rnn), ("lstm", lstm)):
        right = round(accuracy * REVIEWS)
        measured = {
            "accuracy": accuracy,
            "loss": 0.5,
            "auc": accuracy,
            "f1": accuracy,
            "confusion": [[right - 100, REVIEWS - right], [0, 100]],
            "roc": [i / 100 for i in range(101)],
            "right": pack(np.arange(REVIEWS) < right),
        }
        shares = [{"reviews": number, "accuracy": accuracy} for number in (200, 190, 10)]
        curve = [0.5, accuracy]
        result[cell] = {
            "cell_weights": {"rnn": 32896, "lstm": 131584}[cell],
            "weights": 1,
            "kept_epoch": 2,
            "history": {
                "epoch": [1, 2],
                **{f"{s}_{m}": curve for s in ("train", "validation") for m in ("accuracy", "loss")},
            },
            "validation": measured | {"by_shared": [*shares[:2], {"reviews": 40, "accuracy": accuracy}]},
            "test": measured | {"by_shared": shares},
        }
    return result


def made_up_evidence(bag: float = 0.8) -> dict[str, Any]:
    """What the other stages would write: the last two of the reviews stand in train."""
    split = {
        "reviews": REVIEWS,
        "distinct": REVIEWS - 1,
        "positive": 0.5,
        "longer": {"100": 0.5, "200": 0.4},
        "tokens": dict.fromkeys(("median", "lower_quartile", "upper_quartile", "p5", "p95", "max"), 100.0),
        "histogram": [1, 2, 1],
    }
    bags = [
        {"words": words, "tokens": "cut", "length": 200, "vocabulary": 10000, "features": 9}
        | {
            "validation_accuracy": bag,
            "test_accuracy": bag,
            "right": pack(np.arange(REVIEWS) < bag * REVIEWS),
        }
        for words in ("single", "pairs")
    ]
    return {
        "audit": {
            "train": split,
            "test": split,
            "length_edges": [100, 200],
            "histogram_edges": [100, 200],
            "test_lengths": "01" * (REVIEWS // 2),
            "duplicates": {"rows": [REVIEWS - 2, REVIEWS - 1], "rows_of_other_label": []},
        },
        "bag_of_words": bags,
        "search": made_up_search(load_params(PARAMS)),
        "apart": {},
        "benchmark": made_up_benchmark(),
    }


def made_up_release(runs: dict[str, Any]) -> dict[str, Any]:
    """What `release` would write: the last seeds of the last recipe."""
    recipe, seeds = list(runs.items())[-1]
    return {
        cell: {"recipe": recipe, "cell": cell, "seed": max(seeds), "validation_accuracy": 0.5}
        for cell in ("rnn", "lstm")
    }


def made_up_probe(rnn: list[float], lstm: list[float]) -> dict[int, Any]:
    """What `probe` would write of two seeds, at distances 10, 20, …"""
    return {
        seed: {"test_sequences": 50}
        | {
            cell: [
                {"distance": 10 * (place + 1), "test_accuracy": value, "transferred": values[0]}
                for place, value in enumerate(values)
            ]
            for cell, values in (("rnn", rnn), ("lstm", lstm))
        }
        for seed in (0, 1)
    }


def made_up_inside(rnn: float = 0.5, lstm: float = 0.9) -> dict[str, Any]:
    """What `inside` would write where the gradient shrinks by these factors per token."""
    gradients = {
        cell: {
            when: dict.fromkeys(
                ("lower_quartile", "median", "upper_quartile"), (factor ** np.arange(60.0)).tolist()
            )
            for when in ("initial", "trained")
        }
        for cell, factor in (("rnn", rnn), ("lstm", lstm))
    }
    reading = {"row": 3, "label": 1, "words": ["<start>", "good"]} | {
        cell: {"after_word": [0.5, 0.75], "final": 0.75} for cell in ("rnn", "lstm")
    }
    return {
        "seed": 0,
        "reviews": 5,
        "gradients": gradients,
        "gates": {
            gate: {"by_distance": [0.5] * 60, "units": [0.2, 0.9]} for gate in ("forget", "input", "output")
        },
        "readings": {"lstm_only": None, "both_wrong": reading},
    }


@pytest.fixture(scope="module")
def params() -> Params:
    return load_params(PARAMS)


def facts(runs: dict[str, Any], params: Params, **changes: Any) -> dict[str, Any]:
    """What `evaluate` gathers from made-up files."""
    quick = params.model_copy(update={"comparison": params.comparison.model_copy(update={"resamples": 100})})
    probe = changes.pop("probe", made_up_probe([0.9, 0.5], [1.0, 1.0]))
    inside = dict.fromkeys(runs, changes.pop("inside", made_up_inside()))
    told = made_up_evidence() | {"released": made_up_release(runs)} | changes
    return evaluate.gather(quick, runs, told, probe, inside)


def report(runs: dict[str, Any], params: Params, name: str = "report.md", **changes: Any) -> str:
    return render(name, facts(runs, params, **changes))


def test_words_for_numbers() -> None:
    assert percent(0.86041) == "86.0 %"
    assert points(0.0104) == "+1.0"
    assert points(-0.0104) == "−1.0"
    assert points(-0.0001) == "+0.0"
    assert spread({"mean": 0.8604, "sd": 0.0031}) == "86.0 ± 0.3 %"
    assert spread({"mean": 0.8604, "sd": None}) == "86.0 %"
    assert place(0.55, [0.56, 0.6]) == "1.0 points below the lowest"
    assert place(0.57, [0.56, 0.6]) == "within the range"
    assert place(0.62, [0.56, 0.6]) == "2.0 points above the highest"


def test_words_for_differences() -> None:
    assert lead({"mean": 0.0104, "interval": [-0.002, 0.021]}) == "+1.0 (−0.2 to +2.1)"
    assert [ahead({"interval": pair}) for pair in ([0.01, 0.02], [-0.1, 0.1], [-0.2, -0.1])] == [1, 0, -1]
    assert bounds([0.85, 0.9012]) == "85.0 to 90.1 %"
    assert (number(12345), number(0.0000123), number(0.25)) == ("12,345", "1.2e-05", "0.25")


TWO_SEEDS = {0: made_up(0.55, 0.86), 1: made_up(0.58, 0.87)}


def test_the_published_lstm_is_placed_among_the_runs(params: Params) -> None:
    text = report({"notebook": TWO_SEEDS}, params)
    assert '**No. The published "LSTM" is no LSTM' in text
    assert "29.5 points below the lowest of the LSTMs, within the range of the RNNs |" in text
    assert "55.0 % to 58.0 %" in text
    assert "32,896" in text and "131,584" in text

    text = report({"notebook": {0: made_up(0.80, 0.56), 1: made_up(0.81, 0.57)}}, params)
    assert "its figure alone does not give it away" in text
    assert "within the range of the LSTMs, 23.5 points below the lowest of the RNNs |" in text


def test_the_gap_is_only_explained_where_it_closes(params: Params) -> None:
    notebook = {0: made_up(0.56, 0.86)}
    closing = report({"notebook": notebook, "tuned": {0: made_up(0.85, 0.87, padding="pre")}}, params)
    assert "**Padding and training, more than the cell: LSTM − RNN is +30.0 percent points" in closing
    assert "| `pad.padding` | post | pre |" in closing
    assert "zeros stand between" in closing and "31.5 per test review" in closing
    assert "| `tuned` | 85.0 % | 87.0 % |" in closing and "| +29.0 | +1.0 |" in closing
    staying = report({"notebook": notebook, "tuned": {0: made_up(0.56, 0.87)}}, params)
    assert "the recipe does not explain most of it" in staying


@pytest.mark.parametrize(
    ("rnn", "lstm", "said"),
    [
        (0.6, 0.9, "the LSTM is ahead of the RNN"),
        (0.9, 0.6, "the RNN is ahead of the LSTM"),
        (0.8, 0.8, "neither is surely ahead"),
    ],
)
def test_who_is_ahead_is_what_the_interval_says(params: Params, rnn: float, lstm: float, said: str) -> None:
    runs = {"tuned": {0: made_up(rnn, lstm), 1: made_up(rnn, lstm)}}
    text = report(runs, params)
    assert f"With the recipe `tuned`, {said}: " in text
    assert f"**With `tuned`, {said}: LSTM − RNN is " in text
    for other in {
        "the LSTM is ahead of the RNN",
        "the RNN is ahead of the LSTM",
        "neither is surely ahead",
    } - {said}:
        assert other not in text


@pytest.mark.parametrize(
    ("bag", "said"),
    [
        (0.5, "both nets beat a bag of words"),
        (0.7, "the RNN falls behind and the LSTM beats a bag of words"),
        (0.6, "the RNN is level with and the LSTM beats a bag of words"),
        (0.95, "both nets fall behind a bag of words"),
    ],
)
def test_the_yardstick_is_in_the_first_paragraph(params: Params, bag: float, said: str) -> None:
    text = report(
        {"tuned": {0: made_up(0.6, 0.9)}}, params, bag_of_words=made_up_evidence(bag)["bag_of_words"]
    )
    assert f"On the same tokens {said}" in text.split("![")[0]


@pytest.mark.parametrize(
    ("rnn", "lstm", "said"),
    [
        (0.6, 0.9, "the LSTM is ahead of the RNN, LSTM − RNN is +30.0 (+"),
        (0.9, 0.6, "the RNN is ahead of the LSTM, LSTM − RNN is −30.0 (−"),
        (0.9, 0.9, "neither is surely ahead, LSTM − RNN is +0.0 (+0.0 to +0.0) percent points.**"),
    ],
)
def test_a_recipe_that_was_trained_apart(params: Params, rnn: float, lstm: float, said: str) -> None:
    runs = {"tuned": {0: made_up(0.6, 0.9)}}
    block = params.blocks["long"].model_dump()
    trained = {seed: made_up(rnn, lstm) | {"settings": block} for seed in ("0", "1")}
    apart = {"long": {"code": code_digest(), "runs": trained}}
    text = report(runs, params, apart=apart)
    changed_since = "because it costs more than any of them. The code that pads and trains has changed since."
    assert changed_since not in text
    assert changed_since in report(runs, params, apart={"long": {"code": "other", "runs": trained}})
    part = text.split("## Is a recurrent net worth it?")[1].split("\n## ")[0]
    reads = f"the last {block['pad']['length']} tokens with a vocabulary of {block['pad']['vocabulary']:,}"
    assert reads in part and said in part and "(2 seeds)" in part
    assert "| `pad.vocabulary` | 10000 | 30000 |" in part
    assert (
        "long"
        not in report(runs, params).split("## Is a recurrent net worth it?")[1].split("\n## ")[0].split()
    )
    assert "| `tuned`, measured | `long`, measured |" in text.split("## ")[0]
    for section in text.split("\n## ")[1:4]:
        assert "`long`" not in section, section  # it is no rung of the ladder


@pytest.mark.parametrize(
    ("rnn", "lstm", "said"),
    [
        ([0.9, 0.6, 0.9], [0.9, 0.9, 0.6], "**They learn over longer distances than RNNs:"),
        ([0.9, 0.9, 0.6], [0.9, 0.6, 0.9], "**They do not learn over as long distances as RNNs:"),
        ([0.9, 0.6, 0.6], [0.9, 0.6, 0.6], "**They learn over no longer distances than RNNs:"),
        (
            [0.6, 0.6],
            [0.9, 0.6],
            "the RNN does not learn it even over 10 tokens of noise, the LSTM learns the",
        ),
        ([0.9, 0.6], [0.8, 0.6], "the RNN falls to 90.0 % at the worst distance and the LSTM to 80.0 %.**"),
        ([0.9, 0.6], [0.9, 0.6], "the RNN learns the deciding token over up to 10 tokens of noise, "),
    ],
)
def test_what_is_remembered_is_what_the_probe_says(
    params: Params, rnn: list[float], lstm: list[float], said: str
) -> None:
    assert said in report({"tuned": TWO_SEEDS}, params, probe=made_up_probe(rnn, lstm))


def test_how_far_a_cell_remembers_is_the_distance_before_its_first_failure() -> None:
    result = remembered(made_up_probe([0.9, 0.7, 0.9], [0.7, 0.9, 0.9]))
    assert result["reach"] == {"rnn": 10, "lstm": None}
    assert result["rnn"][20] == {"mean": 0.7, "sd": 0.0, "seeds": {"0": 0.7, "1": 0.7}}


def test_gates_mitigate_only_where_the_gradient_reaches_further(params: Params) -> None:
    assert "After training as `tuned` yes, at initialisation yes" in report({"tuned": TWO_SEEDS}, params)
    turned = report({"tuned": TWO_SEEDS}, params, inside=made_up_inside(rnn=1.01, lstm=0.9))
    assert "After training as `tuned` no, at initialisation no" in turned


def test_only_readings_that_were_found_are_shown(params: Params) -> None:
    text = report({"tuned": TWO_SEEDS}, params)
    assert "A review that both get wrong, labelled positive" in text
    assert "reading_lstm_only.png" not in text


def test_a_recipe_that_is_not_what_the_search_chose_is_said_to_be(params: Params) -> None:
    search = made_up_search(params)
    runs = {"tuned": TWO_SEEDS}
    assert "`tuned` is what came of it" in report(runs, params, search=search)
    search["chosen"]["learning_rates"]["rnn"] = 0.123
    assert "no longer what the search chose: `rnn.learning_rate` was changed since" in report(
        runs, params, search=search
    )


def test_a_search_by_other_code_is_said_to_be(params: Params) -> None:
    search = made_up_search(params)
    said = "`make search` runs it again. The code that pads and trains has changed since."
    assert said not in report({"tuned": TWO_SEEDS}, params, search=search)
    assert said in report({"tuned": TWO_SEEDS}, params, search=search | {"code": "other"})


def test_validation_reviews_that_are_nearer_than_test_reviews_are_said_to_be(params: Params) -> None:
    """40 of 430 validation reviews share most, and 10 of 400 test reviews."""
    part = report({"tuned": TWO_SEEDS}, params).split("## Can the data be trusted?")[1]
    assert "nearer to what is trained on than test reviews are: with `tuned` 9.3 % of them share 4" in part
    assert "of the test reviews 2.5 %.**" in part and "are kept together" not in part
    assert "| `tuned` | reviews | validation | 9.3 % |" in part

    level, empty = made_up(0.6, 0.9), made_up(0.6, 0.9, validation="films")
    for cell in ("rnn", "lstm"):
        level[cell]["validation"]["by_shared"] = level[cell]["test"]["by_shared"]
        empty[cell]["validation"]["by_shared"][2] = {"reviews": 0, "accuracy": None}
    empty["lstm"]["validation"]["accuracy"] = 0.912
    part = report({"notebook": {0: level}, "tuned": {0: empty}}, params).split("## Can the data be trusted?")[
        1
    ]
    assert "are no nearer to what is trained on than test reviews are: with `notebook` 2.5 %" in part
    assert "`notebook` RNN +0.0, LSTM +0.0; `tuned` RNN +0.0, LSTM +1.2.\n" in part
    assert "With `tuned` reviews that seem to be of one film are kept together" in part
    assert "| `tuned` | films | validation | 0.0 % | 60.0 % | 60.0 % | 60.0 % | – | 91.2 %" in part


def test_a_choice_at_an_edge_of_the_grid_is_said_to_be() -> None:
    rows = [
        {"learning_rate": rate, "settings": {"train.clip_norm": clip, "model.units": units}}
        for rate, clip, units in ((0.1, None, 8), (0.2, 1.0, 16), (0.3, 1.0, 32))
    ]

    def found(rnn: float, lstm: float, units: int) -> list[str]:
        settings = {"train.clip_norm": None, "model.units": units}
        chosen = {"learning_rates": {"rnn": rnn, "lstm": lstm}, "settings": settings}
        return evaluate.edges({"chosen": chosen, "rows": rows})

    assert found(0.2, 0.2, 16) == []
    assert found(0.1, 0.3, 32) == ["the RNN's learning rate", "the LSTM's learning rate", "`model.units`"]


def test_a_handful_of_positions_is_enough(params: Params) -> None:
    few = made_up_inside()
    for cell in few["gradients"].values():
        for when in cell.values():
            for name in when:
                when[name] = when[name][:5]
    assert "4 before it |" in report({"tuned": TWO_SEEDS}, params, inside=few)


def test_gradients_tell_of_gates_where_the_last_state_answers(params: Params) -> None:
    last, mean = {0: made_up(0.6, 0.9)}, {0: made_up(0.6, 0.9, pooling="mean")}

    def part(runs: dict[str, Any]) -> str:
        return report(runs, params).split("## Do gates mitigate vanishing gradients?")[1].split("\n## ")[0]

    both = part({"notebook": last, "tuned": mean})
    assert "**After training as `notebook` yes, at initialisation yes.**" in both
    assert "`tuned` answers from the mean over all states: each token has a short way" in both
    assert "**After training as `notebook` yes, as `tuned` yes, at init" in part(
        {"notebook": last, "tuned": last}
    )
    assert "**This run does not say: no recipe answers from the last state alone.**" in part({"tuned": mean})


def test_padding_before_the_text_is_not_blamed(params: Params) -> None:
    runs = {"notebook": {0: made_up(0.56, 0.86, padding="pre")}, "tuned": {0: made_up(0.8, 0.8)}}
    assert "zeros stand between" not in report(runs, params)


def test_a_single_seed_is_said_to_be_one(params: Params) -> None:
    runs = {"notebook": {0: made_up(0.5, 0.6)}, "tuned": {0: made_up(0.5, 0.6)}}
    one = report(runs, params, probe={0: made_up_probe([0.9, 0.5], [1.0, 1.0])[0]})
    assert "**One seed: each figure is that of one run." in one and "What one seed cannot show" in one
    assert "| plain RNN | 58.2 % | 50.0 % | 8.2 points above" in one
    assert not re.search(r"±|over (all )?seeds|of 1 pairs|median test|1 seeds", one)
    several = report({"tuned": {0: made_up(0.5, 0.6), 4: made_up(0.5, 0.7)}}, params)
    assert "What 2 seeds can show" in several and "of 4 pairs" in several
    assert "in 50.0 % of studies of two equal cells" in several


def test_a_report_needs_no_notebook(params: Params) -> None:
    text = report({"mine": {0: made_up(0.5, 0.6)}, "other": {0: made_up(0.6, 0.7)}}, params)
    assert "With the recipe `mine`" in text and "Trained as `other`" in text
    assert "The recipe `notebook`, which has the published settings, is not among" in text


def test_every_question_has_its_section(params: Params) -> None:
    sections = [line for line in report({"tuned": TWO_SEEDS}, params).splitlines() if line.startswith("## ")]
    assert len(sections) == 11 and sum(section.endswith("?") for section in sections) == 10


def test_the_model_card_has_the_released_runs(params: Params) -> None:
    runs = {"tuned": {0: made_up(0.6, 0.9), 1: made_up(0.7, 0.8), 2: made_up(0.8, 0.85)}}
    for seed, accuracy in ((0, 0.66), (2, 0.88)):
        runs["tuned"][seed]["rnn"]["validation"]["accuracy"] = accuracy
    released = made_up_release(runs)
    released["rnn"]["seed"] = 0
    card = report(runs, params, "model_card.md", released=released)
    assert "| `rnn` | 0 | 1 | 66.0 % | 60.0 % |" in card
    assert "| `lstm` | 2 | 1 | 85.0 % | 85.0 % |" in card
    assert "Of 3 seeds each, the released run is the one of highest validation accuracy." in card
    one = report({"tuned": {0: made_up(0.6, 0.9)}}, params, "model_card.md")
    assert "Each was trained with one seed." in one and "highest" not in one
    assert "the 95 % interval excludes 0: the LSTM is ahead" in one
    level = report({"tuned": {0: made_up(0.6, 0.6)}}, params, "model_card.md")
    assert "the 95 % interval includes 0. A bag" in level


@pytest.mark.parametrize(("recipe", "seed"), [("notebook", 0), ("tuned", 7)])
def test_a_release_of_other_runs_is_refused(params: Params, recipe: str, seed: int) -> None:
    runs = {"notebook": TWO_SEEDS, "tuned": TWO_SEEDS}
    released = made_up_release(runs)
    released["lstm"] |= {"recipe": recipe, "seed": seed}
    with pytest.raises(StageError) as error:
        facts(runs, params, released=released)
    assert str(error.value) == (
        f"reports/released.json: {recipe} lstm seed {seed} is no run of tuned, the last of recipes in "
        "params.yaml: `dvc repro release` chooses anew"
    )


def test_the_table_of_results(params: Params) -> None:
    runs = {"notebook": {0: made_up(0.56, 0.86)}, "tuned": {0: made_up(0.85, 0.87)}}
    assert report(runs, params, "results.md").splitlines() == [
        "| test accuracy | published | `notebook`, measured | `tuned`, measured |",
        "| --- | ---: | ---: | ---: |",
        "| plain RNN | 58.2 % | 56.0 % | 85.0 % |",
        "| LSTM | 56.5 % (a second RNN) | 86.0 % | 87.0 % |",
        "| LSTM − RNN, percent points | −1.6 | +30.0 | +2.0 |",
    ]


def test_changed_settings_are_those_that_differ() -> None:
    runs = {"a": {0: made_up(0.5, 0.5)}, "b": {0: made_up(0.5, 0.5, length=9)}}
    assert changed_settings(runs) == {"pad.length": {"a": 200, "b": 9}}


def test_every_figure_is_drawn_for_any_recipes_and_seeds(params: Params, tmp_path: Path) -> None:
    for runs in (
        {"notebook": {0: made_up(0.5, 0.6)}},
        {
            "a": {0: made_up(0.5, 0.6), 1: made_up(0.6, 0.7)},
            "notebook": {0: made_up(0.5, 0.6), 1: made_up(0.5, 1)},
        },
    ):
        drawn = evaluate.draw(params, facts(runs, params), made_up_probe([0.9, 0.5], [1.0, 1.0]))
        assert len(drawn) == 10
        for name, figure in drawn.items():
            figure.savefig(tmp_path / f"{name}.png")
            for axes in figure.axes:
                assert (axes.get_xlabel() or name.startswith("reading")) and axes.get_ylabel(), name


def test_costs_are_counted_from_the_shapes() -> None:
    made = evaluate.costs({"a": {0: made_up(0.5, 0.6, length=10)}})["a"]
    assert made["rnn"]["multiply_adds"] == 10 * 256 * 128 + 128
    assert made["lstm"]["multiply_adds"] == 10 * 256 * 512 + 128


def test_bins_of_length_have_names() -> None:
    assert evaluate.length_bins([100, 150, 500]) == ["up to 100", "101 to 150", "151 to 500", "over 500"]


def test_curves_are_of_each_seed_and_rocs_means() -> None:
    runs = {"a": {0: made_up(0.5, 0.6), 1: made_up(0.7, 0.6)}}
    curves = evaluate.learning_curves(runs)
    assert list(curves) == ["a-rnn", "a-lstm"]
    assert curves["a-rnn"]["seed"].tolist() == [0, 0, 1, 1]
    assert curves["a-rnn"]["epoch"].tolist() == [1, 2, 1, 2]
    assert curves["a-rnn"]["validation"].tolist() == [0.5, 0.5, 0.5, 0.7]
    assert evaluate.roc_curves(runs)["a"]["lstm"].tolist()[-1] == 1.0


def test_a_run_that_was_dropped_is_deleted(
    params: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    small = params.model_copy(update={"recipes": ("tuned",), "seeds": (0, 1)})
    for seed in (0, 1, 2):
        files.new_file(files.RUNS / f"tuned-{seed}.json", json.dumps(made_up(0.5, 0.6)))
    runs = evaluate.read_runs(small)
    assert list(runs) == ["tuned"] and list(runs["tuned"]) == [0, 1]
    assert sorted(path.name for path in files.RUNS.iterdir()) == ["tuned-0.json", "tuned-1.json"]
    assert "tuned-2.json belongs to nothing" in capsys.readouterr().out

    (files.RUNS / "tuned-1.json").unlink()
    files.new_file(files.RUNS / "left-9.json", "{}")
    with pytest.raises(StageError, match=r"tuned-1\.json is not there"):
        evaluate.read_runs(small)
    assert (files.RUNS / "left-9.json").exists()  # nothing is deleted where something is wrong


def test_quote_replaces_what_stands_between_the_marks() -> None:
    readme = "before\n<!-- from reports/{0}.md -->\n{1}<!-- end of reports/{0}.md -->\nafter\n"
    assert quote(readme.format("speed", "old\n"), "speed", "new\n") == readme.format("speed", "new\n")
    with pytest.raises(StageError, match="once each"):
        quote(readme.format("results", "old\n"), "speed", "new\n")
