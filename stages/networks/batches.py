"""Which reviews each training step reads, and as which arrays."""

import numpy as np

from stages.params.recipe import Train
from stages.runtime.files import PADDING

POOL = 50  # batches among which reviews are sorted by length; more would make the batches less random


def batch_order(lengths: np.ndarray, settings: Train, seed: int) -> np.ndarray:
    """Return which reviews each step reads, int64 (epochs, steps, batch size); −1 fills the last batch up.

    lengths: the reviews' numbers of tokens. Every epoch reads each review once, in an order of its own.
    With `bucketing` a batch has reviews of similar length: the shuffled reviews are sorted within pools of
    POOL batches, and the batches shuffled.
    """
    random = np.random.default_rng(seed)
    steps = -(-len(lengths) // settings.batch_size)
    order = np.full((settings.epochs, steps * settings.batch_size), -1)
    for epoch in order:
        epoch[: len(lengths)] = random.permutation(len(lengths))
        if settings.bucketing:
            pool_size = POOL * settings.batch_size
            for pool in np.split(epoch, range(pool_size, len(epoch), pool_size)):
                pool[:] = pool[np.argsort(lengths[pool], kind="stable")]
            epoch[:] = random.permutation(epoch.reshape(steps, -1)).ravel()
    return order.reshape(settings.epochs, steps, settings.batch_size)


def trimmed(tokens: np.ndarray) -> np.ndarray:
    """Return `tokens` (batch, length) without padding that all rows share, as far as halving goes."""
    used = np.flatnonzero((tokens != PADDING).any(axis=0))
    begin, end = (used[0], used[-1] + 1) if len(used) else (0, 0)
    length = tokens.shape[1]
    while length // 2 >= max(end - begin, 1):
        length //= 2
    begin = min(begin, tokens.shape[1] - length)
    return tokens[:, begin : begin + length]


def max_unique(tokens: np.ndarray, order: np.ndarray) -> int:
    """Return the largest number of different tokens in a batch of `order`, as `batch_order` returns it."""
    return max(int((np.bincount(tokens[rows].ravel()) > 0).sum()) for epoch in order for rows in epoch)


def unique(tokens: np.ndarray, num_words: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the unique `tokens`, filled up to `size`, and the inverse, as `np.unique` does, only faster.

    tokens: int32 (batch, length), below `num_words`. Returns int32 (size,) and int32 (length, batch): the
    first, indexed by the second, is the transposed `tokens`.
    """
    occurs = np.zeros(num_words, bool)
    occurs[tokens] = True
    values = np.flatnonzero(occurs)
    row = np.empty(num_words, np.int32)
    row[values] = np.arange(len(values))
    return np.pad(values, (0, size - len(values))).astype(np.int32), row[tokens.T]
