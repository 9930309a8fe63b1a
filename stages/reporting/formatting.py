"""How the report writes numbers and names; templates use these as filters."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

LABELS = {"rnn": "RNN", "lstm": "LSTM"}
# In delayed recall: each cell, and what it starts from.
START_LABELS = {
    "rnn-orthogonal": "RNN (orthogonal)",
    "rnn-identity": "RNN (identity)",
    "lstm-unit": "LSTM (unit forget bias)",
    "lstm-chrono": "LSTM (chrono)",
}


def percent(share: float, digits: int = 1) -> str:
    """0.8604 → "86.0 %"."""
    return f"{100 * share:.{digits}f} %".replace("-", "−")


def points(difference: float) -> str:
    """0.0104 → "+1.0", in percentage points."""
    return f"{round(100 * difference, 1) + 0.0:+.1f}".replace("-", "−")  # + 0.0: no "−0.0"


def spread(summary: Mapping[str, Any]) -> str:
    """Mean and standard deviation of accuracies: "86.0 ± 0.3 %", or the one seed's "86.0 %"."""
    if summary["sd"] is None:
        return percent(summary["mean"])
    return f"{100 * summary['mean']:.1f} ± {100 * summary['sd']:.1f} %".replace("-", "−")


def bounds(interval: Sequence[float]) -> str:
    """Two accuracies: "85.2 to 86.9 %"."""
    return f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f} %"


def lead(difference: Mapping[str, Any]) -> str:
    """A difference and its interval, in percentage points: "+1.0 (−0.2 to +2.1)"."""
    low, high = (points(bound) for bound in difference["interval"])
    return f"{points(difference['mean'])} ({low} to {high})"


def number(value: float) -> str:
    """12345 → "12,345", 0.00001234 → "1.2e-05"."""
    return f"{value:,}" if isinstance(value, int) else f"{value:.2g}"


def p_value(p: float) -> str:
    """0.000503 → "0.0005"; what is too small to compute is no 0: "< 1e-200"."""
    return "< 1e-200" if p < 1e-200 else f"{p:.1g}"


def fixed(value: float, digits: int = 0) -> str:
    """With so many digits after the point: 0.31234 → "0.312"."""
    return f"{value:.{digits}f}"


def listed(parts: Sequence[str]) -> str:
    """["a", "b", "c"] → "a, b and c"."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def capitalised(text: str) -> str:
    """The same with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def setting(value: Any) -> str:
    """A parameter's value: None → "none", 3e-05 → "0.00003"; what is smaller has an exponent: "1e-07"."""
    if isinstance(value, float) and (value == 0 or abs(value) >= 1e-5):
        return np.format_float_positional(value, trim="0")
    return "none" if value is None else str(value)


def worded(name: str) -> str:
    """A name of params.yaml in words: "word_vectors" → "word vectors"."""
    return name.replace("_", " ")
