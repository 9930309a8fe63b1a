"""What the runs of a side study reached."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from stages.runtime.files import load_json
from stages.scoring.histories import kept_accuracy
from stages.scoring.probabilities import load_probabilities


def reached(run: Path, test_labels: np.ndarray) -> dict[str, Any]:
    """Return the kept epoch of the run in a folder, its validation accuracy then, and its test accuracy."""
    probabilities = load_probabilities(run / "test_probabilities.npy", len(test_labels))
    correct = (probabilities > 0.5) == test_labels
    return {
        "kept_epoch": load_json(run / "summary.json")["kept_epoch"],
        "validation_accuracy": round(kept_accuracy(run), 5),
        "test_accuracy": round(float(correct.mean()), 5),
    }


def rows(
    name: str,
    runs: Mapping[Path, tuple[str, str, int]],
    settings: Mapping[Path, Mapping[str, Any]],
    test_labels: np.ndarray,
) -> list[dict[str, Any]]:
    """Return what each run reached, and what tells it from the others.

    name: what a variant is called, such as "step"; runs: folder → variant, cell and seed; settings: folder →
    those of the run.
    """
    return [
        {
            name: variant,
            "cell": cell,
            "seed": seed,
            "learning_rate": settings[run][cell]["learning_rate"],
            **reached(run, test_labels),
        }
        for run, (variant, cell, seed) in runs.items()
    ]
