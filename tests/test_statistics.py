"""What seeds and reviews say together, and how uncertain: answers worked out by hand or by other means."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from stages.reporting.statistics import (
    bootstrap_means,
    compare_cells,
    correct_answers,
    interval,
    mcnemar,
    mean_over_seeds,
    median_seed,
    paired_bootstrap,
    prediction_interval,
    probability_of_superiority,
    summarise,
    summarise_metrics,
)
from stages.scoring.packing import pack


def test_summarise() -> None:
    assert summarise({0: 0.5, 3: 0.7}) == {"mean": 0.6, "sd": 0.1414, "seeds": {"0": 0.5, "3": 0.7}}
    assert summarise({7: 0.25}) == {"mean": 0.25, "sd": None, "seeds": {"7": 0.25}}


def run(rnn: float, lstm: float) -> dict[str, Any]:
    return {
        cell: {"test": {"accuracy": value, "loss": 1 - value, "auc": value, "f1": value}}
        for cell, value in (("rnn", rnn), ("lstm", lstm))
    }


def test_summaries_pair_the_seeds() -> None:
    result = summarise_metrics({0: run(0.5, 0.8), 1: run(0.7, 0.6)})
    assert result["rnn"]["accuracy"]["mean"] == 0.6
    assert result["lstm"]["accuracy"]["seeds"] == {"0": 0.8, "1": 0.6}
    assert result["difference"]["accuracy"] == {"mean": 0.1, "sd": 0.2828, "seeds": {"0": 0.3, "1": -0.1}}


def test_answers_are_read_by_cell_and_seed() -> None:
    def measured(*correct: bool) -> dict[str, Any]:
        return {"test": {"correct": pack(np.array(correct)), "confusion": [[1, 1], [1, 0]]}}

    seeds = {
        4: {"rnn": measured(True, False, False), "lstm": measured(True, True, True)},
        7: {"rnn": measured(False, False, True), "lstm": measured(False, True, True)},
    }
    assert correct_answers(seeds).astype(int).tolist() == [[[1, 0, 0], [0, 0, 1]], [[1, 1, 1], [0, 1, 1]]]


def test_the_means_are_a_bootstrap_over_seeds_and_reviews() -> None:
    random = np.random.default_rng(1)
    correct = random.random((2, 3, 200)) < np.array([[0.6, 0.7, 0.8], [0.7, 0.75, 0.9]])[..., np.newaxis]
    plain = np.empty((4000, 2))
    for row in plain:  # the same, written out
        seeds, reviews = random.integers(0, 3, 3), random.integers(0, 200, 200)
        row[:] = correct[:, seeds][:, :, reviews].mean(axis=(1, 2))
    ours = bootstrap_means(correct, 4000, seed=0)
    assert ours.mean(axis=0) == pytest.approx(correct.mean(axis=(1, 2)), abs=0.005)
    assert ours.std(axis=0) == pytest.approx(plain.std(axis=0), rel=0.1)
    lead = ours[:, 1] - ours[:, 0]
    assert lead.std() == pytest.approx((plain[:, 1] - plain[:, 0]).std(), rel=0.1)  # paired
    assert np.array_equal(ours, bootstrap_means(correct, 4000, seed=0))


def test_a_bootstrap_over_reviews_alone_is_the_binomial_interval() -> None:
    correct = (np.arange(1000) < 800)[np.newaxis, np.newaxis]
    low, high = interval(bootstrap_means(correct, 20_000, seed=0)[:, 0])
    assert [low, high] == pytest.approx(stats.binom.interval(0.95, 1000, 0.8) / np.array(1000), abs=0.003)


def test_models_that_answer_alike_differ_by_nothing() -> None:
    correct = np.broadcast_to(np.random.default_rng(0).random(50) < 0.7, (2, 3, 50))
    first, second, difference = paired_bootstrap(correct, 100, seed=0)
    assert first == second
    assert difference == {"mean": 0.0, "interval": [0.0, 0.0]}


def test_the_difference_is_the_second_less_the_first() -> None:
    correct = np.zeros((2, 1, 10), bool)
    correct[0, :, :2] = correct[1, :, :7] = True
    assert paired_bootstrap(correct, 100, seed=0)[2]["mean"] == 0.5


def test_the_mean_over_seeds_of_numbers_and_of_lists() -> None:
    seeds = {
        seed: {"rnn": {"test": {"loss": loss, "roc": [0.0, loss]}}} for seed, loss in ((0, 1.0), (1, 2.0))
    }
    assert mean_over_seeds(seeds, "rnn", "test", "loss") == 1.5
    assert mean_over_seeds(seeds, "rnn", "test", "roc").tolist() == [0.0, 1.5]


def test_the_interval_is_the_middle() -> None:
    assert interval(np.arange(1001) / 1000) == [0.025, 0.975]


def test_superiority_counts_pairs() -> None:
    assert probability_of_superiority([0.9, 0.8], [0.7, 0.8]) == {
        "share": 0.875,
        "pairs": 4,
    }  # 3 wins and a tie
    assert probability_of_superiority([0.5], [0.6]) == {"share": 0.0, "pairs": 1}


def test_mcnemar_is_the_exact_binomial_test() -> None:
    rnn = np.array([True] * 10 + [False] * 6 + [True] * 80)
    lstm = np.array([False] * 10 + [True] * 6 + [True] * 80)
    assert mcnemar(rnn, lstm) == {"only_rnn": 10, "only_lstm": 6, "p": 0.454}  # 2 · P(X ≤ 6), X ~ B(16, ½)
    assert mcnemar(rnn, rnn)["p"] == 1.0


def test_the_median_run_is_one_of_the_runs() -> None:
    assert median_seed({0: 0.8, 1: 0.6, 2: 0.7}) == 2
    assert median_seed({0: 0.8, 1: 0.6, 2: 0.7, 3: 0.9}) == 2
    assert median_seed({5: 0.8}) == 5


def test_one_more_run_lies_in_the_prediction_interval() -> None:
    # Of 2, 4, 6: mean 4, sd 2, t = 4.303 with 2 degrees of freedom, √(1 + 1/3) = 1.155.
    assert prediction_interval([2, 4, 6]) == pytest.approx([4 - 9.94, 4 + 9.94], abs=0.01)
    assert prediction_interval([2]) is None


def test_cells_are_compared_by_their_median_runs_and_in_every_bin() -> None:
    correct = np.zeros((2, 3, 10), bool)
    for seed, (rnn, lstm) in enumerate([(4, 9), (6, 8), (5, 10)]):
        correct[0, seed, :rnn] = correct[1, seed, :lstm] = True
    first = np.arange(10) < 4
    bins = {"short": first, "none": np.zeros(10, bool), "long": ~first}
    result = compare_cells(correct, [3, 4, 5], bins, np.arange(10) < 8, n_resamples=100, seed=0)
    assert result["rnn"]["mean"] == 0.5 and result["lstm"]["mean"] == 0.9
    assert result["difference"]["mean"] == 0.4
    assert result["mcnemar"] == {"seeds": {"rnn": 5, "lstm": 3}, "only_rnn": 0, "only_lstm": 4, "p": 0.125}
    assert result["probability_of_superiority"] == {"share": 1.0, "pairs": 9}
    assert [(row["tokens"], row["reviews"]) for row in result["by_length"]] == [("short", 4), ("long", 6)]
    assert result["by_length"][0]["rnn"]["mean"] == 1.0
    assert result["without_duplicates"]["lstm"]["mean"] == 1.0
