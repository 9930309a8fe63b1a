"""The hidden states of a trained model, token by token. T is the length of a row, R the number of rows."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from stages.inspection.equations import Arrays, run
from stages.params.recipe import Model
from stages.runtime.files import PADDING

Weights = Mapping[str, Sequence[np.ndarray]]  # layer → what its `get_weights` returns


def states(
    cell: str, weights: Weights, settings: Model, tokens: np.ndarray
) -> Iterator[tuple[np.ndarray, Arrays]]:
    """Yield hidden state and gates, as `equations.run` does, after each token of int32 `tokens` (R, T)."""
    embedded = weights["embedding"][0][tokens.T]
    mask = tokens.T != PADDING if settings.mask_zero else None
    return run(cell, weights[cell], settings.activation, embedded, mask)


def pooled(hidden: np.ndarray, settings: Model, tokens: np.ndarray) -> np.ndarray:
    """Return what the model would pool the states to if the row ended after each token.

    hidden, and what is returned: (T, units, R); tokens: int32 (R, T).
    """
    mask = ((tokens.T != PADDING) | (not settings.mask_zero))[:, np.newaxis]
    if settings.pooling == "mean":
        return (hidden * mask).cumsum(axis=0) / np.maximum(mask.cumsum(axis=0), 1)
    if settings.pooling == "max":  # the initial state, zeros, is one of the states
        return np.maximum.accumulate(np.maximum(hidden * mask, 0))
    return hidden


def from_end(values: np.ndarray, tokens: np.ndarray, positions: int) -> np.ndarray:
    """Return (R, positions): the `values` (R, T) at the last token of text, the one before it, and so on.

    tokens: int32 (R, T), each row with `positions` tokens of text or more, padded at either side.
    """
    last = tokens.shape[1] - 1 - (tokens[:, ::-1] != PADDING).argmax(axis=1)
    return np.take_along_axis(values, last[:, np.newaxis] - np.arange(positions), axis=1)
