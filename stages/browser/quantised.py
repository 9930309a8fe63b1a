"""Weights in fewer bits: so that four models fit into a page of a few megabytes."""

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np

# The embedding is most of a model. The LSTM's may be coarse. A plain RNN may magnify a small difference at
# every step, and 8 bits change some of its predictions.
BITS = {
    "rnn": {"embedding": 16, "kernel": 16, "recurrent": 16},
    "lstm": {"embedding": 8, "kernel": 16, "recurrent": 16},
}


def quantise(matrix: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Return `levels`, int8 or int16, and float32 `scale` (rows, 1): the matrix is about levels · scale.

    In each row the largest weight, in absolute value, is the last level; the others are rounded to one.
    """
    last = 2 ** (bits - 1) - 1
    scale = (np.abs(matrix).max(axis=1, keepdims=True) / last).astype(np.float32)
    scale[scale == 0] = 1
    return np.rint(matrix / scale).clip(-last, last).astype(f"<i{bits // 8}"), scale


def named(weights: Mapping[str, list[np.ndarray]], cell: str) -> dict[str, np.ndarray]:
    """Return a model's weights, given layer → arrays, under the names that the page knows."""
    (embedding,), (kernel, recurrent, bias) = weights["embedding"], weights[cell]
    output, offset = weights["positive"]
    matrices = {"embedding": embedding, "kernel": kernel, "recurrent": recurrent}
    return {**matrices, "bias": bias, "output": output[:, 0], "offset": offset}


def restored(weights: Mapping[str, list[np.ndarray]], cell: str) -> dict[str, list[np.ndarray]]:
    """Return layer → arrays, float32, as a browser gets them from `packed`."""
    each = named(weights, cell)
    for name, bits in BITS[cell].items():
        levels, scale = quantise(each[name], bits)
        each[name] = levels.astype(np.float32) * scale
    return {
        "embedding": [each["embedding"]],
        cell: [each["kernel"], each["recurrent"], each["bias"]],
        "positive": weights["positive"],
    }


def packed(weights: Mapping[str, list[np.ndarray]], cell: str) -> dict[str, Any]:
    """Return a model's weights for JSON: little-endian numbers in base64; of a matrix levels and scales."""
    result: dict[str, Any] = {}
    for name, array in named(weights, cell).items():
        if bits := BITS[cell].get(name):
            levels, scale = quantise(array, bits)
            columns = array.shape[1]
            result[name] = {
                "columns": columns,
                "bits": bits,
                "levels": _base64(levels),
                "scale": _base64(scale),
            }
        else:
            result[name] = {"values": _base64(array)}
    return result


def _base64(array: np.ndarray) -> str:
    """Return the bytes of an array, of floats as float32."""
    numbers = array.astype("<f4") if array.dtype.kind == "f" else array
    return base64.b64encode(numbers.tobytes()).decode()
