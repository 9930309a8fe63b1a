"""What a run's history says of it."""

import io
from pathlib import Path

import pandas as pd

from stages.runtime.files import load_json, load_text


def kept_accuracy(run: Path) -> float:
    """Return the accuracy on validation reviews that a run had after the epoch that was kept."""
    epoch = load_json(run / "summary.json")["kept_epoch"]
    history = pd.read_csv(io.StringIO(load_text(run / "history.csv")))
    return float(history["validation_accuracy"][history["epoch"] == epoch].iloc[0])
