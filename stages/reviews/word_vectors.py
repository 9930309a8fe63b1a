"""PPMI word vectors: what an embedding may start from instead of random numbers.

Positive pointwise mutual information of words and their neighbours, factorised by a truncated SVD (Levy and
Goldberg, Neural Word Embedding as Implicit Matrix Factorization, NIPS 2014; weighted and smoothed as in Levy,
Goldberg and Dagan, TACL 2015). No label is used.
"""

import numpy as np
import scipy.sparse as sp
from sklearn.utils.extmath import randomized_svd

from stages.runtime.files import INDEX_FROM

SMOOTHING = 0.75  # the power of how often a neighbour occurs: rare neighbours say less
SPREAD = 0.2  # standard deviation of the vectors' numbers: what sets words apart outweighs the first steps


def ppmi_vectors(tokens: np.ndarray, num_words: int, width: int, window: int) -> np.ndarray:
    """Return a vector for each token below `num_words`, float32 (num_words, width).

    tokens: int32 (reviews, length). Two words at most `window` places apart are neighbours, and count the
    inverse of that distance. What is no word, or has no neighbours, is zero; so are the last columns
    where `width` is more than `num_words`.
    """
    counts = sp.csr_array((num_words, num_words), dtype=np.float32)
    for distance in range(1, min(window, tokens.shape[1] - 1) + 1):
        left, right = tokens[:, :-distance].ravel(), tokens[:, distance:].ravel()
        words = (left >= INDEX_FROM) & (right >= INDEX_FROM)
        each = np.full(words.sum(), 1 / distance, np.float32)
        counts += sp.coo_array((each, (left[words], right[words])), shape=counts.shape).tocsr()
    counts = (counts + counts.T).tocoo()
    word = np.asarray(counts.sum(axis=1))
    context = word**SMOOTHING
    row, column = counts.coords
    information = np.log(counts.data * context.sum() / (word[row] * context[column]))
    positive = information > 0
    matrix = sp.csr_array((information[positive], (row[positive], column[positive])), shape=counts.shape)
    left, strength, _ = randomized_svd(matrix, min(width, num_words), n_iter=4, random_state=0)
    vectors = np.zeros((num_words, width), np.float32)
    vectors[:, : len(strength)] = left * np.sqrt(strength)
    vectors[word == 0] = 0  # but for rounding, it is
    spread = vectors[INDEX_FROM:].std()
    return vectors * np.float32(SPREAD / spread) if spread else vectors
