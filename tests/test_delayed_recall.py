"""The sequences of delayed recall, a delay that is learned, and the files that the stages write."""

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from stages.networks.models import Network, build_model
from stages.networks.training import fit
from stages.params.delayed_recall import DelayedRecall
from stages.params.recipe import Train
from stages.runtime.errors import StageError
from stages.runtime.files import PADDING, Split
from stages.score_delayed_recall import score_delayed_recall
from stages.train_delayed_recall import DECIDING, sequences, train_delayed_recall
from tests.conftest import SMALL

TINY = DelayedRecall(
    seeds=(0,),
    learning_rate=(0.03,),
    delays=(2, 3),
    sequences=48,
    num_tokens=8,
    model=SMALL,
    train=Train(
        optimizer="adam",
        epsilon=1e-7,
        global_clipnorm=1.0,
        embedding_gradients="coalesced",
        batch_size=16,
        bucketing=False,
        epochs=2,
        ema_momentum=None,
        checkpoint="best",
        implementation="keras",  # without XLA, which takes seconds to compile each model
    ),
)


def drawn(seed: int, number: int = 400, delay: int = 30, num_tokens: int = TINY.num_tokens) -> Split:
    return sequences(np.random.default_rng(seed), number, delay, num_tokens)


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
    assert set(np.unique(noise)) == set(range(TINY.num_tokens)) - {PADDING, *DECIDING}
    for label in (0, 1):  # 60,000 tokens: each share, 1/5, has a standard error of 0.0016
        shares = np.bincount(noise[labels == label].ravel())[3:] / noise[labels == label].size
        assert shares == pytest.approx(np.full(5, 0.2), abs=0.01)


def test_the_fewest_tokens_leave_one_token_of_noise() -> None:
    assert (drawn(0, num_tokens=4).tokens[:, 1:] == 3).all()


def test_the_seed_gives_the_sequences() -> None:
    first, again, other = drawn(0), drawn(0), drawn(1)
    assert np.array_equal(first.tokens, again.tokens) and np.array_equal(first.labels, again.labels)
    assert not np.array_equal(first.tokens, other.tokens)


@pytest.mark.parametrize("cell", ["rnn", "lstm"])
def test_a_delay_of_one_is_learned(cell: str) -> None:
    train, validation, test = (drawn(seed, delay=1) for seed in (0, 1, 2))
    keras.utils.set_random_seed(0)
    network = Network(build_model(cell, TINY.num_tokens, TINY.model), TINY.train.implementation)
    fit(network, train, validation, TINY.train, 0.03, 0, "test")
    assert np.array_equal(network.probabilities(test.tokens) > 0.5, test.labels)


def written(monkeypatch: pytest.MonkeyPatch, delays: tuple[int, ...], seed: int, **train: Any) -> str:
    """Run both stages after these delays and return the file that comes of it."""
    settings = TINY.model_copy(update={"delays": delays, "train": TINY.train.model_copy(update=train)})
    for module in ("train_delayed_recall", "score_delayed_recall"):
        monkeypatch.setattr(f"stages.{module}.load_delayed_recall", lambda: settings)
    train_delayed_recall(seed)
    score_delayed_recall(seed)
    return Path(f"reports/delayed_recall/{seed}.json").read_text()


def test_every_cell_and_delay_is_written_and_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    result: dict[str, Any] = json.loads(written(monkeypatch, (1, 3), seed=5))
    assert set(result) == {"settings", "provenance", "test_sequences", "rnn", "lstm"}
    assert result["settings"] == json.loads(TINY.model_dump_json())
    assert "stages/networks/training.py" in result["provenance"]["code"]
    assert result["test_sequences"] == 24
    printed = [line for line in capsys.readouterr().out.splitlines() if "kept epoch" in line]
    expected = []
    for cell in ("rnn", "lstm"):
        assert [row["delay"] for row in result[cell]] == [1, 3]
        for row in result[cell]:
            assert list(row) == ["delay", "kept_epoch", "test_accuracy", "transferred", "validation_accuracy"]
            for name, number in (("test_accuracy", 24), ("transferred", 24), ("validation_accuracy", 12)):
                assert row[name] in [round(correct / number, 6) for correct in range(number + 1)]
            expected.append(
                f"delayed recall {cell} delay {row['delay']} seed 5: kept epoch {row['kept_epoch']}, "
                f"test accuracy {row['test_accuracy']:.4f}"
            )
    assert sorted(printed) == sorted(expected)


def test_the_first_models_answer_after_all_delays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    learned = json.loads(written(monkeypatch, (1, 2), seed=0, epochs=8))["lstm"]
    assert learned[0]["transferred"] == learned[0]["test_accuracy"] == 1.0
    turned = json.loads(written(monkeypatch, (2, 1), seed=0, epochs=8))["lstm"]
    assert [row["delay"] for row in turned] == [2, 1]
    assert turned[0]["transferred"] == turned[0]["test_accuracy"]


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first, again, other = (written(monkeypatch, (3,), seed) for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_what_was_trained_with_other_parameters_is_not_scored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written(monkeypatch, (1,), seed=0)
    other = TINY.model_copy(update={"delays": (2,)})
    monkeypatch.setattr("stages.score_delayed_recall.load_delayed_recall", lambda: other)
    with pytest.raises(
        StageError, match=r"data/delayed_recall/0 was trained with delays = \[1\], but params"
    ):
        score_delayed_recall(0)
