"""What one run of a side study reached."""

from pathlib import Path
from typing import Any

import numpy as np

from stages.runtime.files import load_array, load_json
from stages.scoring.histories import kept_accuracy


def reached(run: Path, test_labels: np.ndarray) -> dict[str, Any]:
    """Return the kept epoch of the run in a folder, its validation accuracy then, and its test accuracy."""
    correct = (load_array(run / "test_probabilities.npy") > 0.5) == test_labels
    return {
        "kept_epoch": load_json(run / "summary.json")["kept_epoch"],
        "validation_accuracy": round(kept_accuracy(run), 5),
        "test_accuracy": round(float(correct.mean()), 5),
    }
