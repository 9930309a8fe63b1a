"""The architecture, that both implementations predict the same, and how a model is saved."""

import re
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from stages.networks.models import Network, build_model, chrono_bias, new_network, orthogonal, save_model
from stages.params.recipe import Lstm, Rnn, load_recipe
from tests.conftest import SMALL
from tests.examples import PARAMS

TOKENS = np.random.default_rng(0).integers(3, 10, size=(32, 5), dtype=np.int32)
CELLS = pytest.mark.parametrize("cell", ["rnn", "lstm"])
OWN: dict[str, Rnn | Lstm] = {
    "rnn": Rnn(learning_rate=0.001, recurrent_initializer="orthogonal"),
    "lstm": Lstm(learning_rate=0.001, chrono_t_max=None),
}
IMPLEMENTATIONS = pytest.mark.parametrize("implementation", ["keras", "fused"])


def small_network(cell: str, implementation: str = "fused", **changes: object) -> Network:
    keras.utils.set_random_seed(0)
    return Network(build_model(cell, 10, SMALL.model_copy(update=changes)), implementation)


@pytest.mark.parametrize(
    ("cell", "layer", "weights"), [("rnn", "SimpleRNN", 32896), ("lstm", "LSTM", 131584)]
)
def test_the_notebooks_models_differ_in_their_cell_alone(cell: str, layer: str, weights: int) -> None:
    recipe = load_recipe("notebook", PARAMS)
    model = build_model(cell, recipe.pad.num_words, recipe.model)
    assert [type(each).__name__ for each in model.layers] == ["Embedding", layer, "Dense"]
    assert model.get_layer(cell).count_params() == weights
    assert model.get_layer(cell).activation is keras.activations.tanh
    assert model.count_params() == 10000 * 128 + weights + 129


@CELLS
def test_dropout_and_masking_are_as_the_parameters_say(cell: str) -> None:
    model = build_model(
        cell,
        10,
        SMALL.model_copy(update={"mask_zero": True, "embedding_dropout": 0.1, "output_dropout": 0.2}),
    )
    assert [type(each).__name__ for each in model.layers][1::2] == ["Dropout", "Dropout"]
    assert [model.get_layer(name).rate for name in ("embedding_dropout", "output_dropout")] == [0.1, 0.2]
    padded = np.array([[5, 6, 0, 0], [5, 6, 7, 0]], np.int32)
    alone = model.predict(padded[:1, :2], verbose=0)
    assert model.predict(padded, verbose=0)[0] == pytest.approx(alone[0], abs=1e-6)


@CELLS
@IMPLEMENTATIONS
def test_padding_is_read_without_masking_and_skipped_with_it(cell: str, implementation: str) -> None:
    short, padded = np.array([[5, 6]], np.int32), np.array([[0, 5, 6, 0], [5, 6, 0, 0]], np.int32)
    read, skipped = (small_network(cell, implementation, mask_zero=mask_zero) for mask_zero in (False, True))
    assert (abs(read.probabilities(padded) - read.probabilities(short)) > 1e-5).all()
    assert skipped.probabilities(padded) == pytest.approx(skipped.probabilities(short).repeat(2), abs=1e-6)


@CELLS
@IMPLEMENTATIONS
@pytest.mark.parametrize("mask_zero", [False, True])
def test_probabilities_are_the_models_own_in_the_rows_order(
    cell: str, implementation: str, mask_zero: bool
) -> None:
    tokens = np.where(np.random.default_rng(1).random((1203, 6)) < 0.3, 0, 4).astype(np.int32)
    network = small_network(
        cell, implementation, mask_zero=mask_zero, embedding_dropout=0.5, output_dropout=0.5
    )
    expected = network.model.predict(tokens, verbose=0)[:, 0]
    assert network.probabilities(tokens) == pytest.approx(expected, abs=1e-6)


@CELLS
@IMPLEMENTATIONS
@pytest.mark.parametrize("mask_zero", [False, True])
def test_the_mean_is_over_what_is_read(cell: str, implementation: str, mask_zero: bool) -> None:
    network = small_network(cell, implementation, mask_zero=mask_zero, pooling="mean")
    tokens = np.array([[0, 0, 5, 6], [7, 5, 6, 4], [0, 0, 0, 1]], np.int32)
    assert network.probabilities(tokens) == pytest.approx(
        network.model.predict(tokens, verbose=0)[:, 0], abs=1e-6
    )
    states = network.cell(network.layers["embedding"](tokens[:1, 2 if mask_zero else 0 :]))
    answer = network.layers["positive"](np.mean(states, axis=1))
    assert network.probabilities(tokens)[0] == pytest.approx(float(answer[0, 0]), abs=1e-6)


@CELLS
@IMPLEMENTATIONS
@pytest.mark.parametrize("mask_zero", [False, True])
def test_the_maximum_is_over_the_states_and_zero(cell: str, implementation: str, mask_zero: bool) -> None:
    network = small_network(cell, implementation, mask_zero=mask_zero, pooling="max")
    tokens = np.array([[0, 0, 5, 6], [7, 5, 6, 4], [5, 6, 0, 0], [0, 0, 0, 1]], np.int32)
    predicted = network.probabilities(tokens)
    assert predicted == pytest.approx(network.model.predict(tokens, verbose=0)[:, 0], abs=1e-6)
    states = network.cell(network.layers["embedding"](tokens[:1, 2 if mask_zero else 0 :]))
    answer = network.layers["positive"](np.maximum(np.max(states, axis=1), 0))
    assert predicted[0] == pytest.approx(float(answer[0, 0]), abs=1e-6)
    if mask_zero:
        assert predicted[2] == pytest.approx(predicted[0], abs=1e-6)


