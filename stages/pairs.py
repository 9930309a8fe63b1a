"""Pairs of neighbouring words that get a token of their own: those that say what their words do not.

`tokens` are words and others, below `words`, flat; `offsets` say where each review begins and the last one
ends. Words begin at FIRST_WORD. A pair is the number first · words + second.
"""

import numpy as np
from scipy.special import expit

from stages.files import FIRST_WORD
from stages.incidence import incidence, log_odds, standing

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
    of_words = log_odds(*standing(incidence(tokens, offsets, words), labels))
    each = neighbours(tokens, offsets, words)
    found, place = np.unique(each, return_inverse=True)
    if not number or found[-1] < 0:
        return np.empty(0, np.int64)
    n, k = standing(incidence(np.where(each < 0, -1, place), offsets, len(found)), labels)
    often = n >= LEAST
    found, n, k = found[often], n[often], k[often]
    p = expit(of_words[found // words] + of_words[found % words])
    away = np.abs(k - n * p) / np.sqrt(n * p * (1 - p))
    # Rounded: the last digits differ between processors; of equals the first is taken.
    return np.sort(found[np.argsort(-away.round(6), kind="stable")[:number]])


def with_pairs(
    tokens: np.ndarray, offsets: np.ndarray, pairs: np.ndarray, words: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return `(tokens, offsets)` with one after each of `pairs` (ascending): `words` + its place there."""
    if not len(pairs):
        return tokens, offsets
    each = neighbours(tokens, offsets, words)
    place = np.minimum(np.searchsorted(pairs, each), len(pairs) - 1)
    (known,) = np.nonzero(pairs[place] == each)
    added = np.searchsorted(known, offsets)  # in the reviews before
    return np.insert(tokens, known + 1, (words + place[known]).astype(tokens.dtype)), offsets + added
