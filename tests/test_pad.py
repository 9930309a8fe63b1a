"""Encoding, padding and splitting, against known answers and against Keras' own."""

import keras
import numpy as np
import pytest

from stages.reviews.encoding import encode, pad_rows
from stages.reviews.splitting import split_rows


def flat(reviews: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    offsets = np.cumsum([0] + [len(review) for review in reviews])
    return np.array([token for review in reviews for token in review], np.int32), offsets


def test_encode_adds_the_start_and_drops_rare_words() -> None:
    # Ranks 1, 2 and 3 are the ids 4, 5 and 6; with 6 token ids there is no 6.
    tokens, offsets = encode(*flat([[1, 3], [], [2]]), num_words=6)
    assert tokens.tolist() == [1, 4, 2, 1, 1, 5]
    assert offsets.tolist() == [0, 3, 4, 6]


@pytest.mark.parametrize("padding", ["pre", "post"])
@pytest.mark.parametrize("truncating", ["pre", "post"])
@pytest.mark.parametrize("maxlen", [1, 3, 5, 9])
def test_rows_are_those_of_keras(padding: str, truncating: str, maxlen: int) -> None:
    reviews = [[11], [21, 22, 23], [31, 32, 33, 34, 35], [41, 42, 43, 44, 45, 46, 47], []]
    rows = pad_rows(*flat(reviews), maxlen, padding, truncating)
    expected = keras.utils.pad_sequences(reviews, maxlen, padding=padding, truncating=truncating)
    assert rows.dtype == np.int32
    assert rows.tolist() == expected.tolist()


def test_split_keeps_the_labels_shares_and_every_review_once() -> None:
    labels = np.repeat([0, 1], [60, 40])
    train, validation = split_rows(labels, 0.2, seed=0)
    assert sorted([*train, *validation]) == list(range(100))
    assert train.tolist() == sorted(train) and validation.tolist() == sorted(validation)
    assert np.bincount(labels[validation]).tolist() == [12, 8]


def test_split_depends_on_its_seed_alone() -> None:
    labels = np.repeat([0, 1], 50)
    again = [split_rows(labels, 0.2, seed=seed)[1].tolist() for seed in (0, 0, 1)]
    assert again[0] == again[1] != again[2]


def test_split_refuses_a_share_without_both_labels() -> None:
    with pytest.raises(ValueError, match="test_size"):
        split_rows(np.array([0, 0, 1, 1]), 0.2, seed=0)


def test_a_group_is_never_divided() -> None:
    random = np.random.default_rng(0)
    groups, labels = random.integers(0, 100, 400), random.integers(0, 2, 400)
    train, validation = split_rows(labels, 0.2, seed=0, groups=groups)
    assert sorted([*train, *validation]) == list(range(400))
    assert train.tolist() == sorted(train) and validation.tolist() == sorted(validation)
    assert not set(groups[train]) & set(groups[validation])
    assert len(set(groups[validation])) == 20
    assert not np.array_equal(validation, split_rows(labels, 0.2, seed=1, groups=groups)[1])


def test_groups_that_leave_a_label_out_are_refused() -> None:
    with pytest.raises(ValueError, match="of 4 film groups it leaves too few for both labels"):
        split_rows(np.array([0, 0, 1, 1]), 0.3, seed=0, groups=np.arange(4))
    with pytest.raises(ValueError):
        split_rows(np.array([0, 1]), 0.3, seed=0, groups=np.zeros(2))
