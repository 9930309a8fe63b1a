"""What a run's history says of it."""

import io
from pathlib import Path

import numpy as np
import pandas as pd

from stages.runtime.files import damaged, load_json, load_text


def load_history(run: Path) -> pd.DataFrame:
    """Return a run's history, a row per epoch; raise `StageError` where it is none."""
    file = run / "history.csv"
    try:
        history = pd.read_csv(io.StringIO(load_text(file)))
        if history.empty or not np.isfinite(history[["epoch", "validation_accuracy"]].to_numpy(float)).all():
            raise ValueError("an epoch lacks its validation accuracy")
    except (ValueError, KeyError) as error:
        raise damaged(file, error) from None
    return history


def kept_accuracy(run: Path) -> float:
    """Return the accuracy on validation reviews that a run had after the epoch that was kept."""
    epoch = load_json(run / "summary.json")["kept_epoch"]
    history = load_history(run)
    kept = history["validation_accuracy"][history["epoch"] == epoch]
    if len(kept) != 1:
        raise damaged(run / "history.csv", ValueError(f"epoch {epoch} is not there, or twice"))
    return float(kept.iloc[0])