@CELLS
def test_dropout_zeroes_a_share_and_scales_up_the_rest(cell: str) -> None:
    network = small_network(cell, embedding_dropout=0.25)
    dropout, again = np.array([network.dropout(4000, "embedding_dropout") for _ in range(2)])
    assert dropout.shape == (4000, SMALL.embedding_dim)
    assert np.unique(dropout) == pytest.approx([0, 1 / 0.75])
    assert np.mean(dropout == 0) == pytest.approx(0.25, abs=0.02)
    assert not np.array_equal(dropout, again)
    assert network.dropout(5, "output_dropout") is None


@CELLS
def test_word_dropout_zeroes_whole_embeddings(cell: str) -> None:
    network = small_network(cell, word_dropout=0.25)
    rows = np.array(network.dropout(4000, "embedding_dropout", "word_dropout"))
    assert np.array_equal(rows, rows[:, :1].repeat(SMALL.embedding_dim, axis=1))
    assert np.mean(rows == 0) == pytest.approx(0.25, abs=0.02)
    both = small_network(cell, embedding_dropout=0.5, word_dropout=0.25)
    rows = np.array(both.dropout(4000, "embedding_dropout", "word_dropout"))
    assert np.unique(rows) == pytest.approx([0, 1 / 0.5 / 0.75])
    assert np.mean(rows == 0) == pytest.approx(1 - 0.5 * 0.75, abs=0.02)


@CELLS
def test_both_cells_begin_with_the_same_embedding(cell: str) -> None:
    keras.utils.set_random_seed(3)
    embedding = build_model(cell, 10, SMALL).get_layer("embedding").get_weights()[0]
    keras.utils.set_random_seed(3)
    assert np.array_equal(embedding, build_model("rnn", 10, SMALL).get_layer("embedding").get_weights()[0])


@CELLS
def test_an_untrained_network_follows_from_its_seed_and_may_start_from_vectors(cell: str) -> None:
    vectors = np.random.default_rng(0).random((10, SMALL.embedding_dim), np.float32)
    started = SMALL.model_copy(update={"ppmi_window": 2})
    random, again, from_vectors = (
        new_network(cell, 10, settings, OWN[cell], "fused", 7, vectors).model.get_weights()
        for settings in (SMALL, SMALL, started)
    )
    assert all(np.array_equal(one, other) for one, other in zip(random, again, strict=True))
    assert not np.array_equal(random[0], vectors) and np.array_equal(from_vectors[0], vectors)
    assert all(np.array_equal(one, other) for one, other in zip(random[1:], from_vectors[1:], strict=True))


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
    assert np.array_equal(opened.predict(TOKENS, verbose=0), model.predict(TOKENS, verbose=0))


@pytest.mark.parametrize("shape", [(5, 5), (5, 20), (20, 5)])
def test_recurrent_weights_start_orthogonal(shape: tuple[int, int]) -> None:
    drawn, other = orthogonal(shape, 0), orthogonal(shape, 1)
    assert drawn.shape == shape and drawn.dtype == np.float32
    short = drawn if shape[0] <= shape[1] else drawn.T
    assert short @ short.T == pytest.approx(np.eye(5), abs=1e-6)
    assert abs(drawn - other).max() > 0.1 and (drawn == orthogonal(shape, 0)).all()


def test_no_orthogonal_matrix_is_preferred() -> None:
    """Without the signs of R, the diagonal of Q would lean to one side."""
    drawn = np.array([orthogonal((2, 2), seed) for seed in range(400)])
    assert abs(drawn.mean(axis=0)).max() < 0.15


@CELLS
def test_a_new_network_has_them(cell: str) -> None:
    network = new_network(cell, 10, SMALL, OWN[cell], "fused", 3, TOKENS)
    recurrent = network.cell.get_weights()[1]
    assert (recurrent == orthogonal(recurrent.shape, 3)).all()


def test_an_rnn_may_start_from_the_identity() -> None:
    own = OWN["rnn"].model_copy(update={"recurrent_initializer": "identity"})
    _, recurrent, bias = new_network("rnn", 10, SMALL, own, "fused", 3).cell.get_weights()
    assert (recurrent == np.eye(SMALL.units)).all() and not bias.any()


def test_an_lstms_gates_may_start_slow() -> None:
    """Forget gates of σ(log u) = u / (1 + u), input gates of 1 / (1 + u), u uniform from 1 to T_max - 1."""
    own = OWN["lstm"].model_copy(update={"chrono_t_max": 101})
    bias = new_network("lstm", 10, SMALL, own, "fused", 3).cell.get_weights()[2]
    assert (bias == chrono_bias(SMALL.units, 101, 3)).all()
    i, f, candidate, o = np.split(chrono_bias(4000, 101, 0), 4)
    assert (i == -f).all() and not candidate.any() and not o.any()
    u = np.exp(f)
    assert (u.min(), u.mean(), u.max()) == pytest.approx((1, 50.5, 100), abs=2)
    i, f, *_ = np.split(new_network("lstm", 10, SMALL, OWN["lstm"], "fused", 3).cell.get_weights()[2], 4)
    assert (f == 1).all() and not i.any()  # Keras' unit forget bias
