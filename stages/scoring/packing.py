"""How `score` and `bag_of_words` write down what is long: which answers are correct, and ROC curves."""

import base64

import numpy as np

ROC_RATES = np.linspace(0, 1, 101)  # false positive rates at which ROC curves are written down


def pack(correct: np.ndarray) -> str:
    """Return bools (reviews,), which answers were correct, as text: a bit each, base64."""
    return base64.b64encode(np.packbits(correct).tobytes()).decode("ascii")


def unpack(text: str, reviews: int) -> np.ndarray:
    """Return the bools (reviews,) that `pack` made text of."""
    return np.unpackbits(np.frombuffer(base64.b64decode(text), np.uint8), count=reviews).astype(bool)
