"""What the report says of delayed recall: a test for every outcome, on made-up numbers."""

from typing import Any

import pytest

from stages.params.delayed_recall import STARTS
from stages.params.study import Params
from stages.reporting import verdicts_delayed_recall as verdicts
from stages.reporting.comparison import compare_recipes
from stages.reporting.formatting import START_LABELS
from stages.reporting.sections.ablation import ablation_section
from stages.reporting.sections.delayed_recall import DelayedRecall, delayed_recall_section, memory
from tests.examples import (
    CODE,
    example_params,
    made_up_audit,
    made_up_bags,
    made_up_recall,
    made_up_scores,
)
from tests.examples_variants import made_up_ablation
from tests.test_report import section

ABOVE, AROUND, BELOW, ONE = (
    {"mean": 0.1, "interval": interval} for interval in ([0.05, 0.15], [-0.1, 0.3], [-0.2, -0.1], None)
)
RUNS = {"tuned": {0: made_up_scores(0.6, 0.9), 1: made_up_scores(0.6, 0.9)}}
NO, YES = [0.5, 0.5, 0.5], [1.0, 1.0, 1.0]  # accuracies at the delays 40, 80 and 160


@pytest.mark.parametrize(("accuracy", "remembered"), [(0.0, 1.0), (0.25, 0.5), (0.5, 0.0), (1.0, 1.0)])
def test_memory_is_whatever_the_sign(accuracy: float, remembered: float) -> None:
    assert memory(accuracy) == remembered


def test_every_start_has_a_name() -> None:
    assert tuple(START_LABELS) == STARTS


@pytest.mark.parametrize(
    ("learned", "said"),
    [
        (
            ABOVE,
            "the LSTM (chrono) learns to remember more than the RNN (identity): +10.0 (+5.0",
        ),
        (AROUND, "neither the LSTM (chrono) nor the RNN (identity) is shown to learn to remember more"),
        (BELOW, "the RNN (identity) learns to remember more than the LSTM (chrono): "),
        (ONE, "neither the LSTM (chrono) nor the RNN (identity) is shown to learn to remember more"),
    ],
)
def test_which_cell_learns_to_remember_more(learned: dict[str, Any], said: str) -> None:
    pair = ("lstm-chrono", "rnn-identity")
    text = verdicts.learned_and_kept(pair, learned, None, 40)
    assert text.startswith(f"With the start that learns best, {said}") and "Trained over" not in text
    first = verdicts.defaults(pair, learned)
    assert first.startswith(f"As Keras starts them, {said.split(':')[0]}")
    assert first.endswith(" percentage points of memory, mean over all delays.")
    assert ("(one seed, no interval)" in text) == (learned is ONE)
    for kept, keeps in (
        (ABOVE, "this LSTM keeps more: "),
        (AROUND, "neither of these is shown to keep"),
        (BELOW, "this RNN keeps more: "),
    ):
        other = verdicts.learned_and_kept(pair, learned, kept, 40)
        assert other.startswith(f"{text} Trained over 40 tokens and asked after other delays, {keeps}")


def test_how_far_each_start_learns() -> None:
    said = (
        "The deciding token is learned over up to so many tokens of noise: RNN (identity) 160, "
        "LSTM (unit forget bias) not even 40."
    )
    longest = {"rnn-identity": 160, "lstm-unit": None}
    assert verdicts.reaches(longest, 40, 320) == said
    assert verdicts.reaches(longest, 40, 160) == f"{said} More than 160 were not tried."


def test_what_is_kept_and_with_which_sign() -> None:
    means = {"rnn-identity": 0.5, "lstm-unit": 0.25}
    text = "Trained over 40 tokens, models remember after other delays, on average: RNN (identity) 50.0 %, "
    text += "LSTM (unit forget bias) 25.0 %. "
    flipped = "the sign flipped: an accuracy below one half."
    assert verdicts.kept(means, 40, 0, 0) == f"{text}None remembers more than half at any of them."
    for number, said in ((0, "none have"), (1, "1 has"), (2, "2 have")):
        assert verdicts.kept(means, 40, number, 5) == (
            f"{text}Of 5 such memories above one half, {said} {flipped}"
        )


def test_whether_chrono_initialisation_helps() -> None:
    for difference, said in ((ABOVE, "helps"), (AROUND, "is not shown to help"), (BELOW, "hinders")):
        text = verdicts.chrono(difference, None)
        assert text.startswith(f"Chrono initialisation {said} the LSTM in learning: +10.0 (")
        assert f"; it {said} in keeping: +10.0 (" in verdicts.chrono(AROUND, difference)
    assert verdicts.chrono(ONE, None).endswith(
        "is not shown to help the LSTM in learning: +10.0 (one seed, no interval)."
    )


