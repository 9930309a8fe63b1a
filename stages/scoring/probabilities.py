"""What a run predicted for each review."""

from pathlib import Path

import numpy as np

from stages.runtime.files import damaged, load_array


def load_probabilities(file: Path, reviews: int) -> np.ndarray:
    """Map the P(positive) (reviews,) that a run predicted; raise `StageError` where a file has others."""
    found = load_array(file)
    if found.shape != (reviews,) or found.dtype.kind != "f":
        raise damaged(file, ValueError(f"{found.dtype} {found.shape}, not float32 {(reviews,)}"))
    if not ((found >= 0) & (found <= 1)).all():  # nor is NaN
        raise damaged(file, ValueError("a probability is not between 0 and 1"))
    return found
