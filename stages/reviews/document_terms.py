"""The document-term matrix: which words occur in which review."""

import numpy as np
import scipy.sparse as sp


def document_term_matrix(terms: np.ndarray, offsets: np.ndarray, num_terms: int) -> sp.csr_array:
    """Return 1 where a term occurs in a review, however often, and 0 elsewhere: int32 (reviews, num_terms).

    terms: flat, below `num_terms`; offsets: where each review begins and the last one ends.
    """
    rows = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    shape = (len(offsets) - 1, num_terms)
    matrix = sp.coo_array((np.ones(len(terms), np.int32), (rows, terms)), shape=shape).tocsr()
    matrix.data[:] = 1
    return matrix


def terms_by_frequency(matrix: sp.csr_array, frequency: tuple[int, int]) -> np.ndarray:
    """Return the ascending terms whose document frequency lies in `frequency`, both bounds included."""
    frequencies = np.asarray(matrix.sum(axis=0))
    return np.flatnonzero((frequencies >= frequency[0]) & (frequencies <= frequency[1]))


def max_shared_terms(matrix: sp.csr_array, others: sp.csr_array) -> np.ndarray:
    """Return how many terms each review shares with the one of `others` that shares most, int (reviews,)."""
    if not others.shape[0]:
        return np.zeros(matrix.shape[0], np.int32)
    return (matrix @ others.T).max(axis=1).toarray().ravel()
