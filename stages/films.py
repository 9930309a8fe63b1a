"""Which reviews may be of one film: the words that tell films apart, such as names, are alike.

The archive does not say what a review is of. By its makers (Maas et al., ACL 2011) it has at most 30 reviews
of a film, and no film in both train and test; a validation review drawn from train has no such distance
from what is trained on.

R is the number of reviews, W of words. `stands` is which words, by their ranks, stand in which review: what
`incidence` makes of them.
"""

import numpy as np
import scipy.sparse as sp

RARE = (2, 30)  # train reviews that a rare word stands in, at least and at most: those of one film, or of few
SHARED = (1, 3)  # rare words in common, by which reviews are counted: up to each of these, or more

TELLING = (2, 1000)  # train reviews that a word stands in by which films are told apart: also actors, genres
NEIGHBOURS = 5  # reviews that each review is linked with, at least
RESOLUTION = 200.0  # of the groups, with 25,000 reviews: the largest have some 30, as films have at most
AT_ONCE = 1000  # reviews that are compared with all: 200 MB


def words_in(stands: sp.csr_array, reviews: tuple[int, int]) -> np.ndarray:
    """Return the ascending ranks (W,) of the words that stand in so many of these reviews, from … to."""
    numbers = np.asarray(stands.sum(axis=0))
    return np.flatnonzero((numbers >= reviews[0]) & (numbers <= reviews[1]))


def most_shared(reviews: sp.csr_array, others: sp.csr_array) -> np.ndarray:
    """Return how many words each of `reviews` shares with the one of `others` that has most of them, (R,)."""
    if not others.shape[0]:
        return np.zeros(reviews.shape[0], np.int32)
    return (reviews @ others.T).max(axis=1).toarray().ravel()


def films(stands: sp.csr_array) -> np.ndarray:
    """Return the number, from 0, of each review's group, (R,): reviews that seem to be of one film.

    Each review is linked with the NEIGHBOURS whose telling words, weighted by TF-IDF, are most like its own
    (cosine), and the graph is cut into communities by the Louvain method (Blondel and others, Fast unfolding
    of communities in large networks, 2008). A review that shares no such word is a group of its own.
    """
    # Imported here: it takes longer than the padding.
    import networkx as nx
    from sklearn.feature_extraction.text import TfidfTransformer

    number = stands.shape[0]
    telling = words_in(stands, TELLING)
    if not len(telling):
        return np.arange(number)
    weights = TfidfTransformer().fit_transform(stands[:, telling])
    most, links = min(NEIGHBOURS, number), []
    for first in range(0, number, AT_ONCE):
        alike = (weights[first : first + AT_ONCE] @ weights.T).toarray()
        np.fill_diagonal(alike[:, first:], 0)
        least = np.partition(alike, -most, axis=1)[:, [-most]]
        # Rounded: the last digits, which differ between processors, would decide where communities end.
        links.append(sp.csr_array(np.where(alike >= least, alike, 0).round(4)))
    nearest = sp.vstack(links)
    graph = nx.from_scipy_sparse_array(nearest.maximum(nearest.T))
    communities = nx.community.louvain_communities(graph, resolution=RESOLUTION, seed=0)
    groups = np.empty(number, np.int64)
    for group, reviews in enumerate(sorted(communities, key=min)):
        groups[list(reviews)] = group
    return groups