def test_where_chrono_initialisation_was_tried_on_reviews() -> None:
    assert verdicts.chrono_on_reviews(AROUND, ["a"], "c", "mean", {"b": ABOVE}) == ""
    assert verdicts.chrono_on_reviews(BELOW, [], "c", "mean", {}) == ""
    assert verdicts.chrono_on_reviews(ABOVE, [], "c", "mean", {}).startswith("This run does not say")
    assert verdicts.chrono_on_reviews(ABOVE, ["a", "b"], "c", "mean", {}) == (
        "On real reviews it was tried with `a` and `b`."
    )


@pytest.mark.parametrize(
    ("gain", "said"),
    [
        (ABOVE, "helps: +10.0 (+5.0"),
        (AROUND, "is not shown to help: +10.0 (−10.0"),
        (BELOW, "hinders: +10.0 (−20.0"),
        (ONE, "is not shown to help: +10.0 (one seed, no interval) percentage points of"),
    ],
)
def test_what_chrono_initialisation_does_on_reviews(gain: dict[str, Any], said: str) -> None:
    text = verdicts.chrono_on_reviews(ABOVE, [], "a", "mean", {"long memory": gain})
    assert text.startswith(f"On real reviews, added to `a` with mean pooling, it {said}")
    assert text.endswith(" percentage points of test accuracy (long memory, in the ablation).")


def test_whether_curves_are_flat() -> None:
    assert verdicts.flat([], 5, 20, 0.02, 3) == (
        "The curves are flat: in the last 5 of 20 epochs no model's best validation accuracy rose by more "
        "than 2 percentage points."
    )
    rising = [("rnn-identity", 80, 2), ("lstm-unit", 40, 1)]
    assert verdicts.flat(rising, 5, 20, 0.02, 3) == (
        "Not all curves are flat: in the last 5 of 20 epochs the best validation accuracy still rose by more "
        "than 2 percentage points in some seeds of the RNN (identity) at 80 (2 of 3), the LSTM (unit forget "
        "bias) at 40 (1 of 3)."
    )
    assert "in the last of 3 epochs no" in verdicts.flat([], 1, 3, 0.02, 3)


def test_what_another_threshold_would_find() -> None:
    assert verdicts.thresholds(0, 0) == "No memory is at one half or below."
    assert verdicts.thresholds(0, 7) == (
        "Of 7 memories of at most one half, none has |2 AUC − 1| above it: it is not the threshold that "
        "hides any."
    )
    for hidden, said in ((1, "1 has"), (2, "2 have")):
        text = verdicts.thresholds(hidden, 7)
        assert text.startswith(f"Of 7 memories of at most one half, {said} |2 AUC − 1| above it: there")


def test_rates_at_an_edge() -> None:
    assert verdicts.rates_at_edges([]) == "Each lies inside the grid."
    assert verdicts.rates_at_edges(["lstm-unit"]) == (
        "At an edge of the grid is that of the LSTM (unit forget bias)."
    )
    assert "are those of the RNN (identity) and the LSTM (" in verdicts.rates_at_edges(
        ["rnn-identity", "lstm-unit"]
    )


def test_rates_that_are_equally_good() -> None:
    assert verdicts.equal_rates({}) == ""
    assert verdicts.equal_rates({"rnn-orthogonal": {3e-05: 0.88, 0.0001: 0.943}}) == (
        "For the RNN (orthogonal) 0.00003 and 0.0001 are equally good on validation sequences; with these, "
        "the mean memory of models trained at the first delay is 88.0 to 94.3 % at the others."
    )
    assert "delay is 100.0 % at the" in verdicts.equal_rates({"lstm-unit": {0.1: 1.0, 0.2: 0.99999}})


def asked(**changes: Any) -> Params:
    """Return the tests' parameters with others of delayed recall."""
    params = example_params()
    recall = params.delayed_recall.model_copy(update=changes)
    return params.model_copy(update={"delayed_recall": recall})


def built(params: Params | None = None, **accuracies: Any) -> DelayedRecall:
    """Return the section on made-up results."""
    params = params or asked()
    found = delayed_recall_section(made_up_recall(params, **accuracies), None, params, RUNS)
    assert found is not None
    return found


def test_a_start_learns_up_to_the_delay_before_its_first_failure() -> None:
    accuracies = {"rnn-orthogonal": [1.0, 0.75, 1.0], "rnn-identity": NO, "lstm-unit": [0.0, 0.2, 0.6]}
    found = {each.name: each for each in built(learned=accuracies).starts}
    assert {name: each.longest for name, each in found.items()} == {
        "rnn-orthogonal": 40,
        "rnn-identity": None,
        "lstm-unit": 80,
        "lstm-chrono": 160,
    }
    assert found["lstm-unit"].learned[80] == {"mean": 0.6, "sd": 0.0, "seeds": {"0": 0.6, "1": 0.6, "2": 0.6}}


