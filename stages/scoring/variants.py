"""What a run of a side study reached on validation and test reviews."""

from pathlib import Path
from typing import Any

import numpy as np

from stages.runtime.files import load_array, load_json
from stages.scoring.histories import kept_accuracy


def reached(run: Path, test_labels: np.ndarray) -> dict[str, Any]:
    """Return which epoch a run kept, and its accuracies then on validation and test reviews."""
    correct = (load_array(run / "test_probabilities.npy") > 0.5) == test_labels
    return {
        "kept_epoch": load_json(run / "summary.json")["kept_epoch"],
        "validation_accuracy": kept_accuracy(run),
        "test_accuracy": round(float(correct.mean()), 5),
    }
