"""Arrays and tables that would do harm, or are of something else: what reads them takes none."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.reviews.text import load_ranks
from stages.runtime.errors import StageError
from stages.runtime.files import PADDED, RAW, Split, load_array, load_padded
from stages.score import measure_run
from stages.scoring.histories import kept_accuracy
from stages.scoring.variants import reached
from tests.faults.test_archives import Trap

SAID = "a line names the file, and what restores it"
NOTHING = "everything: no code of the file's runs, nothing is printed"


@pytest.mark.fault("an array that is a pickle that runs code", SAID, NOTHING)
def test_pickles_among_arrays_do_not_run(tmp_path: Path) -> None:
    trap, file = np.empty(1, object), tmp_path / "array.npy"
    trap[0] = Trap(tmp_path / "executed")
    np.save(file, trap)
    with pytest.raises(StageError, match=r"array\.npy is damaged"):
        load_array(file)
    file.write_bytes(pickle.dumps(trap[0]))
    with pytest.raises(StageError, match=r"array\.npy is damaged"):
        load_array(file)
    assert not (tmp_path / "executed").exists()
    np.load(file, allow_pickle=True)
    assert (tmp_path / "executed").exists()  # the trap works


TOKENS, LABELS = np.full((4, 6), 3, np.int32), np.array([0, 1, 0, 1], np.uint8)


@pytest.mark.fault("an archive in the place of an array", SAID, NOTHING)
def test_an_archive_is_no_array(tmp_path: Path) -> None:
    np.savez(tmp_path / "array.npz", LABELS)
    (tmp_path / "array.npz").rename(tmp_path / "array.npy")
    with pytest.raises(StageError, match="damaged"):
        load_array(tmp_path / "array.npy")


@pytest.mark.fault("padded reviews with {what}", SAID, NOTHING)
@pytest.mark.parametrize(
    ("what", "tokens", "labels"),
    [
        ("tokens that are no whole numbers", TOKENS.astype(np.float32), LABELS),
        ("tokens below zero", -TOKENS, LABELS),
        ("tokens that are no table", TOKENS[0], LABELS),
        ("fewer labels than reviews", TOKENS, LABELS[:3]),
        ("labels other than 0 and 1", TOKENS, LABELS + 1),
    ],
)
def test_padded_reviews_that_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, tokens: np.ndarray, labels: np.ndarray
) -> None:
    monkeypatch.chdir(tmp_path)
    (PADDED / "tuned").mkdir(parents=True)
    for split in ("train", "validation", "test"):
        np.save(PADDED / "tuned" / f"{split}_tokens.npy", tokens)
        np.save(PADDED / "tuned" / f"{split}_labels.npy", labels)
    with pytest.raises(StageError, match=r"train_(tokens|labels)\.npy is damaged"):
        load_padded("tuned")


@pytest.mark.fault("a word index that maps words to something else than ranks", SAID, NOTHING)
@pytest.mark.parametrize("ranks", [["one"], {"one": "two"}, {"one": 10**30}])
def test_a_word_index_that_is_none(released: Path, ranks: Any) -> None:
    (RAW / "word_index.json").write_text(json.dumps(ranks))
    with pytest.raises(StageError, match=r"word_index\.json is damaged"):
        load_ranks()


@pytest.mark.fault("a run's probabilities: {what}", SAID, NOTHING)
@pytest.mark.parametrize(
    ("what", "probabilities"),
    [
        ("one is not a number", np.array([0.5, np.nan, 0.5, 0.5], np.float32)),
        ("one is above 1", np.array([0.5, 1.5, 0.5, 0.5], np.float32)),
        ("whole numbers", LABELS),
        ("a column", np.full((4, 1), 0.5, np.float32)),
        ("of fewer reviews", np.full(3, 0.5, np.float32)),
    ],
)
def test_probabilities_that_are_none(tmp_path: Path, what: str, probabilities: np.ndarray) -> None:
    padded = {split: Split(TOKENS, LABELS) for split in ("validation", "test")}
    write_run(tmp_path, "epoch,validation_accuracy\n1,0.5\n")
    for split in padded:
        np.save(tmp_path / f"{split}_probabilities.npy", np.linspace(0, 1, 4, dtype=np.float32))
    shared = {split: np.zeros(4, int) for split in padded}
    measure_run(tmp_path, padded, shared)
    assert reached(tmp_path, LABELS)["test_accuracy"] == 0.5
    np.save(tmp_path / "test_probabilities.npy", probabilities)
    readers: tuple[Callable[[], object], ...] = (
        lambda: measure_run(tmp_path, padded, shared),
        lambda: reached(tmp_path, LABELS),
    )
    for read in readers:
        with pytest.raises(StageError, match=r"test_probabilities\.npy is damaged"):
            read()


def write_run(folder: Path, history: str) -> None:
    """Write what a run writes beside its model and probabilities."""
    (folder / "history.csv").write_text(history)
    (folder / "summary.json").write_text('{"kept_epoch": 1}')


@pytest.mark.fault("a run's history is cut off or something else", SAID, NOTHING)
@pytest.mark.parametrize(
    "history",
    [
        "",
        "epoch,validation_accuracy\n",
        "epoch\n1\n",
        "epoch,validation_accuracy\n1,high\n",
        "epoch,validation_accuracy\n1,\n",
        "epoch,validation_accuracy\n2,0.5\n",
        'epoch,validation_accuracy\n1,"0.5',
    ],
)
def test_histories_that_are_none(tmp_path: Path, history: str) -> None:
    write_run(tmp_path, history)
    with pytest.raises(StageError, match=r"history\.csv is damaged"):
        kept_accuracy(tmp_path)