@pytest.mark.parametrize(
    ("learned", "verdict", "chrono"),
    [
        (
            {"rnn-orthogonal": NO, "rnn-identity": [1.0, 0.5, 0.5], "lstm-unit": [1.0, 0.5, 0.5]},
            "the LSTM (chrono) learns to remember more than the RNN (identity): +66.7 (",
            "Chrono initialisation helps the LSTM in learning: +66.7 (+66.7 to +66.7)",
        ),
        (
            {"lstm-unit": [1.0, 1.0, 0.5], "lstm-chrono": NO},
            "the RNN (orthogonal) learns to remember more than the LSTM (unit forget bias): −",
            "Chrono initialisation hinders the LSTM in learning: −66.7 (",
        ),
        (
            {},
            "neither the LSTM (unit forget bias) nor the RNN (orthogonal) is shown to learn to",
            "Chrono initialisation is not shown to help the LSTM in learning: +0.0 (",
        ),
    ],
)
def test_better_starts_are_compared(learned: dict[str, Any], verdict: str, chrono: str) -> None:
    found = built(learned=learned)
    assert f" With the start that learns best, {verdict}" in found.verdict
    assert found.verdict.startswith("As Keras starts them, ")
    assert found.chrono.startswith(chrono)
    assert found.chrono.endswith("This run does not say what it does on real reviews.") == ("helps" in chrono)


def test_the_better_start_is_chosen_on_validation_sequences() -> None:
    params = asked()
    study = made_up_recall(params)
    for row in study["tried"]:
        row["validation_accuracy"] = 0.7 + 0.1 * (row["start"] in ("rnn-identity", "lstm-chrono"))
    found = delayed_recall_section(study, None, params, RUNS)
    assert found and " best, neither the LSTM (chrono) nor the RNN (identity)" in found.verdict


def test_a_tie_of_learning_rates_is_told_where_something_depends_on_it() -> None:
    for delays in ((40, 80, 160), (40,)):
        params = asked(learning_rate=(0.01, 0.1, 1.0), delays=delays)
        study = made_up_recall(params)
        for row in study["tried"]:
            best = (0.01, 1.0) if row["start"] == "lstm-unit" else (0.1,)
            row["validation_accuracy"] = 0.9 if row["learning_rate"] in best else 0.8
        study["chosen"] = dict.fromkeys(START_LABELS, 0.1) | {"lstm-unit": 0.01}
        found = delayed_recall_section(study, None, params, RUNS)
        assert found and found.edges.startswith(
            "At an edge of the grid is that of the LSTM (unit forget bias)."
        )
        assert ("(unit forget bias) 0.01 and 1.0 are equally good" in found.edges) == (len(delays) > 1)


def test_a_recipe_that_starts_so_is_named() -> None:
    params = asked()
    recipe = params.blocks["tuned"]
    recipe = recipe.model_copy(update={"lstm": recipe.lstm.model_copy(update={"chrono_t_max": 200})})
    params = params.model_copy(update={"blocks": params.blocks | {"tuned": recipe}})
    found = built(params, learned={"lstm-unit": NO})
    assert found.chrono.endswith("On real reviews it was tried with `tuned`.")


def test_memory_with_its_sign_flipped_is_kept() -> None:
    found = built(kept={"lstm-unit": [1.0, 0.0, 0.1], "rnn-orthogonal": [1.0, 0.9, 0.6]})
    assert "asked after other delays, this LSTM keeps more: +40.0 (+40.0 to +40.0)." in found.verdict
    assert "RNN (orthogonal) 50.0 %, RNN (identity) 0.0 %, LSTM (unit forget bias) 90.0 %" in found.kept
    # Three seeds, twice flipped and once not.
    assert "Of 9 such memories above one half, 6 have the sign flipped" in found.kept
    assert found.panels["trained at 40"]["lstm-unit"][0] == [1.0, 1.0, 0.8]
    assert ("lstm-unit", 40, 2, [(1.0, 1.0), (0.0, 1.0), (0.1, 0.8)]) in found.seed_rows


def test_a_threshold_that_hides_memory_is_found() -> None:
    params = asked()
    study = made_up_recall(params)
    assert "Of 24 memories of at most one half, none" in built().thresholds
    for row in study["rows"]:
        if row["start"] == "rnn-identity":
            row["delays"][1]["transferred"]["auc"] = 0.2  # told apart, the wrong way round
    found = delayed_recall_section(study, None, params, RUNS)
    assert found and "Of 24 memories of at most one half, 3 have |2 AUC" in found.thresholds


