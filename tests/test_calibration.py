"""Calibration: what is measured, with answers worked out by hand, and what the report says of it."""

from typing import Any

import numpy as np
import pytest

from stages.params.recipe import CELLS
from stages.reporting.comparison import compare_recipes
from stages.reporting.sections.calibration import Calibration, calibration_section, curve, error_by_chance
from stages.reporting.verdicts_calibration import better_calibrated, overconfident
from stages.scoring.calibration import BINS, calibration
from tests.examples import made_up_audit, made_up_bags, made_up_scores


def test_the_error_is_the_mean_distance_in_the_bins() -> None:
    labels = np.array([0, 1, 1, 1, 0], np.uint8)
    result = calibration(labels, np.array([0.02, 0.04, 0.98, 1.0, 0.5], np.float32))
    # Bins 0, 14 and 7: 0.06 of 2 reviews, 1.98 of 2, 0.5 of one; 1, 2 and 0 are positive.
    assert result["ece"] == pytest.approx((0.94 + 0.02 + 0.5) / 5, abs=1e-5)
    assert result["overconfidence"] == pytest.approx((0.98 + 0.96 + 0.98 + 1 + 0.5) / 5 - 0.8, abs=1e-5)
    filled = [i for i in range(BINS) if result["reviews"][i]]
    assert filled == [0, 7, 14] and len(result["reviews"]) == 15
    assert [[result[name][i] for i in filled] for name in ("reviews", "positive", "probability")] == [
        [2, 1, 2],
        [1, 0, 2],
        [0.03, 0.5, 0.99],
    ]
    assert result["probability"][1] is None


def test_the_curve_is_that_of_scikit_learn() -> None:
    from sklearn.calibration import calibration_curve

    random = np.random.default_rng(0)
    probabilities = random.random(500)
    labels = (random.random(500) < probabilities**2).astype(np.uint8)
    result = calibration(labels, probabilities)
    share, probability = calibration_curve(labels, probabilities, n_bins=BINS)
    assert curve([result])[0] == pytest.approx(probability, abs=1e-4)
    assert curve([result])[1] == pytest.approx(share)
    assert result["ece"] > 0.1  # these are too high


def test_a_calibrated_model_shows_the_error_that_chance_explains() -> None:
    random = np.random.default_rng(0)
    errors, expected = [], []
    for _ in range(200):
        probabilities = random.beta(0.3, 0.3, 2000)
        result = calibration((random.random(2000) < probabilities).astype(np.uint8), probabilities)
        errors.append(result["ece"])
        expected.append(error_by_chance(result))
    assert np.mean(errors) == pytest.approx(np.mean(expected), rel=0.03)


def test_the_curve_has_all_runs_and_no_empty_bin() -> None:
    one = {"reviews": [4, 0, 0], "positive": [1, 0, 0], "probability": [0.2, None, None]}
    other = {"reviews": [12, 0, 2], "positive": [5, 0, 2], "probability": [0.1, None, 0.9]}
    probability, share = curve([one, other])
    assert probability == pytest.approx([2 / 16, 0.9]) and share == pytest.approx([6 / 16, 1.0])


def section(*errors: tuple[float, float]) -> Calibration:
    """Return the section on runs with these calibration errors, overconfident by as much."""
    runs: dict[int, Any] = {seed: made_up_scores(0.8, 0.9) for seed in range(len(errors))}
    for seed, pair in enumerate(errors):
        for cell, error in zip(CELLS, pair, strict=True):
            test = runs[seed][cell]["test"]
            test["calibration"] = test["calibration"] | {"ece": abs(error), "overconfidence": error}
    bags = made_up_bags(0.7)
    return calibration_section(compare_recipes({"a": runs}, made_up_audit(), bags), "a", bags)


def test_the_section_has_both_cells_and_the_baselines_that_read_the_same_tokens() -> None:
    result = section((0.05, -0.02), (0.052, -0.021), (0.048, -0.019))
    assert result.verdict.startswith("With `a` the LSTM is better calibrated than the RNN: the expected")
    assert "is 5.0 % for the RNN and 2.0 % for the LSTM, LSTM − RNN is −3.0 (−3.2 to −2.8)" in result.verdict
    assert result.confidence == "The RNN is overconfident and the LSTM is underconfident."
    assert [(row.recipe, row.model) for row in result.rows] == [
        ("a", "RNN"),
        ("a", "LSTM"),
        (None, "bag of words"),
        (None, "bag of word pairs"),
    ]
    assert result.rows[0].error == {"mean": 0.05, "sd": 0.002, "seeds": {"0": 0.05, "1": 0.052, "2": 0.048}}
    assert result.rows[1].overconfidence["mean"] == -0.02
    assert result.rows[2].error == {"mean": 0.3, "sd": None, "seeds": {"0": 0.3}}
    assert list(result.curves["a"]) == ["RNN", "LSTM", "bag of words"]
    assert section((0.05, 0.02)).confidence == ""


def test_which_cell_is_better_calibrated() -> None:
    errors = {"rnn": 0.03, "lstm": 0.02}

    def said(low: float, high: float) -> str:
        return better_calibrated("a", errors, {"mean": (low + high) / 2, "interval": [low, high]})

    assert said(-0.02, -0.01).startswith("With `a` the LSTM is better calibrated than the RNN: ")
    assert said(0.01, 0.02).startswith("With `a` the RNN is better calibrated than the LSTM: ")
    assert said(-0.01, 0.02).startswith("With `a` neither cell is shown to be better calibrated: ")
    assert better_calibrated("a", errors, None) == (
        "With `a` the expected calibration error is 3.0 % for the RNN and 2.0 % for the LSTM; "
        "one seed does not tell which is better."
    )


@pytest.mark.parametrize(
    ("rnn", "lstm", "said"),
    [
        ([0.1, 0.2], [0.1, 0.2], "Both are overconfident."),
        ([-0.2, -0.1], [-0.2, -0.1], "Both are underconfident."),
        ([-0.1, 0.1], [-0.1, 0.1], "Neither is shown to be over- or underconfident."),
        (
            [0.1, 0.2],
            [-0.1, 0.1],
            "The RNN is overconfident and the LSTM is neither over- nor underconfident.",
        ),
        ([-0.2, -0.1], [0.1, 0.2], "The RNN is underconfident and the LSTM is overconfident."),
        (None, None, ""),
    ],
)
def test_over_and_underconfidence(rnn: list[float] | None, lstm: list[float] | None, said: str) -> None:
    assert overconfident({"rnn": rnn, "lstm": lstm}) == said
