"""Which reviews may be of one film: they share rare words, most of which are names.

The archive does not say what a review is of. By its makers (Maas et al., ACL 2011) it has at most 30 reviews
of a film, and no film in both train and test; a validation review drawn from train has no such distance
from what is trained on.

R is the number of reviews, W of rare words. `ranks` are words, from 1, flat; `offsets` say where each review
begins and the last one ends.
"""

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

RARE = (2, 30)  # train reviews that a rare word stands in, at least and at most: those of one film, or of few
TOGETHER = 4  # rare words that two reviews of one film share, at least; of test reviews, few share as many

SHARED = (1, TOGETHER - 1)  # rare words in common, by which reviews are counted: up to each of these, or more


def rare_words(ranks: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return the ascending ranks (W,) of the words that are rare among these reviews."""
    numbers = np.asarray(_incidence(ranks, offsets, int(ranks.max(initial=0))).sum(axis=0))
    return np.flatnonzero((numbers >= RARE[0]) & (numbers <= RARE[1]))


def standing_in(ranks: np.ndarray, offsets: np.ndarray, words: np.ndarray) -> sp.csr_array:
    """Return which of `words`, ranks (W,), stand in which review: ones and zeros, int32 (R, W)."""
    return _incidence(ranks, offsets, max(ranks.max(initial=0), words.max(initial=0)))[:, words]


def most_shared(reviews: sp.csr_array, others: sp.csr_array) -> np.ndarray:
    """Return how many rare words each of `reviews` shares with the one of `others` that has most, (R,)."""
    if not others.shape[0]:
        return np.zeros(reviews.shape[0], np.int32)
    return (reviews @ others.T).max(axis=1).toarray().ravel()


def films(ranks: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return the number, from 0, of each review's film, (R,), as far as the words tell.

    Reviews that share TOGETHER rare words are of one film, and so are those that a chain of such reviews
    connects. A review that shares less with every other is a film of its own.
    """
    rare = standing_in(ranks, offsets, rare_words(ranks, offsets))
    shared = rare @ rare.T
    return np.asarray(connected_components(shared >= TOGETHER, directed=False)[1])


def _incidence(ranks: np.ndarray, offsets: np.ndarray, highest: int) -> sp.csr_array:
    """Return which words up to the rank `highest` stand in which review: int32 (R, highest + 1)."""
    rows = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    shape = (len(offsets) - 1, highest + 1)
    counts = sp.coo_array((np.ones(len(ranks), np.int32), (rows, ranks)), shape=shape).tocsr()
    counts.data[:] = 1  # however often
    return counts
