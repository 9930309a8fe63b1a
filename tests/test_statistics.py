"""What seeds and reviews say together, and how sure it is: answers worked out by hand or by other means."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from stages.reporting.statistics import (
    answered_right,
    beats,
    compare,
    fresh_run,
    interval,
    judge,
    mcnemar,
    median_seed,
    pack,
    redrawn,
    summarise,
    unpack,
    versus,
)


def test_summarise() -> None:
    assert summarise({0: 0.5, 3: 0.7}) == {"mean": 0.6, "sd": 0.1414, "seeds": {"0": 0.5, "3": 0.7}}
    assert summarise({7: 0.25}) == {"mean": 0.25, "sd": None, "seeds": {"7": 0.25}}


def run(rnn: float, lstm: float) -> dict[str, Any]:
    return {
        cell: {"test": {"accuracy": value, "loss": 1 - value, "auc": value, "f1": value}}
        for cell, value in (("rnn", rnn), ("lstm", lstm))
    }


def test_compare_pairs_the_seeds() -> None:
    result = compare({"a": {0: run(0.5, 0.8), 1: run(0.7, 0.6)}})["a"]
    assert result["rnn"]["accuracy"]["mean"] == 0.6
    assert result["lstm"]["accuracy"]["seeds"] == {"0": 0.8, "1": 0.6}
    assert result["difference"]["accuracy"] == {"mean": 0.1, "sd": 0.2828, "seeds": {"0": 0.3, "1": -0.1}}


@pytest.mark.parametrize("reviews", [1, 7, 8, 9, 1000])
def test_what_is_packed_is_unpacked(reviews: int) -> None:
    right = np.random.default_rng(0).random(reviews) < 0.5
    assert (unpack(pack(right), reviews) == right).all()
    assert pack(np.array([True, False, True])) == "oA=="  # 1010 0000


def test_answers_are_read_by_cell_and_seed() -> None:
    def measured(*right: bool) -> dict[str, Any]:
        return {"test": {"right": pack(np.array(right)), "confusion": [[1, 1], [1, 0]]}}

    seeds = {
        4: {"rnn": measured(True, False, False), "lstm": measured(True, True, True)},
        7: {"rnn": measured(False, False, True), "lstm": measured(False, True, True)},
    }
    assert answered_right(seeds).astype(int).tolist() == [[[1, 0, 0], [0, 0, 1]], [[1, 1, 1], [0, 1, 1]]]


def test_redrawing_is_a_bootstrap_over_seeds_and_reviews() -> None:
    random = np.random.default_rng(1)
    right = random.random((2, 3, 200)) < np.array([[0.6, 0.7, 0.8], [0.7, 0.75, 0.9]])[..., np.newaxis]
    plain = np.empty((4000, 2))
    for row in plain:  # the same, written out
        seeds, reviews = random.integers(0, 3, 3), random.integers(0, 200, 200)
        row[:] = right[:, seeds][:, :, reviews].mean(axis=(1, 2))
    ours = redrawn(right, 4000, seed=0)
    assert ours.mean(axis=0) == pytest.approx(right.mean(axis=(1, 2)), abs=0.005)
    assert ours.std(axis=0) == pytest.approx(plain.std(axis=0), rel=0.1)
    lead = ours[:, 1] - ours[:, 0]
    assert lead.std() == pytest.approx((plain[:, 1] - plain[:, 0]).std(), rel=0.1)  # paired
    assert np.array_equal(ours, redrawn(right, 4000, seed=0))


def test_redrawing_reviews_alone_is_the_binomial_interval() -> None:
    right = (np.arange(1000) < 800)[np.newaxis, np.newaxis]
    low, high = interval(redrawn(right, 20_000, seed=0)[:, 0])
    assert [low, high] == pytest.approx(stats.binom.interval(0.95, 1000, 0.8) / np.array(1000), abs=0.003)


def test_nets_that_answer_alike_differ_by_nothing() -> None:
    right = np.broadcast_to(np.random.default_rng(0).random(50) < 0.7, (2, 3, 50))
    assert versus(right, 100, seed=0)["difference"] == {"mean": 0.0, "interval": [0.0, 0.0]}
    assert versus(right[..., :0], 100, seed=0)["rnn"] == {"mean": None, "interval": None}


def test_the_interval_is_the_middle() -> None:
    assert interval(np.arange(1001) / 1000) == [0.025, 0.975]


def test_beats_counts_pairs() -> None:
    assert beats([0.9, 0.8], [0.7, 0.8]) == {"share": 0.875, "pairs": 4}  # 3 wins and a tie
    u = stats.mannwhitneyu([1, 4, 6], [2, 3, 5]).statistic
    assert beats([1, 4, 6], [2, 3, 5])["share"] == round(u / 9, 4)


def test_mcnemar_is_the_exact_binomial_test() -> None:
    rnn = np.array([True] * 10 + [False] * 6 + [True] * 80)
    lstm = np.array([False] * 10 + [True] * 6 + [True] * 80)
    assert mcnemar(rnn, lstm) == {"only_rnn": 10, "only_lstm": 6, "p": 0.454}  # 2 · P(X ≤ 6), X ~ B(16, ½)
    assert mcnemar(rnn, rnn)["p"] == 1.0


def test_the_median_run_is_one_of_the_runs() -> None:
    assert median_seed({0: 0.8, 1: 0.6, 2: 0.7}) == 2
    assert median_seed({0: 0.8, 1: 0.6, 2: 0.7, 3: 0.9}) == 2
    assert median_seed({5: 0.8}) == 5


def test_a_fresh_run_lies_in_the_prediction_interval() -> None:
    # Of 2, 4, 6: mean 4, sd 2, t = 4.303 with 2 degrees of freedom, √(1 + 1/3) = 1.155.
    assert fresh_run([2, 4, 6]) == pytest.approx([4 - 9.94, 4 + 9.94], abs=0.01)
    assert fresh_run([2]) is None


def test_judge_takes_the_median_runs_and_every_bin() -> None:
    right = np.zeros((2, 3, 10), bool)
    for seed, (rnn, lstm) in enumerate([(4, 9), (6, 8), (5, 10)]):
        right[0, seed, :rnn] = right[1, seed, :lstm] = True
    bins, alone = np.array([0] * 4 + [2] * 6), np.arange(10) < 8
    said = judge(right, [3, 4, 5], bins, alone, resamples=100, seed=0)
    assert said["rnn"]["mean"] == 0.5 and said["lstm"]["mean"] == 0.9
    assert said["difference"]["mean"] == 0.4
    assert said["mcnemar"] == {"seeds": {"rnn": 5, "lstm": 3}, "only_rnn": 0, "only_lstm": 4, "p": 0.125}
    assert said["lstm_beats_rnn"] == {"share": 1.0, "pairs": 9}
    assert [row["reviews"] for row in said["by_length"]] == [4, 0, 6]
    assert said["by_length"][0]["rnn"]["mean"] == 1.0 and said["by_length"][1]["rnn"]["mean"] is None
    assert said["without_duplicates"]["lstm"]["mean"] == 1.0
