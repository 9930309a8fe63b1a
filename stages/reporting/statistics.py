"""What several seeds and many test reviews say together, and how uncertain that is."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import numpy as np
from scipy import stats

from stages.params.recipe import CELLS
from stages.scoring.packing import unpack

METRICS = ("accuracy", "loss", "auc", "f1")
DIGITS = 4  # of every figure that is written down: a hundredth of a percentage point
CONFIDENCE = 0.95  # of every interval

Seeds = Mapping[int, Mapping[str, Any]]  # seed → what `score` wrote of a recipe's two runs
Runs = Mapping[str, Seeds]  # recipe → the same


class Summary(TypedDict):
    """A metric over seeds: mean, sample standard deviation (None for a single seed), each seed's value."""

    mean: float
    sd: float | None
    seeds: dict[str, float]


class Estimate(TypedDict):
    """A mean over seeds and reviews, or a difference of two, and its interval."""

    mean: float
    interval: list[float]


class Estimates(TypedDict):
    """Both cells' accuracies on some test reviews, and LSTM minus RNN."""

    rnn: Estimate
    lstm: Estimate
    difference: Estimate


class LengthBin(Estimates):
    """The same on the test reviews of so many tokens, such as "up to 100"."""

    tokens: str
    reviews: int


class Uncertainty(Estimates):
    """The same on all test reviews, and how certain that is; `compare_cells` says what the parts are."""

    prediction_interval: dict[str, list[float] | None]
    probability_of_superiority: dict[str, Any]
    mcnemar: dict[str, Any]
    by_length: list[LengthBin]
    without_duplicates: Estimates


def summarise(values: Mapping[int, float]) -> Summary:
    """Return the summary of a metric's value for each seed, rounded."""
    numbers = list(values.values())
    return {
        "mean": round(float(np.mean(numbers)), DIGITS),
        "sd": round(float(np.std(numbers, ddof=1)), DIGITS) if len(numbers) > 1 else None,
        "seeds": {str(seed): round(value, DIGITS) for seed, value in values.items()},
    }


def summarise_metrics(seeds: Seeds) -> dict[str, dict[str, Summary]]:
    """Return `rnn`, `lstm` and `difference` → metric → summary over seeds, on the test reviews.

    The difference is LSTM minus RNN, seed by seed.
    """
    result: dict[str, dict[str, Summary]] = {column: {} for column in (*CELLS, "difference")}
    for metric in METRICS:
        rnn, lstm = (
            {seed: float(run[cell]["test"][metric]) for seed, run in seeds.items()} for cell in CELLS
        )
        difference = {seed: lstm[seed] - rnn[seed] for seed in seeds}
        for column, values in zip(result, (rnn, lstm, difference), strict=True):
            result[column][metric] = summarise(values)
    return result


def mean_over_seeds(seeds: Seeds, cell: str, split: str, metric: str) -> np.ndarray:
    """Return the mean of a metric that is a number or a list of numbers: a scalar or an array."""
    return np.asarray([run[cell][split][metric] for run in seeds.values()]).mean(axis=0)


def correct_answers(seeds: Seeds) -> np.ndarray:
    """Return which test reviews a recipe's models answer correctly: bool (CELLS, seeds, reviews)."""
    tests = [[run[cell]["test"] for run in seeds.values()] for cell in CELLS]
    return np.array(
        [[unpack(test["correct"], int(np.sum(test["confusion"]))) for test in row] for row in tests]
    )


def compare_cells(
    correct: np.ndarray,
    seeds: Sequence[int],
    bins: Mapping[str, np.ndarray],
    unique: np.ndarray,
    n_resamples: int,
    seed: int,
) -> Uncertainty:
    """Return how certain a recipe's comparison of both cells is.

    correct: bool (2, seeds, reviews), in CELLS' order; bins: name → bool (reviews,), by length; unique:
    bool (reviews,), false where a review is in train, too. `mcnemar` compares the runs of median accuracy;
    `by_length` has the bins that are not empty; `prediction_interval` is None for a single seed.
    """
    accuracies = {cell: each.mean(axis=1).tolist() for cell, each in zip(CELLS, correct, strict=True)}
    medians = {cell: median_seed(dict(zip(seeds, each, strict=True))) for cell, each in accuracies.items()}
    median_runs = (correct[i, list(seeds).index(medians[cell])] for i, cell in enumerate(CELLS))

    def estimates(reviews: np.ndarray) -> Estimates:
        rnn, lstm, difference = paired_bootstrap(correct[..., reviews], n_resamples, seed)
        return {"rnn": rnn, "lstm": lstm, "difference": difference}

    return {
        **estimates(np.ones_like(unique)),
        "prediction_interval": {cell: prediction_interval(each) for cell, each in accuracies.items()},
        "probability_of_superiority": probability_of_superiority(accuracies["lstm"], accuracies["rnn"]),
        "mcnemar": {"seeds": medians, **mcnemar(*median_runs)},
        "by_length": [
            {"tokens": name, "reviews": int(chosen.sum()), **estimates(chosen)}
            for name, chosen in bins.items()
            if chosen.any()
        ],
        "without_duplicates": estimates(unique),
    }


