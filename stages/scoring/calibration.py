"""How far P(positive) is the share of positive reviews: what a reliability diagram shows, and its error."""

from typing import Any

import numpy as np

BINS = 15  # of P(positive), equally wide, as in Guo et al., On Calibration of Modern Neural Networks, 2017


def calibration(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, Any]:
    """Return the expected calibration error, the overconfidence, and what lies in each bin of P(positive).

    labels: (reviews,) of 0 and 1; probabilities: (reviews,) P(positive). `ece` is the mean over reviews of
    how far a bin's share of positive reviews is from its mean probability (Naeini et al., 2015).
    `overconfidence` is the mean probability of the predicted label − accuracy. `reviews` and `positive`
    count, `probability` is the mean, None in an empty bin.
    """
    wide = probabilities.astype(np.float64)
    bins = np.minimum((wide * BINS).astype(int), BINS - 1)
    reviews, positive, total = (
        np.bincount(bins, weights, BINS) for weights in (np.ones_like(wide), labels, wide)
    )
    accuracy = np.mean((wide > 0.5) == labels)
    return {
        "ece": round(float(np.abs(positive - total).sum() / len(labels)), 5),
        "overconfidence": round(float(np.maximum(wide, 1 - wide).mean() - accuracy), 5),
        "reviews": reviews.astype(int).tolist(),
        "positive": positive.astype(int).tolist(),
        "probability": [
            round(float(each / number), 4) if number else None
            for each, number in zip(total, reviews, strict=True)
        ],
    }
