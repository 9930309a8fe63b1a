"""Stage `audit`: what the reviews are, how long, how many of them duplicates, and which in train and test."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from stages.reviews.encoding import load_raw
from stages.runtime.command_line import stage_main
from stages.runtime.files import RAW, REPORTS, json_text, load_json, write_atomically

# Tokens; at most nine, so that a bin is one digit. Of the real test reviews, each bin has 1,900 or more.
LENGTHS = (100, 150, 200, 300, 500)
HISTOGRAM = tuple(range(50, 1001, 50))  # tokens
PERCENTILES = {
    "min": 0,
    "p5": 5,
    "lower_quartile": 25,
    "median": 50,
    "upper_quartile": 75,
    "p95": 95,
    "max": 100,
}


def audit() -> None:
    """Count the reviews, their lengths and their duplicates, and write it as JSON."""
    found, labels, lengths = {}, {}, {}
    result: dict[str, Any] = {
        "word_index": len(load_json(RAW / "word_index.json")),
        "length_edges": LENGTHS,
        "histogram_edges": HISTOGRAM,
    }
    for split in ("train", "test"):
        offsets = load_raw(split, "offsets")
        found[split] = reviews(load_raw(split, "tokens"), offsets)
        labels[split] = load_raw(split, "labels")
        lengths[split] = np.diff(offsets) + 1  # the start token, which `pad` adds
        result[split] = {
            "reviews": len(found[split]),
            "distinct": len(set(found[split])),
            "positive": round(float(labels[split].mean()), 4),
            **describe(lengths[split]),
        }
    result["duplicates"] = duplicates(found["train"], labels["train"], found["test"], labels["test"])
    # Which of the bins each test review is in, a digit each, in the order of the test probabilities.
    result["test_lengths"] = "".join(map(str, bins(lengths["test"], LENGTHS)))
    write_atomically(REPORTS / "audit.json", json_text(result))
    for split in ("train", "test"):
        about = result[split]
        print(
            f"audit: {about['reviews']:,} {split} reviews, {about['distinct']:,} of them distinct, "
            f"{about['tokens']['median']:g} tokens in the median"
        )
    print(f"audit: {len(result['duplicates']['rows'])} test reviews are also in train, word for word")


def reviews(tokens: np.ndarray, offsets: np.ndarray) -> list[bytes]:
    """Return each review's tokens as bytes: equal where, and only where, the tokens are.

    tokens: flat; offsets: where each review begins and the last one ends.
    """
    return [tokens[begin:end].tobytes() for begin, end in itertools.pairwise(offsets)]


def bins(lengths: np.ndarray, edges: Sequence[int]) -> np.ndarray:
    """Return the number, from 0, of each length's bin; an edge is the longest length of its bin.

    There is one bin more than there are edges: the last has what is longer than all of them.
    """
    return np.digitize(lengths, edges, right=True)


def describe(lengths: np.ndarray) -> dict[str, Any]:
    """Return how reviews of these `lengths`, in tokens, are distributed.

    `longer` is the share that is longer than each of LENGTHS; `lengths` and `histogram` are the
    numbers of reviews in the bins of LENGTHS and of HISTOGRAM.
    """
    return {
        "tokens": {
            "mean": round(float(lengths.mean()), 1),
            **{name: round(float(np.percentile(lengths, rank)), 1) for name, rank in PERCENTILES.items()},
        },
        "longer": {str(edge): round(float((lengths > edge).mean()), 4) for edge in LENGTHS},
        "lengths": np.bincount(bins(lengths, LENGTHS), minlength=len(LENGTHS) + 1).tolist(),
        "histogram": np.bincount(bins(lengths, HISTOGRAM), minlength=len(HISTOGRAM) + 1).tolist(),
    }


def duplicates(
    train: Sequence[bytes], train_labels: np.ndarray, test: Sequence[bytes], test_labels: np.ndarray
) -> dict[str, Any]:
    """Return the rows, from 0, of test reviews that are also in train, and of those with another label there.

    A review is in train where one there has the same words in the same order.
    """
    labels: dict[bytes, set[int]] = {}
    for review, label in zip(train, train_labels.tolist(), strict=True):
        labels.setdefault(review, set()).add(label)
    rows = [row for row, review in enumerate(test) if review in labels]
    other = [row for row in rows if labels[test[row]] - {int(test_labels[row])}]
    return {"rows": rows, "rows_of_other_label": other}


if __name__ == "__main__":
    stage_main(audit)
