"""What the figures of several seeds say together, and how sure it is."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import stats

METRICS = ("accuracy", "loss", "auc", "f1")
DIGITS = 4  # of every figure that is written down: a hundredth of a percent point
ROC_RATES = np.linspace(0, 1, 101)  # false positive rates at which ROC curves are written down
CELLS = ("rnn", "lstm")
CONFIDENCE = 0.95  # of every interval

Runs = Mapping[str, Mapping[int, Mapping[str, Any]]]  # recipe → seed → what `score` wrote


def summarise(values: Mapping[int, float]) -> dict[str, Any]:
    """Return mean, sample standard deviation (None for a single seed) and every seed's value, rounded."""
    numbers = list(values.values())
    return {
        "mean": round(float(np.mean(numbers)), DIGITS),
        "sd": round(float(np.std(numbers, ddof=1)), DIGITS) if len(numbers) > 1 else None,
        "seeds": {str(seed): round(value, DIGITS) for seed, value in values.items()},
    }


def compare(runs: Runs) -> dict[str, dict[str, dict[str, Any]]]:
    """Return recipe → `rnn`, `lstm` or `difference` → metric → summary over seeds, on the test reviews.

    The difference is LSTM minus RNN, seed by seed.
    """
    result: dict[str, dict[str, dict[str, Any]]] = {}
    for recipe, seeds in runs.items():
        result[recipe] = {"rnn": {}, "lstm": {}, "difference": {}}
        for metric in METRICS:
            rnn = {seed: run["rnn"]["test"][metric] for seed, run in seeds.items()}
            lstm = {seed: run["lstm"]["test"][metric] for seed, run in seeds.items()}
            difference = {seed: lstm[seed] - rnn[seed] for seed in seeds}
            for column, values in (("rnn", rnn), ("lstm", lstm), ("difference", difference)):
                result[recipe][column][metric] = summarise(values)
    return result


def pack(right: np.ndarray) -> str:
    """Return bools (reviews,), which answers were right, as text: a bit each, base64."""
    return base64.b64encode(np.packbits(right).tobytes()).decode("ascii")


def unpack(text: str, reviews: int) -> np.ndarray:
    """Return the bools (reviews,) that `pack` made text of."""
    return np.unpackbits(np.frombuffer(base64.b64decode(text), np.uint8), count=reviews).astype(bool)


def answered_right(seeds: Mapping[int, Mapping[str, Any]]) -> np.ndarray:
    """Return which test reviews a recipe's nets answer right: bool (2, seeds, reviews), the RNNs first."""
    return np.array(
        [
            [
                unpack(run[cell]["test"]["right"], int(np.sum(run[cell]["test"]["confusion"])))
                for run in seeds.values()
            ]
            for cell in CELLS
        ]
    )


def judge(
    right: np.ndarray, seeds: Sequence[int], bins: np.ndarray, alone: np.ndarray, resamples: int, seed: int
) -> dict[str, Any]:
    """Return how sure a recipe's comparison is.

    right: bool (2, seeds, reviews), the RNNs first; bins: (reviews,), from 0, by length; alone: bool
    (reviews,), false where a review stands in train as well.
    """
    reached = {
        cell: dict(zip(seeds, each.mean(axis=1), strict=True))
        for cell, each in zip(CELLS, right, strict=True)
    }
    medians = {cell: median_seed(reached[cell]) for cell in CELLS}
    places = [list(seeds).index(medians[cell]) for cell in CELLS]
    return {
        **versus(right, resamples, seed),
        "fresh_run": {cell: fresh_run(list(reached[cell].values())) for cell in CELLS},
        "lstm_beats_rnn": beats(list(reached["lstm"].values()), list(reached["rnn"].values())),
        "mcnemar": {
            "seeds": medians,
            **mcnemar(*(each[place] for each, place in zip(right, places, strict=True))),
        },
        "by_length": [
            {"reviews": int((bins == number).sum()), **versus(right[..., bins == number], resamples, seed)}
            for number in range(bins.max() + 1)
        ],
        "without_duplicates": versus(right[..., alone], resamples, seed),
    }