def test_an_ablation_that_was_run_tells_what_it_does_on_reviews() -> None:
    params = asked()
    for settings, said in (
        ("rnn.recurrent_initializer=identity lstm.chrono_t_max=9", "(twice the epochs, in the ablation)."),
        ("train.epochs=10", "This run does not say what it does on real reviews."),
        ("lstm.chrono_t_max=null", "This run does not say what it does on real reviews."),
    ):
        variants = [each.model_copy(update={"settings": settings}) for each in params.ablation.variants]
        ablation = params.ablation.model_copy(update={"variants": tuple(variants)})
        params = params.model_copy(update={"ablation": ablation})
        table = made_up_ablation(params, dict.fromkeys([each.name for each in variants], (0.1, 0.2)))
        run = made_up_scores(0.6, 0.9) | {"settings": params.blocks["tuned"].model_dump(mode="json")}
        results = compare_recipes({"tuned": {0: run, 1: run}}, made_up_audit(), made_up_bags())
        section = ablation_section(table, {}, results, params, RUNS)
        found = delayed_recall_section(
            made_up_recall(params, learned={"lstm-unit": NO}), section, params, RUNS
        )
        assert found and found.chrono.endswith(said)


def test_a_curve_that_rises_in_the_last_quarter_is_not_flat() -> None:
    params = asked()  # of 10 epochs, the last 2
    study = made_up_recall(params)
    assert built().flat.startswith("The curves are flat: in the last 2 of 10 epochs")
    for row in study["rows"]:
        if (row["start"], row["seed"]) == ("lstm-unit", 1):
            row["delays"][2]["validation_accuracy"] = [0.5] * 8 + [0.6, 0.5]
            row["delays"][1]["validation_accuracy"] = [0.5, 0.9] + [0.5] * 6 + [0.9, 0.91]
    found = delayed_recall_section(study, None, params, RUNS)
    assert found and found.flat.endswith("in some seeds of the LSTM (unit forget bias) at 160 (1 of 3).")


def test_the_section() -> None:
    study = made_up_recall(asked(), learned={"lstm-unit": [1.0, 0.75, 0.5]})
    text = section("Do LSTMs keep long-term dependencies?", RUNS, delayed_recall=study)
    assert "**As Keras starts them, the RNN (orthogonal) learns to remember more than the LSTM (un" in text
    assert "best, neither the LSTM (chrono) nor" in text and "Out of date" not in text
    assert (
        "| LSTM (unit forget bias), trained at this delay | 0.001 | 40 | 100.0 ± 0.0 % | 50.0 ± 0.0 % |"
        in text
    )
    assert "| LSTM (unit forget bias), trained at 40 | 0.001 |  | 100.0 ± 0.0 % | 0.0 ± 0.0 % |" in text
    assert (
        "| LSTM (unit forget bias) | this delay | 2 | 100.0 % (100 %) | 75.0 % (50 %) | 50.0 % (0 %) |"
        in text
    )
    assert "| LSTM (chrono) | 40 | 0 | 100.0 % (100 %) | 50.0 % (0 %) | 50.0 % (0 %) |" in text
    assert "figures/delayed_recall.png" in text


def test_a_study_that_was_never_run_is_said_not_to_be() -> None:
    assert delayed_recall_section({}, None, asked(), RUNS) is None
    text = section("Do LSTMs keep long-term dependencies?", RUNS, delayed_recall={})
    assert text.strip().startswith("This was not measured yet: `make delayed_recall`") and "png" not in text


@pytest.mark.parametrize("name", ["seeds", "learning_rate", "sequences"])
def test_a_study_of_other_parameters_is_out_of_date(name: str) -> None:
    study = made_up_recall(asked())
    other = asked(**{name: 99 if name == "sequences" else (99,)})
    found = delayed_recall_section(study, None, other, RUNS)
    assert found and found.out_of_date.startswith(f"**Out of date: `delayed_recall.{name}` has changed since")


def test_a_study_of_other_code_is_out_of_date() -> None:
    study = made_up_recall(asked()) | {"provenance": {"code": dict.fromkeys(CODE, "b" * 64)}}
    found = delayed_recall_section(study, None, asked(), RUNS)
    assert found and "`stages/networks/training.py` has changed since; `make delayed_r" in found.out_of_date
    assert built().out_of_date == ""


def test_one_delay_and_one_seed() -> None:
    found = built(asked(delays=(40,), seeds=(7,)))
    assert found.kept == "" and "asked after" not in found.verdict and "keeping" not in found.chrono
    assert "LSTM − RNN is +0.0 (one seed, no interval)" in found.verdict
