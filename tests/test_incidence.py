"""What stands in which review, and what that says of the label: worked out by hand."""

import numpy as np
import pytest

from stages.reviews.document_terms import incidence, log_odds, standing


def test_an_item_counts_once_a_review_however_often_it_stands_there() -> None:
    items, offsets = np.array([2, 2, 0, -1, 0, 1]), np.array([0, 4, 4, 6])
    stands = incidence(items, offsets, 4)
    assert stands.toarray().tolist() == [[1, 0, 1, 0], [0, 0, 0, 0], [1, 1, 0, 0]]
    assert stands.dtype == np.int32
    number, positive = standing(stands, np.array([1, 0, 0]))
    assert number.tolist() == [2, 1, 1, 0]
    assert positive.tolist() == [1, 0, 1, 0]


def test_log_odds_have_one_review_of_each_label_added() -> None:
    found = log_odds(np.array([0, 4, 4, 9]), np.array([0, 2, 4, 1]))
    assert found == pytest.approx(np.log([1, 1, 5, 2 / 9]))
