"""Which reviews may be of one film: the words that tell films apart, such as names, are alike.

The archive does not say what a review is of. By its makers (Maas et al., ACL 2011) it has at most 30 reviews
of a film, and no film in both train and test; a validation review drawn from train has no such distance
from what is trained on.
"""

import networkx as nx
import numpy as np
import scipy.sparse as sp
from sklearn.feature_extraction.text import TfidfTransformer

from stages.reviews.document_terms import terms_by_frequency

FREQUENCY = (2, 1000)  # document frequency of the words by which films are told apart: also actors, genres
NEIGHBOURS = 5  # reviews that each review is linked with, at least
RESOLUTION = 200.0  # of the groups, with 25,000 reviews: the largest have some 30, as films have at most
AT_ONCE = 1000  # reviews that are compared with all: 200 MB


def film_groups(matrix: sp.csr_array) -> np.ndarray:
    """Return the number, from 0, of the group of each review, int64 (reviews,): those of one film, it seems.

    matrix: document-term matrix (reviews, words). Each review is linked with the NEIGHBOURS whose words,
    weighted by TF-IDF, are most like its own (cosine), and the graph is cut into communities by the Louvain
    method (Blondel and others, Fast unfolding of communities in large networks, 2008). A review that shares
    no such word is a group of its own.
    """
    number = matrix.shape[0]
    words = terms_by_frequency(matrix, FREQUENCY)
    if not len(words):
        return np.arange(number)
    weights = TfidfTransformer().fit_transform(matrix[:, words])
    neighbours, links = min(NEIGHBOURS, number), []
    for first in range(0, number, AT_ONCE):
        similarity = (weights[first : first + AT_ONCE] @ weights.T).toarray()
        np.fill_diagonal(similarity[:, first:], 0)
        least = np.partition(similarity, -neighbours, axis=1)[:, [-neighbours]]
        # Rounded: the last digits, which differ between processors, would decide where communities end.
        links.append(sp.csr_array(np.where(similarity >= least, similarity, 0).round(4)))
    nearest = sp.vstack(links)
    graph = nx.from_scipy_sparse_array(nearest.maximum(nearest.T))
    communities = nx.community.louvain_communities(graph, resolution=RESOLUTION, seed=0)
    groups = np.empty(number, np.int64)
    for group, reviews in enumerate(sorted(communities, key=min)):
        groups[list(reviews)] = group
    return groups
