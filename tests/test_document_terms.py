"""The document-term matrix, worked out by hand."""

import numpy as np

from stages.reviews.document_terms import document_term_matrix, max_shared_terms, terms_by_frequency


def test_a_term_counts_once_a_review_however_often_it_occurs() -> None:
    terms, offsets = np.array([2, 2, 0, 0, 1]), np.array([0, 3, 3, 5])
    matrix = document_term_matrix(terms, offsets, 4)
    assert matrix.toarray().tolist() == [[1, 0, 1, 0], [0, 0, 0, 0], [1, 1, 0, 0]]
    assert matrix.dtype == np.int32
    assert terms_by_frequency(matrix, (1, 1)).tolist() == [1, 2]
    assert terms_by_frequency(matrix, (1, 2)).tolist() == [0, 1, 2]
    assert max_shared_terms(matrix, matrix[:1]).tolist() == [2, 0, 1]
