"""Which items stand in which review, how often in all, and what that says of the label.

R is the number of reviews, N of items: words, tokens or pairs, as numbers below N. `items` are flat;
`offsets` say where each review begins and the last one ends.
"""

import numpy as np
import scipy.sparse as sp


def incidence(items: np.ndarray, offsets: np.ndarray, number: int) -> sp.csr_array:
    """Return which of `number` items stand in which review: 0 or 1, int32 (R, N). Those below 0 are none."""
    rows = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    real = items >= 0
    shape = (len(offsets) - 1, number)
    counts = sp.coo_array((np.ones(real.sum(), np.int32), (rows[real], items[real])), shape=shape).tocsr()
    counts.data[:] = 1  # however often
    return counts


def standing(stands: sp.csr_array, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return in how many reviews each item stands, and in how many positive ones, int64 (N,) each."""
    return np.asarray(stands.sum(axis=0)), np.asarray(stands[np.flatnonzero(labels)].sum(axis=0))


def log_odds(number: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """Return how much likelier an item makes a positive review than a negative one, (N,): naive Bayes.

    It is the logarithm of the ratio of the two, one review of each label added to those that are counted, as
    of `standing`; 0 for what stands nowhere. As many reviews of each label are assumed.
    """
    return np.log((positive + 1) / (number - positive + 1))