def paired_bootstrap(correct: np.ndarray, n_resamples: int, seed: int) -> tuple[Estimate, Estimate, Estimate]:
    """Return the mean accuracies of two kinds of models, and the second's lead over the first.

    correct: bool (2, seeds, reviews), paired by seed, of at least one review.
    """
    first, second = correct.mean(axis=(1, 2))
    drawn_first, drawn_second = bootstrap_means(correct, n_resamples, seed).T
    return (
        _estimate(first, drawn_first),
        _estimate(second, drawn_second),
        _estimate(second - first, drawn_second - drawn_first),
    )


def _estimate(mean: float, drawn: np.ndarray) -> Estimate:
    return {"mean": round(float(mean), DIGITS), "interval": interval(drawn)}


def bootstrap_means(correct: np.ndarray, n_resamples: int, seed: int) -> np.ndarray:
    """Return mean accuracies, float (n_resamples, models), each time of other seeds and reviews.

    correct: bool (models, seeds, reviews). Seeds and reviews are each drawn with replacement, as many as
    there are, and the same for all models: a bootstrap over both, paired (Efron and Tibshirani, An
    Introduction to the Bootstrap, 1993, §8.3).
    """
    models, seeds, reviews = correct.shape
    random = np.random.default_rng(seed)
    # Reviews that the same models answer correctly are alike: what is drawn is how many of each kind.
    kinds, counts = np.unique(np.packbits(correct.reshape(-1, reviews), axis=0), axis=1, return_counts=True)
    kinds = np.unpackbits(kinds, axis=0, count=models * seeds).astype(np.float64)
    drawn = random.multinomial(reviews, counts / reviews, size=n_resamples) @ kinds.T / reviews
    weights = random.multinomial(seeds, np.full(seeds, 1 / seeds), size=n_resamples) / seeds
    return np.asarray(np.einsum("rns,rs->rn", drawn.reshape(n_resamples, models, seeds), weights))


def interval(values: np.ndarray) -> list[float]:
    """Return the two values between which the middle share CONFIDENCE of `values` lies."""
    tail = (1 - CONFIDENCE) / 2
    return [round(float(bound), DIGITS) for bound in np.quantile(values, (tail, 1 - tail))]


def probability_of_superiority(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, Any]:
    """Return among all pairs the `share` in which one of `ours` is above one of `theirs`, ties by half.

    The estimate of P(ours > theirs) behind the Mann-Whitney test; `pairs` is their number.
    """
    pairs = len(ours) * len(theirs)
    wins = stats.mannwhitneyu(ours, theirs).statistic
    return {"share": round(float(wins / pairs), DIGITS), "pairs": pairs}


def mcnemar(rnn: np.ndarray, lstm: np.ndarray) -> dict[str, Any]:
    """Return McNemar's exact test on two models' answers, correct or not, bool (reviews,).

    Reviews that only one of both answers correctly would fall to either with probability ½ if both were as
    good (McNemar 1947): a two-sided binomial test.
    """
    only_rnn, only_lstm = int((rnn & ~lstm).sum()), int((lstm & ~rnn).sum())
    p = stats.binomtest(only_lstm, only_rnn + only_lstm).pvalue if only_rnn + only_lstm else 1.0
    return {"only_rnn": only_rnn, "only_lstm": only_lstm, "p": float(f"{p:.3g}")}


def median_seed(values: Mapping[int, float]) -> int:
    """Return the seed of the median value, of the lower one where there are two."""
    ordered = sorted(values, key=lambda seed: (values[seed], seed))
    return ordered[(len(ordered) - 1) // 2]


def prediction_interval(values: Sequence[float]) -> list[float] | None:
    """Return where one more run's value would lie, were the values normal; None for a single value.

    mean ± t(n − 1) · sd · √(1 + 1/n).
    """
    n = len(values)
    if n < 2:
        return None
    scale = np.std(values, ddof=1) * np.sqrt(1 + 1 / n)
    reach = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) * scale
    return [round(float(np.mean(values) + sign * reach), DIGITS) for sign in (-1, 1)]


def mean_interval(values: Sequence[float]) -> list[float] | None:
    """Return the interval of a mean over seeds by Student's t; None for a single value."""
    n = len(values)
    if n < 2:
        return None
    reach = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) * np.std(values, ddof=1) / np.sqrt(n)
    return [round(float(np.mean(values) + sign * reach), DIGITS) for sign in (-1, 1)]
