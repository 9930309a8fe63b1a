"""The probe's sequences, a distance that is learned, and the file that the stage writes."""

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from stages.runtime.files import PADDING, Split
from stages.networks.models import Net, build_model
from stages.params.study import Cell, Probe, Train, load_params
from stages.train_delayed_recall import DECIDING, probe, sequences
from stages.networks.training import fit
from tests.conftest import SMALL
from tests.examples import PARAMS

TINY = Probe(
    distances=(1, 3),
    sequences=48,
    vocabulary=8,
    model=SMALL,
    train=Train(
        optimizer="adam",
        epsilon=1e-7,
        clip_norm=1.0,
        embedding_gradient="summed",
        batch_size=16,
        batches="shuffled",
        epochs=2,
        averaging=None,
        keep="best",
        kernel="keras",  # without XLA, which takes seconds to compile each net
    ),
    rnn=Cell(learning_rate=0.03),
    lstm=Cell(learning_rate=0.03),
)


def drawn(seed: int, number: int = 400, distance: int = 30, vocabulary: int = TINY.vocabulary) -> Split:
    return sequences(np.random.default_rng(seed), number, distance, vocabulary)


def test_the_first_token_decides() -> None:
    tokens, labels = drawn(0)
    assert tokens.shape == (400, 31) and tokens.dtype == np.int32
    assert labels.shape == (400,) and labels.dtype == np.uint8
    assert (tokens[:, 0] == np.array(DECIDING)[labels]).all()


@pytest.mark.parametrize(("number", "ones"), [(2, 1), (400, 200), (7, 3)])
def test_as_many_of_each_label(number: int, ones: int) -> None:
    tokens, labels = drawn(0, number)
    assert len(tokens) == len(labels) == number
    assert labels.sum() == ones


def test_the_noise_tells_nothing() -> None:
    tokens, labels = drawn(0, number=4000)
    noise = tokens[:, 1:]
    assert set(np.unique(noise)) == set(range(TINY.vocabulary)) - {PADDING, *DECIDING}
    for label in (0, 1):  # 60,000 tokens: each share, 1/5, has a standard error of 0.0016
        shares = np.bincount(noise[labels == label].ravel())[3:] / noise[labels == label].size
        assert shares == pytest.approx(np.full(5, 0.2), abs=0.01)


def test_the_smallest_vocabulary_leaves_one_token_of_noise() -> None:
    assert (drawn(0, vocabulary=4).tokens[:, 1:] == 3).all()


def test_the_seed_gives_the_sequences() -> None:
    first, again, other = drawn(0), drawn(0), drawn(1)
    assert np.array_equal(first.tokens, again.tokens) and np.array_equal(first.labels, again.labels)
    assert not np.array_equal(first.tokens, other.tokens)


@pytest.mark.parametrize("cell", ["rnn", "lstm"])
def test_a_distance_of_one_is_learned(cell: str) -> None:
    train, validation, test = (drawn(seed, distance=1) for seed in (0, 1, 2))
    keras.utils.set_random_seed(0)
    net = Net(build_model(cell, TINY.vocabulary, TINY.model), TINY.train.kernel)
    fit(net, train, validation, TINY.train, 0.03, 0, "test")
    assert np.array_equal(net.probabilities(test.tokens) > 0.5, test.labels)


def written(distances: tuple[int, ...], seed: int) -> str:
    """Run the stage at these distances and return its file."""
    settings = TINY.model_copy(update={"distances": distances})
    probe(load_params(PARAMS).model_copy(update={"probe": settings}), seed)
    return Path(f"reports/probe/{seed}.json").read_text()


def test_every_cell_and_distance_is_written_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    result: dict[str, Any] = json.loads(written((1, 3), seed=5))
    assert set(result) == {"settings", "test_sequences", "rnn", "lstm"}
    assert result["settings"] == json.loads(TINY.model_dump_json())
    assert result["test_sequences"] == 24
    told = [line for line in capsys.readouterr().out.splitlines() if "kept epoch" in line]
    expected = []
    for cell in ("rnn", "lstm"):
        assert [row["distance"] for row in result[cell]] == [1, 3]
        for row in result[cell]:
            assert list(row) == [
                "distance",
                "kept_epoch",
                "test_accuracy",
                "transferred",
                "validation_accuracy",
            ]
            for name, number in (("test_accuracy", 24), ("transferred", 24), ("validation_accuracy", 12)):
                assert row[name] in [round(right / number, 6) for right in range(number + 1)]
            expected.append(
                f"probe {cell} distance {row['distance']} seed 5: kept epoch {row['kept_epoch']}, "
                f"test accuracy {row['test_accuracy']:.4f}"
            )
    assert sorted(told) == sorted(expected)


def test_the_first_nets_answer_at_all_distances(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = TINY.train.model_copy(update={"epochs": 8})
    monkeypatch.setitem(TINY.__dict__, "train", settings)
    learned = json.loads(written((1, 2), seed=0))["lstm"]
    assert learned[0]["transferred"] == learned[0]["test_accuracy"] == 1.0
    turned = json.loads(written((2, 1), seed=0))["lstm"]
    assert [row["distance"] for row in turned] == [2, 1]
    assert turned[0]["transferred"] == turned[0]["test_accuracy"]


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first, again, other = (written((3,), seed) for seed in (0, 0, 1))
    assert first == again
    assert first != other
