"""Which reviews are taken for one film's, worked out by hand."""

import numpy as np

from stages.films import RARE, TOGETHER, films, most_shared, rare_words, standing_in

COMMON = 1  # a word that more reviews have than a rare one may
NAMES = list(range(10, 10 + TOGETHER))  # as many as make two reviews one film's


def flat(reviews: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    ranks = np.array([rank for review in reviews for rank in review], np.int32)
    return ranks, np.cumsum([0, *map(len, reviews)])


def test_a_rare_word_stands_in_two_reviews_and_in_not_too_many() -> None:
    reviews = [[COMMON, COMMON, 2, 2, 3, 4]] + [[COMMON, 3]] * (RARE[1] - 1) + [[COMMON, 2]]
    # 2 stands in two reviews, 3 in as many as are allowed, COMMON in one more; 4 in a single one.
    assert rare_words(*flat(reviews)).tolist() == [2, 3]


def test_a_word_counts_once_however_often_it_stands_there() -> None:
    stands = standing_in(*flat([[7, 7, 5], [], [5, 9, 3]]), np.array([5, 7, 8, 12]))
    assert stands.toarray().tolist() == [[1, 1, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]]


def test_the_most_that_is_shared_with_any_one() -> None:
    words = np.arange(2, 8)
    ours = standing_in(*flat([[2, 3, 4], [5], [9]]), words)
    theirs = standing_in(*flat([[2, 6], [3, 4, 7], [5, 5]]), words)
    assert most_shared(ours, theirs).tolist() == [2, 1, 0]
    assert most_shared(ours, theirs[:0]).tolist() == [0, 0, 0]


def test_reviews_that_share_enough_rare_words_are_one_film() -> None:
    other = [name + 100 for name in NAMES]
    reviews = [
        NAMES,
        [*NAMES, *other],  # joins the first and the third, which share nothing
        other,
        [200, *other[1:]],  # all but one
        [200, 300],
        [],
    ]
    found = films(*flat(reviews))
    assert len(found) == len(reviews)
    assert found[0] == found[1] == found[2]
    assert len(set(found[2:].tolist())) == 4
    assert sorted(set(found.tolist())) == list(range(4))


def test_words_that_many_have_join_nothing() -> None:
    reviews = [[*NAMES, 100 + number] for number in range(RARE[1] + 1)]
    assert len(set(films(*flat(reviews)).tolist())) == len(reviews)


def test_reviews_without_words() -> None:
    assert films(*flat([[], []])).tolist() == [0, 1]
