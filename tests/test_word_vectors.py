"""Word vectors, against the matrix they stand for, computed pair by pair."""

import numpy as np
import pytest

from stages.reviews.word_vectors import SMOOTHING, SPREAD, ppmi_vectors

TOKENS = np.array([[0, 1, 3, 4, 5, 3, 2, 6], [1, 4, 3, 4, 6, 6, 5, 2], [0, 0, 0, 0, 0, 1, 7, 3]], np.int32)
NUM_WORDS, WINDOW = 9, 2


def information() -> np.ndarray:
    """Return the positive pointwise mutual information of each two of TOKENS' words, in loops."""
    counts = np.zeros((NUM_WORDS, NUM_WORDS))
    for row in TOKENS:
        for i, word in enumerate(row):
            for j, neighbour in enumerate(row):
                if 1 <= abs(i - j) <= WINDOW and word > 2 and neighbour > 2:
                    counts[word, neighbour] += 1 / abs(i - j)
    words = counts.sum(axis=1)
    context = words**SMOOTHING / (words**SMOOTHING).sum()
    result = np.zeros_like(counts)
    for word, neighbour in zip(*counts.nonzero(), strict=True):
        ratio = counts[word, neighbour] / (words[word] * context[neighbour])
        result[word, neighbour] = max(np.log(ratio), 0)
    return result


def test_the_vectors_are_the_singular_vectors_of_the_information() -> None:
    vectors = ppmi_vectors(TOKENS, NUM_WORDS, NUM_WORDS, WINDOW).astype(float)
    left, strength, _ = np.linalg.svd(information())
    expected = left * np.sqrt(strength)
    # But for signs, which a singular vector may have either way, and for the spread.
    ours, theirs = vectors @ vectors.T, expected @ expected.T
    assert ours * (theirs.max() / ours.max()) == pytest.approx(theirs, abs=1e-5)


def test_shape_spread_and_what_is_no_word() -> None:
    vectors = ppmi_vectors(TOKENS, NUM_WORDS, 4, WINDOW)
    assert vectors.shape == (9, 4) and vectors.dtype == np.float32
    assert vectors[3:].std() == pytest.approx(SPREAD, rel=1e-5)
    assert not vectors[:3].any()  # the padding, the start and what is out of vocabulary
    assert not vectors[8].any()  # stands nowhere
    assert vectors[3:8].any(axis=1).all()


def test_words_with_the_same_neighbours_have_the_same_vector() -> None:
    rows = np.array([[3, 4], [3, 5], [6, 7]] * 2, np.int32)
    vectors = ppmi_vectors(rows, 8, 3, 1)
    assert vectors[4] == pytest.approx(vectors[5], abs=1e-6)
    assert not np.allclose(vectors[4], vectors[7])


def test_the_same_every_time() -> None:
    first, again = (ppmi_vectors(TOKENS, NUM_WORDS, 3, WINDOW) for _ in range(2))
    assert np.array_equal(first, again)


@pytest.mark.parametrize("tokens", [np.zeros((2, 5), np.int32), np.full((2, 1), 4, np.int32)])
def test_without_neighbours_all_are_zero(tokens: np.ndarray) -> None:
    assert not ppmi_vectors(tokens, 6, 3, 5).any()


def test_columns_beyond_the_number_of_words_are_zero() -> None:
    vectors = ppmi_vectors(TOKENS, NUM_WORDS, 12, WINDOW)
    assert vectors.shape == (9, 12) and not vectors[:, 9:].any()
