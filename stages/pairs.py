"""Pairs of neighbouring words that become one token: those that say what their words do not.

`tokens` are words and others, below `words`, flat; `offsets` say where each review begins and the last one
ends. Words begin at FIRST_WORD. A pair is the number first · words + second.
"""

import numpy as np

from stages.files import FIRST_WORD

LEAST = 10  # reviews that a pair stands in; of fewer nothing can be said


def neighbours(tokens: np.ndarray, offsets: np.ndarray, words: int) -> np.ndarray:
    """Return the pair that each token is the second of, int64 (tokens,); −1 where one of both is no word."""
    pairs = np.full(len(tokens), -1, np.int64)
    both = (tokens[:-1] >= FIRST_WORD) & (tokens[1:] >= FIRST_WORD)
    pairs[1:] = np.where(both, tokens[:-1] * np.int64(words) + tokens[1:], -1)
    pairs[offsets[:-1][np.diff(offsets) > 0]] = -1  # the word before is another review's
    return pairs


def telling_pairs(
    tokens: np.ndarray, offsets: np.ndarray, labels: np.ndarray, words: int, number: int
) -> np.ndarray:
    """Return at most `number` pairs, ascending: those by which naive Bayes on single words errs most surely.

    By its words' log odds, added up, a pair has the probability p of a positive review. That k of the n
    reviews that it stands in are positive is then (k − n·p) / √(n·p·(1 − p)) standard deviations away.
    labels: (reviews,) of 0 and 1.
    """
    found, n, k = _standing(neighbours(tokens, offsets, words), offsets, labels)
    word, of_word, positive = _standing(np.where(tokens >= FIRST_WORD, tokens, -1), offsets, labels)
    log_odds = np.zeros(words)
    log_odds[word] = np.log((positive + 1) / (of_word - positive + 1))
    often = n >= LEAST
    found, n, k = found[often], n[often], k[often]
    p = 1 / (1 + np.exp(-log_odds[found // words] - log_odds[found % words]))
    away = np.abs(k - n * p) / np.sqrt(n * p * (1 - p))
    # Rounded: the last digits differ between processors; of equals the first is taken.
    return np.sort(found[np.argsort(-away.round(6), kind="stable")[:number]])


def with_pairs(
    tokens: np.ndarray, offsets: np.ndarray, pairs: np.ndarray, words: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return `(tokens, offsets)` with one token for each of `pairs` (ascending): `words` + its place there.

    Where pairs overlap, as of three words in a row, the first stands, and of those that are left the first
    again.
    """
    if not len(pairs):
        return tokens, offsets
    each = neighbours(tokens, offsets, words)
    place = np.minimum(np.searchsorted(pairs, each), len(pairs) - 1)
    known = pairs[place] == each
    number = np.arange(len(tokens))
    overlapping = number - np.maximum.accumulate(np.where(known, 0, number))  # pairs before, and this one
    second = overlapping % 2 == 1
    merged = tokens.copy()
    (after,) = np.nonzero(second)
    merged[after - 1] = words + place[after]
    return merged[~second], offsets - np.append(0, second.cumsum())[offsets]


def _standing(
    items: np.ndarray, offsets: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the items from 0, ascending, in how many reviews each stands, and how many are positive."""
    review = np.repeat(np.arange(len(labels)), np.diff(offsets))
    real = items >= 0
    once = np.unique(items[real].astype(np.int64) * len(labels) + review[real])
    found, first, number = np.unique(once // len(labels), return_index=True, return_counts=True)
    sums = np.append(0, labels[once % len(labels)].cumsum(dtype=np.int64))
    return found, number, sums[first + number] - sums[first]
