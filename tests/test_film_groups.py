"""Which reviews are taken for one film's: worked out by hand, or generated so."""

import numpy as np
from scipy.sparse import csr_array
from sklearn.metrics import adjusted_rand_score

from stages.reviews.document_terms import document_term_matrix, max_shared_terms, terms_by_frequency
from stages.reviews.film_groups import FREQUENCY, film_groups
from stages.reviews.splitting import RARE

COMMON = 1  # a word that more reviews have than a rare one may


def matrix_of(reviews: list[list[int]], highest: int = 10000) -> csr_array:
    ranks = np.array([rank for review in reviews for rank in review], np.int32)
    return document_term_matrix(ranks, np.cumsum([0, *map(len, reviews)]), highest)


def test_a_rare_word_stands_in_two_reviews_and_in_not_too_many() -> None:
    reviews = [[COMMON, COMMON, 2, 2, 3, 4]] + [[COMMON, 3]] * (RARE[1] - 1) + [[COMMON, 2]]
    # 2 occurs in two reviews, 3 in as many as are allowed, COMMON in one more; 4 in a single one.
    assert terms_by_frequency(matrix_of(reviews), RARE).tolist() == [2, 3]


def test_a_word_counts_once_however_often_it_stands_there() -> None:
    found = matrix_of([[7, 7, 5], [], [5, 9, 3]], 13)[:, [5, 7, 8, 12]]
    assert found.toarray().tolist() == [[1, 1, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]]


def test_the_most_that_is_shared_with_any_one() -> None:
    words = np.arange(2, 8)
    ours = matrix_of([[2, 3, 4], [5], [9]])[:, words]
    theirs = matrix_of([[2, 6], [3, 4, 7], [5, 5]])[:, words]
    assert max_shared_terms(ours, theirs).tolist() == [2, 1, 0]
    assert max_shared_terms(ours, theirs[:0]).tolist() == [0, 0, 0]


def test_reviews_of_one_film_are_one_group() -> None:
    random = np.random.default_rng(0)
    number, each, common = 400, 12, 2000  # films, reviews of each, words that any review may have
    of = np.repeat(np.arange(number), each)
    names = common + 8 * of[:, None] + random.random((len(of), 8)).argsort(axis=1)[:, :4] + 1
    others = random.integers(1, common + 1, (len(of), 30))
    reviews = random.permutation(len(of))
    found = film_groups(matrix_of(np.hstack([names, others])[reviews].tolist()))
    assert adjusted_rand_score(of[reviews], found) > 0.9
    assert (np.unique(found) == np.arange(found.max() + 1)).all()


def test_the_same_reviews_are_grouped_alike() -> None:
    random = np.random.default_rng(1)
    reviews = matrix_of(random.integers(1, 300, (400, 20)).tolist())
    assert (film_groups(reviews) == film_groups(reviews)).all()


def test_words_that_many_have_join_nothing() -> None:
    """Two reviews share a word of their own, and so does every other pair of them; COMMON is in all."""
    many = FREQUENCY[1] + 2
    reviews = [[COMMON, 100 + number // 2] for number in range(many)]
    alone = film_groups(matrix_of(reviews))
    assert (alone == film_groups(matrix_of([review[1:] for review in reviews]))).all()
    assert len(set(alone.tolist())) == many // 2


def test_few_reviews_and_such_without_words() -> None:
    assert film_groups(matrix_of([[5, 6]])).tolist() == [0]
    assert film_groups(matrix_of([[], []])).tolist() == [0, 1]
