"""Weights in 12 bits: so that four models fit into a page of a few megabytes.

8 bits would do for accuracy. But the prediction for a text of few words hangs on few numbers: some would be
off by several hundredths. And a plain RNN may magnify a small difference at every step, so its weights, which
are few, stay as they are; its embedding is rounded as the LSTM's.
"""

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np

LAST = 2**11 - 1  # levels are whole numbers from -LAST to LAST
EXACT = ("rnn",)  # cells whose kernel and recurrent weights are not rounded


def quantise(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return int16 `levels` and float32 `scale` (rows, 1): the matrix is about levels · scale.

    In each row the largest weight, in absolute value, is at LAST; the others are rounded to a level.
    """
    scale = (np.abs(matrix).max(axis=1, keepdims=True) / LAST).astype(np.float32)
    scale[scale == 0] = 1
    return np.rint(matrix / scale).clip(-LAST, LAST).astype(np.int16), scale


def restored(weights: Mapping[str, list[np.ndarray]], cell: str) -> dict[str, list[np.ndarray]]:
    """Return layer → arrays, float32, as a browser gets them: rounded, but for vectors and `EXACT`."""

    def rounded(matrix: np.ndarray) -> np.ndarray:
        levels, scale = quantise(matrix)
        return levels.astype(np.float32) * scale

    (embedding,), own = weights["embedding"], weights[cell]
    kernel, recurrent, bias = own
    return {
        "embedding": [rounded(embedding)],
        cell: own if cell in EXACT else [rounded(kernel), rounded(recurrent), bias],
        "positive": weights["positive"],
    }


def packed(weights: Mapping[str, list[np.ndarray]], cell: str) -> dict[str, Any]:
    """Return a model's weights for JSON, given layer → arrays, under the names that the page knows."""
    (embedding,), (kernel, recurrent, bias) = weights["embedding"], weights[cell]
    output, offset = weights["positive"]
    matrices = {"embedding": embedding, "kernel": kernel, "recurrent": recurrent}
    vectors = {"bias": bias, "output": output[:, 0], "offset": offset}
    exact = ("kernel", "recurrent") if cell in EXACT else ()
    return {
        **{
            name: _exact(matrix) if name in exact else _packed_matrix(matrix)
            for name, matrix in matrices.items()
        },
        **{name: _base64(vector.astype("<f4")) for name, vector in vectors.items()},
    }


def _exact(matrix: np.ndarray) -> dict[str, Any]:
    """Return a matrix in base64, float32, row by row."""
    return {"columns": matrix.shape[1], "values": _base64(matrix.astype("<f4"))}


def _packed_matrix(matrix: np.ndarray) -> dict[str, Any]:
    """Return a matrix's levels and scales in base64: of two levels, from 0 on, the lower bits come first."""
    levels, scale = quantise(matrix)
    flat = (levels.ravel() + LAST + 1).astype(np.uint16)
    first, second = np.pad(flat, (0, len(flat) % 2)).reshape(-1, 2).T
    three = np.stack([first & 255, first >> 8 | (second & 15) << 4, second >> 4], axis=1).astype(np.uint8)
    return {"columns": matrix.shape[1], "levels": _base64(three), "scale": _base64(scale.astype("<f4"))}


def _base64(array: np.ndarray) -> str:
    return base64.b64encode(array.tobytes()).decode()
