"""Stage `score`: what is measured on the two runs, RNN and LSTM, of one recipe and one seed."""

from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    log_loss,
    roc_auc_score,
    roc_curve,
)

from stages.networks.provenance import FILE, check_current
from stages.params.recipe import CELLS, load_recipe
from stages.reviews.splitting import SHARED
from stages.runtime.command_line import stage_main
from stages.runtime.files import (
    PADDED,
    PADDING,
    RUNS,
    Split,
    json_text,
    load_array,
    load_json,
    load_padded,
    run_folder,
    write_atomically,
)
from stages.scoring.calibration import calibration
from stages.scoring.histories import load_history
from stages.scoring.packing import ROC_RATES, pack
from stages.scoring.probabilities import load_probabilities
from stages.scoring.provenance import common_provenance


def score(recipe: str, seed: int, out: Path = RUNS) -> None:
    """Measure one seed's RNN and LSTM on the validation and test reviews, and write it as JSON."""
    block, padded = load_recipe(recipe), load_padded(recipe)
    result: dict[str, Any] = {
        "settings": block.model_dump(mode="json"),
        "padding": padding(padded["test"].tokens),
    }
    shared = {split: load_array(PADDED / recipe / f"{split}_shared.npy") for split in ("validation", "test")}
    made = {}
    for cell in CELLS:
        run = run_folder(recipe, cell, seed)
        made[str(run)] = load_json(run / FILE)
        check_current(str(run), made[str(run)], block.settings(cell))
        result[cell] = measure_run(run, padded, shared)
        print(f"score {recipe} {cell} seed {seed}: test accuracy {result[cell]['test']['accuracy']:.4f}")
    result["provenance"] = common_provenance(made)
    write_atomically(out / f"{recipe}-{seed}.json", json_text(result))


def measure_run(run: Path, padded: dict[str, Split], shared: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return the summary and history of the run in a folder, and what is measured on it.

    shared: split → (reviews,), how many rare words each shares with the review that was trained on and shares
    most.
    """
    result = {**load_json(run / "summary.json"), "history": load_history(run).to_dict("list")}
    for split, near in shared.items():
        labels = padded[split].labels
        probabilities = load_probabilities(run / f"{split}_probabilities.npy", len(labels))
        result[split] = measure(labels, probabilities)
        result[split]["by_shared"] = by_shared((probabilities > 0.5) == labels, near)
    return result


def by_shared(correct: np.ndarray, shared: np.ndarray) -> list[dict[str, Any]]:
    """Return how many reviews share as many rare words as each bin of SHARED has, and the accuracy on them.

    correct, shared: bool and int (reviews,). The accuracy of an empty bin is None.
    """
    bins = np.digitize(shared, SHARED, right=True)
    return [
        {
            "reviews": int((bins == number).sum()),
            "accuracy": round(float(correct[bins == number].mean()), 5) if (bins == number).any() else None,
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
    """Return accuracy, loss (cross-entropy, nats), area under the ROC curve, F1, confusion counts, curves.

    labels: (reviews,) of 0 and 1; probabilities: (reviews,) P(positive), positive above one half as
    in Keras' accuracy. Probabilities are kept 1e-7 from 0 and 1, as in Keras' loss. `confusion` is
    [[true negatives, false positives], [false negatives, true positives]]; `roc` holds the true
    positive rate at each of `ROC_RATES`; `correct` says of every review whether the prediction is;
    `calibration` is what that function returns.
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
        "correct": pack(predicted == labels),
        "calibration": calibration(labels, probabilities),
    }


if __name__ == "__main__":
    stage_main(score)
