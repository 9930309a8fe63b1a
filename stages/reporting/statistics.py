"""What several seeds and many test reviews say together, and how uncertain that is."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypedDict

import numpy as np
from scipy import optimize, stats

from stages.params.recipe import CELLS
from stages.scoring.packing import unpack

METRICS = ("accuracy", "loss", "auc", "f1")
DIGITS = 4  # of every figure that is written down: a hundredth of a percentage point
CONFIDENCE = 0.95  # of every interval
SMALLEST_P = 1e-205  # far below it, SciPy's quantiles of t are not all finite

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


class Difference(TypedDict):
    """The mean of a difference per seed, and its interval, None for a single seed."""

    mean: float
    interval: list[float] | None


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

    p_value: float
    prediction_interval: dict[str, list[float] | None]
    probability_of_superiority: dict[str, Any]
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


def compare_cells(correct: np.ndarray, bins: Mapping[str, np.ndarray], unique: np.ndarray) -> Uncertainty:
    """Return how certain a recipe's comparison of both cells is.

    correct: bool (2, seeds, reviews), in CELLS' order, paired by seed; bins: name → bool (reviews,), by
    length; unique: bool (reviews,), false where a review is in train, too. `by_length` has the bins of two
    reviews or more; `prediction_interval` is None for a single seed; `p_value` tests whether both are equal.
    """
    accuracies = {cell: each.mean(axis=1).tolist() for cell, each in zip(CELLS, correct, strict=True)}
    scores = correct.astype(np.int8)

    def estimates(reviews: np.ndarray) -> Estimates:
        rnn, lstm = scores[..., reviews]
        return {"rnn": estimate(rnn), "lstm": estimate(lstm), "difference": estimate(lstm - rnn)}

    return {
        **estimates(np.ones_like(unique)),
        "p_value": p_value(scores[1] - scores[0]),
        "prediction_interval": {cell: prediction_interval(each) for cell, each in accuracies.items()},
        "probability_of_superiority": probability_of_superiority(accuracies["lstm"], accuracies["rnn"]),
        "by_length": [
            {"tokens": name, "reviews": int(chosen.sum()), **estimates(chosen)}
            for name, chosen in bins.items()
            if chosen.sum() > 1
        ],
        "without_duplicates": estimates(unique),
    }


def estimate(values: np.ndarray) -> Estimate:
    """Return the mean of `values` (seeds, reviews) and its interval: see `CrossedMean`."""
    crossed = CrossedMean.of(values)
    return {"mean": round(float(crossed.mean), DIGITS), "interval": _around(crossed.mean, crossed.reach())}


class CrossedMean(NamedTuple):
    """A mean over seeds and reviews, and what the draw of either adds to its error.

    Seeds and reviews are crossed random effects. The variance of the mean is at most the sum of two parts:
    variance of the seeds' means / seeds + variance of the reviews' means / reviews. Both hold the noise of
    single answers, so the sum is a little too large (Owen, The pigeonhole bootstrap, Annals of Applied
    Statistics 1, 2007). Of a single seed only the reviews' part is known.

    The interval is ± √(t² · seeds' part + t² · reviews' part), each with the t of its own degrees of freedom
    (Banerjee, Sankhyā 22, 1960; Ruben, Sankhyā A 64, 2002). With normal effects it covers the truth at least
    as often as it says, whichever part is larger: the distribution function of χ²(1) is concave. With few
    seeds that differ much, one t with Satterthwaite's degrees of freedom covers less than that, and a
    percentile bootstrap far less: tests/test_statistics.py.
    """

    mean: np.ndarray
    seeds_error: np.ndarray  # standard errors
    reviews_error: np.ndarray
    seeds: int
    reviews: int

    @classmethod
    def of(cls, values: np.ndarray) -> "CrossedMean":
        """Return the mean of values (…, seeds, reviews), of two reviews or more."""
        seeds, reviews = values.shape[-2:]
        seeds_error = (
            values.mean(axis=-1).std(axis=-1, ddof=1) / np.sqrt(seeds)
            if seeds > 1
            else np.zeros(values.shape[:-2])
        )
        reviews_error = values.mean(axis=-2).std(axis=-1, ddof=1) / np.sqrt(reviews)
        return cls(values.mean(axis=(-2, -1)), seeds_error, reviews_error, seeds, reviews)

    def reach(self, p: float = 1 - CONFIDENCE) -> np.ndarray:
        """Return how far the interval that leaves out a share `p` reaches to either side of the mean."""
        parts = self.reviews_error * stats.t.isf(p / 2, self.reviews - 1)
        if self.seeds > 1:
            parts = np.hypot(parts, self.seeds_error * stats.t.isf(p / 2, self.seeds - 1))
        return np.asarray(parts)


def p_value(values: np.ndarray) -> float:
    """Return the p-value of a mean of 0 of `values` (seeds, reviews): where its interval reaches 0.

    SMALLEST_P stands for all smaller ones.
    """
    crossed = CrossedMean.of(values)
    distance = abs(float(crossed.mean))

    def excess(log_p: float) -> float:
        return float(crossed.reach(np.exp(log_p))) - distance

    smallest = np.log(SMALLEST_P)
    if distance == 0:
        return 1.0
    if excess(smallest) <= 0:
        return SMALLEST_P
    return float(f"{np.exp(optimize.brentq(excess, smallest, 0)):.3g}")


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Return the p-values, corrected for being several (Holm 1979); 0.05 then holds for all together."""
    ordered = sorted(p_values, key=p_values.__getitem__)
    scaled = [min(1.0, p_values[name] * (len(ordered) - i)) for i, name in enumerate(ordered)]
    corrected = dict(zip(ordered, np.maximum.accumulate(scaled).tolist(), strict=True))
    return {name: corrected[name] for name in p_values}


def mean_interval(values: Sequence[float]) -> list[float] | None:
    """Return the interval of the mean of one value per seed, were they normal; None for a single one."""
    return _t_interval(values, 1 / len(values))


def mean_difference(values: Sequence[float]) -> Difference:
    """Return the mean of a difference per seed, and its interval."""
    return {"mean": round(float(np.mean(values)), DIGITS), "interval": mean_interval(values)}


def prediction_interval(values: Sequence[float]) -> list[float] | None:
    """Return where one more seed's value would lie, were they normal; None for a single one."""
    return _t_interval(values, 1 + 1 / len(values))


def _t_interval(values: Sequence[float], share: float) -> list[float] | None:
    """Return mean ± t(n − 1) · sd · √share."""
    if len(values) < 2:
        return None
    t = stats.t.isf((1 - CONFIDENCE) / 2, len(values) - 1)
    return _around(np.mean(values), t * np.std(values, ddof=1) * np.sqrt(share))


def _around(mean: Any, reach: Any) -> list[float]:
    return [round(float(mean + sign * reach), DIGITS) for sign in (-1, 1)]


def probability_of_superiority(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, Any]:
    """Return among all pairs the `share` in which one of `ours` is above one of `theirs`, ties by half.

    The estimate of P(ours > theirs) behind the Mann-Whitney test; `pairs` is their number.
    """
    pairs = len(ours) * len(theirs)
    wins = stats.mannwhitneyu(ours, theirs).statistic
    return {"share": round(float(wins / pairs), DIGITS), "pairs": pairs}
