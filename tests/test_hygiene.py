"""No test label enters what is trained, searched or chosen: only the last stages read them."""

import json

import numpy as np
import pytest

from stages.scoring.packing import unpack
from tests.conftest import Project, sha256

# What makes and chooses models: one stage after another in one process, so that TensorFlow starts once.
STAGES = """
from pathlib import Path
from stages.choose import choose
from stages.film_groups import film_groups
from stages.pad import pad
from stages.release import release
from stages.train_lstm import train_lstm
from stages.train_rnn import train_rnn
from stages.train_variant import train_variant
from stages.word_vectors import word_vectors
film_groups()
pad("tuned")
word_vectors("tuned")
train_rnn("tuned", 0)
train_lstm("tuned", 0)
for cell in ("rnn", "lstm"):
    for pooling in ("last", "max"):
        out = Path(f"data/search/runs/{cell}-{pooling}-0")
        train_variant("tuned", cell, 0, out=out, set=[f"model.pooling={pooling}"])
choose()
release()
"""
MADE = (
    "data/film_groups.npy",
    "data/padded",
    "data/word_vectors",
    "data/models",
    "data/search",
    "data/released",
    "reports/released.json",
)


@pytest.mark.slow
def test_flipped_test_labels_change_scores_and_nothing_before_them(project: Project) -> None:
    tuned = project.params["tuned"]
    tuned["model"] |= {"embedding_dim": 8, "units": 8}
    tuned["train"] |= {"batch_size": 32, "epochs": 1}  # batches of one size, which compile once
    tuned["lstm"]["learning_rate"] = rate = tuned["rnn"]["learning_rate"]
    project.params["search"] |= {"seeds": [0], "learning_rate": [rate], "pooling": ["last", "max"]}
    project.params["search"]["epsilon"] = [tuned["train"]["epsilon"]]
    project.save_params()
    project.run("python", "-m", "stages.download")
    before, scores = made(project), scored(project)
    labels = project.folder / "data/raw/test_labels.npy"
    np.save(labels, 1 - np.load(labels))
    after, flipped = made(project), scored(project)

    kinds = {name.rpartition("/")[2] for name in before}
    assert {"table.json", "model.keras", "history.csv", "test_probabilities.npy", "released.json"} < kinds
    differ = {name for name in before | after if before.get(name) != after.get(name)}
    assert differ == {"data/padded/tuned/test_labels.npy"}
    for cell, correct in scores.items():
        assert (correct != flipped[cell]).all()


def made(project: Project) -> dict[str, str]:
    """Return the path and SHA-256 of every file that these stages make."""
    project.run("python", "-c", STAGES)
    files = [file for name in MADE for file in (project.folder / name, *(project.folder / name).rglob("*"))]
    return {str(file.relative_to(project.folder)): sha256(file) for file in files if file.is_file()}


def scored(project: Project) -> dict[str, np.ndarray]:
    """Return cell → which of the 60 test reviews it answers correctly by the labels, bool."""
    project.run("python", "-m", "stages.score", "tuned", "0")
    measured = json.loads(project.text("reports/runs/tuned-0.json"))
    return {cell: unpack(measured[cell]["test"]["correct"], 60) for cell in ("rnn", "lstm")}
