"""Building, fitting, keeping an epoch and saving, on a handful of tokens."""

import re
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from stages.files import Split
from stages.params import Model, Train, load_params
from stages.training import Progress, build_model, fit, probabilities, save_model
from tests.conftest import ROOT

SMALL = Model(
    masking=False,
    embedding_width=3,
    units=4,
    activation="tanh",
    embedding_dropout=0.0,
    output_dropout=0.0,
)
SETTINGS = Train(optimizer="adam", clip_norm=1.0, batch_size=8, epochs=3, keep="last")
CELLS = pytest.mark.parametrize("cell", ["rnn", "lstm"])


def small_split(seed: int) -> Split:
    random = np.random.default_rng(seed)
    tokens = random.integers(3, 10, size=(32, 5), dtype=np.int32)
    return Split(tokens, (tokens[:, 2] > 6).astype(np.uint8))


def small_fit(cell: str, seed: int = 0, **changes: Any) -> tuple[keras.Model, Any, int]:
    keras.utils.set_random_seed(seed)
    model = build_model(cell, 10, SMALL)
    settings = SETTINGS.model_copy(update=changes)
    history, kept = fit(model, small_split(1), small_split(2), settings, 0.05, Progress("test", 3))
    return model, history, kept


@pytest.mark.parametrize(
    ("cell", "layer", "weights"), [("rnn", "SimpleRNN", 32896), ("lstm", "LSTM", 131584)]
)
def test_the_notebooks_nets_differ_in_their_cell_alone(cell: str, layer: str, weights: int) -> None:
    recipe = load_params(ROOT / "params.yaml").blocks["notebook"]
    model = build_model(cell, recipe.pad.vocabulary, recipe.model)
    assert [type(each).__name__ for each in model.layers] == ["Embedding", layer, "Dense"]
    assert model.get_layer(cell).count_params() == weights
    assert model.get_layer(cell).activation is keras.activations.tanh
    assert model.count_params() == 10000 * 128 + weights + 129


@CELLS
def test_dropout_and_masking_are_as_the_parameters_say(cell: str) -> None:
    model = build_model(
        cell, 10, SMALL.model_copy(update={"masking": True, "embedding_dropout": 0.1, "output_dropout": 0.2})
    )
    assert [type(each).__name__ for each in model.layers][1::2] == ["Dropout", "Dropout"]
    assert [model.get_layer(name).rate for name in ("embedding_dropout", "output_dropout")] == [0.1, 0.2]
    padded = np.array([[5, 6, 0, 0], [5, 6, 7, 0]], np.int32)
    alone = model.predict(padded[:1, :2], verbose=0)
    assert model.predict(padded, verbose=0)[0] == pytest.approx(alone[0], abs=1e-6)


@CELLS
def test_without_masking_padding_is_read(cell: str) -> None:
    keras.utils.set_random_seed(0)
    model = build_model(cell, 10, SMALL)
    short, padded = np.array([[5, 6]], np.int32), np.array([[5, 6, 0, 0]], np.int32)
    assert abs(probabilities(model, short) - probabilities(model, padded))[0] > 1e-4


@CELLS
def test_training_changes_every_weight(cell: str) -> None:
    keras.utils.set_random_seed(0)
    before = [weight.numpy() for weight in build_model(cell, 10, SMALL).weights]
    model, _, _ = small_fit(cell)
    for old, new in zip(before, model.weights, strict=True):
        assert not np.array_equal(old, new.numpy()), new.path


@CELLS
def test_the_same_seed_gives_the_same_weights(cell: str) -> None:
    first, again, other = (small_fit(cell, seed)[0].get_weights() for seed in (0, 0, 1))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


@CELLS
def test_both_cells_begin_with_the_same_embedding(cell: str) -> None:
    keras.utils.set_random_seed(3)
    embedding = build_model(cell, 10, SMALL).get_layer("embedding").get_weights()[0]
    keras.utils.set_random_seed(3)
    assert np.array_equal(embedding, build_model("rnn", 10, SMALL).get_layer("embedding").get_weights()[0])


@CELLS
@pytest.mark.parametrize("keep", ["last", "best"])
def test_the_kept_epochs_weights_are_the_models(cell: str, keep: str) -> None:
    model, history, kept = small_fit(cell, keep=keep, epochs=6)
    assert history["epoch"].tolist() == [1, 2, 3, 4, 5, 6]
    best = int(history["validation_accuracy"].to_numpy().argmax()) + 1  # the first of equals
    assert kept == (6 if keep == "last" else best)
    tokens, labels = small_split(2)
    accuracy = ((probabilities(model, tokens) > 0.5) == labels).mean()
    assert accuracy == pytest.approx(history["validation_accuracy"][kept - 1])


def test_the_history_is_one_plain_line_per_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    _, history, _ = small_fit("rnn")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[1].startswith(f"test: epoch 2/3, loss {history['train_loss'][1]:.4f}, accuracy ")


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "sgd"])
def test_every_optimizer_trains(optimizer: str) -> None:
    model, _, _ = small_fit("rnn", optimizer=optimizer, clip_norm=None)
    assert type(model.optimizer).__name__.lower() == optimizer
    assert model.optimizer.global_clipnorm is None


@CELLS
def test_a_saved_model_is_the_same_bytes_and_opens_in_plain_keras(tmp_path: Path, cell: str) -> None:
    first, again = tmp_path / "first.keras", tmp_path / "again.keras"
    model = build_model(cell, 10, SMALL)
    save_model(model, first)
    twin = build_model(cell, 10, SMALL)  # its objects lie at other addresses
    twin.set_weights(model.get_weights())
    save_model(twin, again)
    assert first.read_bytes() == again.read_bytes()
    with zipfile.ZipFile(first) as archive:
        assert {member.date_time[0] for member in archive.infolist()} == {1980}
        shared = re.findall(rb'"shared_object_id": (\d+)', archive.read("config.json"))
    # Keras writes memory addresses there, which one process cannot see change.
    assert {int(number) for number in shared} <= set(range(1, 10)) and shared
    opened = keras.models.load_model(first)
    tokens = small_split(2).tokens
    assert np.array_equal(probabilities(opened, tokens), probabilities(model, tokens))
