"""Which pairs of words get a token of their own, and where these tokens stand: worked out by hand."""

import numpy as np
import pytest

from stages.pairs import LEAST, neighbours, telling_pairs, with_pairs

WORDS = 10  # tokens below are no pairs


def flat(reviews: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    tokens = np.array([token for review in reviews for token in review], np.int32)
    return tokens, np.cumsum([0, *map(len, reviews)])


def test_a_pair_is_two_words_of_one_review() -> None:
    # 1 and 2 are no words; an empty review ends nothing.
    found = neighbours(*flat([[1, 3, 4, 2, 5], [], [6, 7], []]), WORDS)
    assert found.tolist() == [-1, -1, 34, -1, -1, -1, 67]
    assert neighbours(*flat([[]]), WORDS).tolist() == []


def test_pairs_stand_after_their_second_word() -> None:
    reviews = flat([[1, 3, 4, 5], [], [4, 5], [5, 4]])
    tokens, offsets = with_pairs(*reviews, np.array([34, 45, 99]), WORDS)
    assert tokens.tolist() == [1, 3, 4, 10, 5, 11, 4, 5, 11, 5, 4]
    assert offsets.tolist() == [0, 6, 6, 9, 11]
    assert tokens.dtype == np.int32
    for one, other in zip(with_pairs(*reviews, np.empty(0, np.int64), WORDS), reviews, strict=True):
        assert one.tolist() == other.tolist()


def negated(each: int) -> tuple[list[list[int]], list[int]]:
    """Return reviews in which 3 turns 4 and 5 round, and 6 7 stands anywhere; and their labels."""
    of = {(4, 6, 7): 1, (3, 4, 8): 0, (5, 6, 7): 0, (3, 5, 8): 1, (6, 7, 4): 1, (6, 7, 5): 0}
    return [[1, *review] for review in of] * each, list(of.values()) * each


def test_a_pair_tells_what_its_words_do_not() -> None:
    reviews, labels = negated(LEAST)
    telling = telling_pairs(*flat(reviews), np.array(labels), WORDS, 2)
    assert telling.tolist() == [34, 35]
    assert telling.dtype == np.int64
    # Of 6 7, half is positive, as its words say: it comes last of all pairs.
    pairs = {review[i] * WORDS + review[i + 1] for review in reviews for i in (1, 2)}
    every = telling_pairs(*flat(reviews), np.array(labels), WORDS, len(pairs)).tolist()
    assert every == sorted(pairs)
    assert 67 not in telling_pairs(*flat(reviews), np.array(labels), WORDS, len(pairs) - 1)


@pytest.mark.parametrize(("each", "found"), [(LEAST, True), (LEAST - 1, False)])
def test_a_pair_of_few_reviews_tells_nothing(each: int, found: bool) -> None:
    reviews, labels = negated(each)
    # Twice in a review counts once.
    twice = [review + review[1:] for review in reviews]
    assert (34 in telling_pairs(*flat(twice), np.array(labels), WORDS, 99)) == found


def test_the_surest_error_comes_first() -> None:
    """By hand: all words have even odds, p = 1/2; 10 positive of 10 are √10 away, 15 of 20 are √5."""
    reviews = [[3, 4]] * 10 + [[3], [4]] * 10
    labels = [1] * 10 + [0] * 20
    reviews += [[5, 6]] * 20 + [[5], [6]] * 10
    labels += [1] * 15 + [0] * 5 + [0] * 20
    assert telling_pairs(*flat(reviews), np.array(labels), WORDS, 1).tolist() == [34]
    assert telling_pairs(*flat(reviews), np.array(labels), WORDS, 0).tolist() == []
