"""What seeds and reviews say together, and how uncertain: answers worked out by hand or by other means."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from stages.reporting.statistics import (
    SMALLEST_P,
    CrossedMean,
    compare_cells,
    correct_answers,
    estimate,
    holm,
    mean_interval,
    mean_over_seeds,
    p_value,
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


def studies(seeds: int, spread: float) -> tuple[np.ndarray, float]:
    """Return LSTM − RNN of each answer in 1,500 studies, (studies, seeds, 200 reviews), and the true mean.

    An answer is correct where a normal number is positive: the cell's mean + an effect of the run, with this
    standard deviation, + one of the review, largely the same for both cells, + noise. Of such a number the
    share of positives is known.
    """
    random = np.random.default_rng(seeds)
    reviews = random.normal(0, 0.8, (1500, 1, 200))
    correct, truth = [], []
    for mean in (0.8, 1.0):
        runs = random.normal(0, spread, (1500, seeds, 1))
        own = random.normal(0, 0.6, (1500, 1, 200))
        correct.append(mean + runs + reviews + own + random.normal(0, 1, (1500, seeds, 200)) > 0)
        truth.append(stats.norm.cdf(mean / np.sqrt(1 + spread**2 + 0.8**2 + 0.6**2)))
    return correct[1].astype(np.int8) - correct[0].astype(np.int8), truth[1] - truth[0]


def percentile_bootstrap(values: np.ndarray, resamples: int = 400) -> np.ndarray:
    """Return the middle 95 % of the means of other seeds and reviews, (2, studies)."""
    random = np.random.default_rng(0)
    seeds, reviews = (random.multinomial(n, np.full(n, 1 / n), resamples) / n for n in values.shape[1:])
    means = np.einsum("ksb,bs->kb", values @ reviews.T, seeds)
    return np.quantile(means, (0.025, 0.975), axis=1)


def satterthwaite(crossed: CrossedMean) -> np.ndarray:
    """Return how far an interval reaches that has a single t, for the sum of both variances."""
    parts, free = (crossed.seeds_error**2, crossed.reviews_error**2), (crossed.seeds - 1, crossed.reviews - 1)
    t = stats.t.ppf(
        0.975, sum(parts) ** 2 / sum(part**2 / each for part, each in zip(parts, free, strict=True))
    )
    return np.asarray(t * np.sqrt(sum(parts)))


@pytest.mark.parametrize(
    ("seeds", "spread", "bootstrap", "single_t"),
    [(2, 0.5, 0.75, 0.9), (3, 0.5, 0.85, 0.945), (5, 0.5, 0.9, 1), (5, 0.1, 1, 1), (3, 0, 1, 1)],
)
def test_intervals_cover_the_truth_as_often_as_they_say(
    seeds: int, spread: float, bootstrap: float, single_t: float
) -> None:
    """95 % of the time or more, as far as 1,500 studies tell; the others do so where seeds are alike."""
    values, truth = studies(seeds, spread)
    crossed = CrossedMean.of(values)
    distance = np.abs(crossed.mean - truth)
    assert np.mean(distance <= crossed.reach()) >= 0.945
    low, high = percentile_bootstrap(values)
    assert np.mean((low <= truth) & (truth <= high)) <= bootstrap
    assert np.mean(distance <= satterthwaite(crossed)) <= single_t


def test_the_reach_is_that_of_both_t_intervals() -> None:
    values = np.array([[1, 1, 0, 0], [1, 1, 1, 1]])
    means = [
        stats.t.interval(0.95, len(each) - 1, 0, stats.sem(each))[1] for each in ([0.5, 1], [1, 1, 0.5, 0.5])
    ]
    assert CrossedMean.of(values).reach() == pytest.approx(np.hypot(*means))
    assert estimate(values) == {
        "mean": 0.75,
        "interval": [round(0.75 + sign * np.hypot(*means), 4) for sign in (-1, 1)],
    }


def test_a_single_seed_has_the_interval_of_its_reviews() -> None:
    correct = (np.arange(1000) < 800)[np.newaxis]
    low, high = estimate(correct)["interval"]
    assert [low, high] == pytest.approx(stats.binom.interval(0.95, 1000, 0.8) / np.array(1000), abs=0.001)


def test_models_that_answer_alike_differ_by_nothing() -> None:
    same = np.zeros((3, 50), np.int8)
    assert estimate(same) == {"mean": 0.0, "interval": [0.0, 0.0]}
    assert p_value(same) == 1.0


def test_p_is_what_the_interval_that_touches_0_leaves_out() -> None:
    values = np.random.default_rng(0).normal(0.1, 1, (4, 30))
    crossed = CrossedMean.of(values)
    assert crossed.reach(p_value(values)) == pytest.approx(abs(crossed.mean), rel=0.01)
    assert p_value(-values) == p_value(values)
    one = values[:1]
    assert p_value(one) == pytest.approx(stats.ttest_1samp(one[0], 0).pvalue, rel=0.01)


def test_a_small_p_is_a_number_and_none_is_0() -> None:
    row = (np.arange(10_000) % 10 > 4).astype(np.int8)  # half of the reviews: 100 standard errors
    assert p_value(row[np.newaxis]) == SMALLEST_P > 0
    few = np.zeros((1, 10_000), np.int8)
    few[0, :400] = 1
    assert 1e-100 < p_value(few) < 1e-80  # about exp(−20²/2)
    assert p_value(np.ones((3, 10))) == SMALLEST_P  # no variance at all


def test_holm_multiplies_the_least_by_all_and_keeps_the_order() -> None:
    assert holm({"a": 0.04, "b": 0.01, "c": 0.03}) == pytest.approx({"a": 0.06, "b": 0.03, "c": 0.06})
    assert list(holm({"a": 0.04, "b": 0.01})) == ["a", "b"]
    assert holm({"a": 0.9, "b": 0.8}) == {"a": 1.0, "b": 1.0} and holm({"a": 0.2}) == {"a": 0.2}


def test_the_mean_over_seeds_of_numbers_and_of_lists() -> None:
    seeds = {
        seed: {"rnn": {"test": {"loss": loss, "roc": [0.0, loss]}}} for seed, loss in ((0, 1.0), (1, 2.0))
    }
    assert mean_over_seeds(seeds, "rnn", "test", "loss") == 1.5
    assert mean_over_seeds(seeds, "rnn", "test", "roc").tolist() == [0.0, 1.5]


def test_superiority_counts_pairs() -> None:
    assert probability_of_superiority([0.9, 0.8], [0.7, 0.8]) == {
        "share": 0.875,
        "pairs": 4,
    }  # 3 wins and a tie
    assert probability_of_superiority([0.5], [0.6]) == {"share": 0.0, "pairs": 1}


def test_one_more_run_lies_in_the_prediction_interval() -> None:
    # Of 2, 4, 6: mean 4, sd 2, t = 4.303 with 2 degrees of freedom, √(1 + 1/3) = 1.155.
    assert prediction_interval([2, 4, 6]) == pytest.approx([4 - 9.94, 4 + 9.94], abs=0.01)
    assert prediction_interval([2]) is None


def test_the_mean_over_seeds_has_a_t_interval() -> None:
    assert mean_interval([2, 4, 6]) == pytest.approx(
        stats.ttest_1samp([2, 4, 6], 0).confidence_interval(), abs=1e-4
    )
    assert mean_interval([2]) is None


def test_cells_are_compared_by_their_means_and_in_every_bin() -> None:
    correct = np.zeros((2, 3, 10), bool)
    for seed, (rnn, lstm) in enumerate([(4, 9), (6, 8), (5, 10)]):
        correct[0, seed, :rnn] = correct[1, seed, :lstm] = True
    first = np.arange(10) < 4
    bins = {"short": first, "none": np.zeros(10, bool), "one": np.arange(10) == 9, "long": ~first}
    result = compare_cells(correct, bins, np.arange(10) < 8)
    assert result["rnn"]["mean"] == 0.5 and result["lstm"]["mean"] == 0.9
    assert result["difference"]["mean"] == 0.4
    assert result["difference"] == estimate(correct[1] * 1 - correct[0] * 1)
    assert result["p_value"] == p_value(correct[1] * 1 - correct[0] * 1)
    assert result["probability_of_superiority"] == {"share": 1.0, "pairs": 9}
    assert [(row["tokens"], row["reviews"]) for row in result["by_length"]] == [("short", 4), ("long", 6)]
    assert result["by_length"][0]["rnn"]["mean"] == 1.0
    assert result["without_duplicates"]["lstm"]["mean"] == 1.0