def versus(right: np.ndarray, resamples: int, seed: int) -> dict[str, dict[str, Any]]:
    """Return the mean accuracy of two kinds of nets and the second's lead, each with its interval.

    right: bool (2, seeds, reviews), paired by seed. Named as if the first were RNNs and the second LSTMs.
    """
    names = (*CELLS, "difference")
    if not right.shape[-1]:
        return {name: {"mean": None, "interval": None} for name in names}
    means, drawn = right.mean(axis=(1, 2)), redrawn(right, resamples, seed)
    columns = (
        (means[0], drawn[:, 0]),
        (means[1], drawn[:, 1]),
        (means[1] - means[0], drawn[:, 1] - drawn[:, 0]),
    )
    return {
        name: {"mean": round(float(mean), DIGITS), "interval": interval(values)}
        for name, (mean, values) in zip(names, columns, strict=True)
    }


def redrawn(right: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """Return the mean accuracies of nets, float (resamples, nets), each time on other seeds and reviews.

    right: bool (nets, seeds, reviews). Seeds and reviews are each drawn with replacement, as many as
    there are, and the same for all nets: a bootstrap over both, paired (Efron and Tibshirani, An
    Introduction to the Bootstrap, 1993, §8.3).
    """
    nets, seeds, reviews = right.shape
    random = np.random.default_rng(seed)
    # Reviews that the same nets get right are alike: what is drawn is how many of each kind.
    kinds, counts = np.unique(np.packbits(right.reshape(-1, reviews), axis=0), axis=1, return_counts=True)
    kinds = np.unpackbits(kinds, axis=0, count=nets * seeds).astype(np.float64)
    drawn = random.multinomial(reviews, counts / reviews, size=resamples) @ kinds.T / reviews
    weights = random.multinomial(seeds, np.full(seeds, 1 / seeds), size=resamples) / seeds
    return np.asarray(np.einsum("rns,rs->rn", drawn.reshape(resamples, nets, seeds), weights))


def interval(values: np.ndarray) -> list[float]:
    """Return the two values between which the middle share CONFIDENCE of `values` lies."""
    tail = (1 - CONFIDENCE) / 2
    return [round(float(bound), DIGITS) for bound in np.quantile(values, (tail, 1 - tail))]


def beats(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, Any]:
    """Return how often one of `ours` is above one of `theirs`, ties by half, among all pairs.

    The estimate of P(ours > theirs) behind the Mann-Whitney test.
    """
    signs = np.sign(np.subtract.outer(ours, theirs))
    return {"share": round(float((1 + signs).mean() / 2), DIGITS), "pairs": signs.size}


def mcnemar(rnn: np.ndarray, lstm: np.ndarray) -> dict[str, Any]:
    """Return McNemar's exact test on two nets' answers, right or not, bool (reviews,).

    Reviews that only one of both gets right would fall to either with probability ½ if both were as
    good (McNemar 1947): a two-sided binomial test.
    """
    only_rnn, only_lstm = int((rnn & ~lstm).sum()), int((lstm & ~rnn).sum())
    p = stats.binomtest(only_lstm, only_rnn + only_lstm).pvalue if only_rnn + only_lstm else 1.0
    return {"only_rnn": only_rnn, "only_lstm": only_lstm, "p": float(f"{p:.3g}")}


def median_seed(values: Mapping[int, float]) -> int:
    """Return the seed of the median value, of the lower one where there are two."""
    ordered = sorted(values, key=lambda seed: (values[seed], seed))
    return ordered[(len(ordered) - 1) // 2]


def fresh_run(values: Sequence[float]) -> list[float] | None:
    """Return where one more run's value would lie, were the values normal: a prediction interval.

    mean ± t(n − 1) · sd · √(1 + 1/n); None for a single value.
    """
    n = len(values)
    if n < 2:
        return None
    reach = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) * np.std(values, ddof=1) * np.sqrt(1 + 1 / n)
    return [round(float(np.mean(values) + sign * reach), DIGITS) for sign in (-1, 1)]
