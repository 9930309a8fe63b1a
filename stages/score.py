"""Stage `score`: what is measured on the two runs, RNN and LSTM, of one recipe and one seed."""

import io
import json
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    log_loss,
    roc_auc_score,
    roc_curve,
)

from stages.runtime.command_line import main
from stages.runtime.files import (
    PADDED,
    PADDING,
    RUNS,
    json_text,
    load_array,
    load_padded,
    load_text,
    new_file,
    run_folder,
)
from stages.reviews.film_groups import SHARED
from stages.params.study import Params, Recipe
from stages.reporting.statistics import ROC_RATES, pack, unpack


def score(params: Params, recipe: str, seed: int) -> None:
    """Measure one seed's RNN and LSTM on the validation and test reviews, and write it as JSON."""
    new_file(RUNS / f"{recipe}-{seed}.json", json_text(measured(recipe, params.blocks[recipe], seed)))


def measured(name: str, recipe: Recipe, seed: int) -> dict[str, Any]:
    """Return what is measured on the two runs of the recipe `name` and a seed, and the recipe's settings."""
    padded = load_padded(name)
    result: dict[str, Any] = {"settings": recipe.model_dump(), "padding": padding(padded["test"].tokens)}
    for cell in ("rnn", "lstm"):
        run = run_folder(name, cell, seed)
        result[cell] = {
            **json.loads(load_text(run / "summary.json")),
            "history": pd.read_csv(io.StringIO(load_text(run / "history.csv"))).to_dict("list"),
            **{
                split: measure(padded[split].labels, load_array(run / f"{split}_probabilities.npy"))
                for split in ("validation", "test")
            },
        }
        for split in ("validation", "test"):
            shared = load_array(PADDED / name / f"{split}_shared.npy")
            part = result[cell][split]
            part["by_shared"] = by_shared(unpack(part["right"], len(shared)), shared)
        test = result[cell]["test"]
        print(f"score {name} {cell} seed {seed}: test accuracy {test['accuracy']:.4f}")
    return result


def by_shared(right: np.ndarray, shared: np.ndarray) -> list[dict[str, Any]]:
    """Return how many reviews share as many rare words as each bin of SHARED has, and the accuracy on them.

    right: bool (reviews,); shared: (reviews,), with the review that was trained on and shares most. The
    accuracy is None where there is none.
    """
    bins = np.digitize(shared, SHARED, right=True)
    return [
        {
            "reviews": int((bins == number).sum()),
            "accuracy": round(float(right[bins == number].mean()), 5) if (bins == number).any() else None,
        }
        for number in range(len(SHARED) + 1)
    ]


def padding(tokens: np.ndarray) -> dict[str, float]:
    """Return the share of rows in `tokens` (reviews, length) that hold padding, and its mean in all."""
    zeros = (tokens == PADDING).sum(axis=1)
    return {
        "share_of_reviews": round(float((zeros > 0).mean()), 4),
        "mean_tokens": round(float(zeros.mean()), 1),
    }


def measure(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, Any]:
    """Return accuracy, loss (cross-entropy, nats), area under the ROC curve, F1, confusion counts and curve.

    labels: (reviews,) of 0 and 1; probabilities: (reviews,) P(positive), positive above one half as
    in Keras' accuracy. Probabilities are kept 1e-7 from 0 and 1, as in Keras' loss. `confusion` is
    [[true negatives, false positives], [false negatives, true positives]]; `roc` holds the true
    positive rate at each of `ROC_RATES`; `right` says of every review whether it is answered right.
    """
    predicted = probabilities > 0.5
    bounded = np.clip(probabilities.astype(np.float64), 1e-7, 1 - 1e-7)
    false_positives, true_positives, _ = roc_curve(labels, probabilities)
    return {
        "accuracy": round(float(accuracy_score(labels, predicted)), 5),
        "loss": round(float(log_loss(labels, bounded)), 5),
        "auc": round(float(roc_auc_score(labels, probabilities)), 5),
        "f1": round(float(f1_score(labels, predicted)), 5),
        "confusion": confusion_matrix(labels, predicted, labels=[0, 1]).tolist(),
        "roc": np.interp(ROC_RATES, false_positives, true_positives).round(4).tolist(),
        "right": pack(predicted == labels),
    }


if __name__ == "__main__":
    main(score)
