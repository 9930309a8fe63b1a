"""Reviews as rows of token ids, as `keras.datasets.imdb.load_data` and `pad_sequences` make them."""

import numpy as np

from stages.runtime.files import INDEX_FROM, OUT_OF_VOCABULARY, PADDING, RAW, START, load_array


def load_raw(split: str, part: str) -> np.ndarray:
    """Map the `tokens`, `offsets` or `labels` of "train" or "test" that `download` has written."""
    return load_array(RAW / f"{split}_{part}.npy")


def encode(ranks: np.ndarray, offsets: np.ndarray, num_words: int) -> tuple[np.ndarray, np.ndarray]:
    """Return `(tokens, offsets)`: word ranks as token ids below `num_words`, each review opened by START.

    ranks (from 1), tokens: int32, flat; offsets: int64, where each review begins and the last one ends.
    """
    words = ranks + INDEX_FROM
    words[words >= num_words] = OUT_OF_VOCABULARY
    tokens = np.insert(words, offsets[:-1], START)
    return tokens, offsets + np.arange(len(offsets))


def pad_rows(
    tokens: np.ndarray, offsets: np.ndarray, maxlen: int, padding: str, truncating: str
) -> np.ndarray:
    """Return int32 rows (reviews, maxlen): each review cut at one side, or filled up with PADDING at one.

    `padding` and `truncating` are "pre" (at the beginning) or "post" (at the end), as in
    `keras.utils.pad_sequences`.
    """
    lengths = np.diff(offsets)
    kept = np.minimum(lengths, maxlen)

    first = lengths - kept if truncating == "pre" else np.zeros_like(lengths)
    position = np.arange(len(tokens)) - np.repeat(offsets[:-1], lengths)  # of each token in its review
    first, last = np.repeat(first, lengths), np.repeat(first + kept, lengths)
    survives = (position >= first) & (position < last)

    start = maxlen - kept if padding == "pre" else np.zeros_like(kept)
    column = np.arange(maxlen)
    filled = (column >= start[:, None]) & (column < (start + kept)[:, None])

    rows = np.full((len(lengths), maxlen), PADDING, np.int32)
    rows[filled] = tokens[survives]  # both run review by review, token by token
    return rows
