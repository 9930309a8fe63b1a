"""Our recurrences against Keras' layers, and against the formulas as the notebook teaches them."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from stages.networks.recurrence import ACTIVATIONS, lstm, product, rnn

RECURRENCES = {"rnn": rnn, "lstm": lstm}
LAYERS = {"rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM}
BOTH = pytest.mark.parametrize("cell", RECURRENCES)
POOLINGS = pytest.mark.parametrize("pooling", ["last", "mean", "max"])
INPUTS, UNITS, TOKENS = 5, 7, 11


def tolerance(dtype: str, length: int, batch: int) -> float:
    """Return how far two orders of the same sums may lie apart, as a share of the largest value.

    Summing n terms in another order moves a sum by at most 2(n - 1)u of its terms' magnitudes, u =
    eps / 2 (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., §4.2). A gradient of
    weights sums over `length` steps and `batch` reviews, each step over inputs and units. Errors of
    both signs average, so the square root of n would do; the bound holds also where they do not.
    """
    return length * (batch + INPUTS + UNITS) * float(np.finfo(dtype).eps)


def arrays(dtype: str, length: int, batch: int, seed: int = 0) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    return {
        "embeddings": random.normal(size=(TOKENS, INPUTS)).astype(dtype),
        "row_ids": tf.constant(random.integers(0, TOKENS, (length, batch)), tf.int32),
        "weights": random.normal(size=(batch, UNITS)).astype(dtype),  # of the state in the loss
    }


def mask_of(kind: str, length: int, batch: int) -> tf.Tensor | None:
    """Return which steps are not padding, bool (length, batch); the last review is nothing but padding."""
    random = np.random.default_rng(1)
    texts = np.minimum(random.integers(0, length, batch), length - 2)
    texts[-1] = 0
    place = np.arange(length)[:, None]
    masks = {
        "pre": place >= length - texts,
        "post": place < texts,
        "gaps": random.random((length, batch)) < 0.5,
        "nothing": np.zeros((length, batch), bool),
    }
    return None if kind == "all" else tf.constant(masks[kind])


def layer(cell: str, dtype: str, activation: str = "tanh") -> keras.layers.Layer:
    keras.utils.set_random_seed(2)
    made = LAYERS[cell](UNITS, activation=activation, dtype=dtype)
    made.build((None, None, INPUTS))
    bias = made.cell.bias
    bias.assign(keras.random.normal(bias.shape, dtype=dtype))  # zero, as they begin, would hide mistakes
    return made


def both(
    made: keras.layers.Layer, cell: str, mask: tf.Tensor | None, given: dict[str, Any], pooling: str = "last"
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return Keras' and our pooled state, loss, and gradients of embeddings and weights."""
    variables = [tf.Variable(given["embeddings"]), *made.trainable_variables]
    row_ids = given["row_ids"]

    def theirs() -> tf.Tensor:
        inputs = tf.gather(variables[0], tf.transpose(row_ids))
        used = None if mask is None else tf.transpose(mask)
        made.return_sequences = pooling != "last"
        states = made(inputs, mask=used)
        if pooling == "last":
            return states
        if pooling == "max":
            return keras.ops.relu(keras.ops.max(states, axis=1))
        if used is None:
            return tf.reduce_mean(states, axis=1)
        steps = tf.maximum(tf.reduce_sum(tf.cast(used, states.dtype), axis=1, keepdims=True), 1)
        return tf.reduce_sum(tf.where(used[..., None], states, 0), axis=1) / steps

    def ours() -> tf.Tensor:
        table = variables[0] @ made.cell.kernel + made.cell.bias
        weights, activation = made.cell.recurrent_kernel, made.activation.__name__
        return RECURRENCES[cell](table, row_ids, mask, weights, activation, pooling)

    def results(state_of: Callable[[], tf.Tensor]) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            state = state_of()
            loss = tf.reduce_sum(state * given["weights"])
        return [state, loss, *map(tf.convert_to_tensor, tape.gradient(loss, variables))]

    compiled = tf.function(results, jit_compile=True, autograph=False)
    return [each.numpy() for each in results(theirs)], [each.numpy() for each in compiled(ours)]


def assert_equal(theirs: list[np.ndarray], ours: list[np.ndarray], allowed: float) -> None:
    names = ("state", "loss", "embeddings", "kernel", "recurrent kernel", "bias")
    for name, one, other in zip(names, theirs, ours, strict=True):
        assert one.shape == other.shape and one.dtype == other.dtype, name
        assert abs(one - other).max() <= allowed * max(abs(one).max(), 1), name


@BOTH
@POOLINGS
@pytest.mark.parametrize(
    ("kind", "dtype", "length", "batch"),
    [
        *((kind, "float64", 6, 3) for kind in ("all", "pre", "post", "gaps", "nothing")),
        ("all", "float64", 1, 1),
        ("all", "float32", 20, 32),
        ("pre", "float32", 20, 32),
    ],
)
def test_outputs_and_gradients_are_those_of_keras(
    cell: str, pooling: str, kind: str, dtype: str, length: int, batch: int
) -> None:
    mask, given = mask_of(kind, length, batch), arrays(dtype, length, batch)
    theirs, ours = both(layer(cell, dtype), cell, mask, given, pooling)
    assert_equal(theirs, ours, tolerance(dtype, length, batch))


@BOTH
@pytest.mark.parametrize("pooling", ["last", "max"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_so_they_are_for_every_activation(cell: str, pooling: str, activation: str) -> None:
    """With relu, states are often exactly 0: then the maximum is the initial state, and has no gradient."""
    made, given = layer(cell, "float64", activation), arrays("float64", 9, 4)
    theirs, ours = both(made, cell, mask_of("gaps", 9, 4), given, pooling)
    assert_equal(theirs, ours, tolerance("float64", 9, 4))


@BOTH
def test_of_equal_states_the_first_is_the_maximum(cell: str) -> None:
    """The RNN repeats a state where its input does; the LSTM where its gates also keep the cell state."""
    width = {"rnn": 1, "lstm": 4}[cell] * UNITS
    row = abs(np.random.default_rng(4).normal(size=width))
    repeated = row.copy()
    if cell == "lstm":
        repeated[:UNITS], repeated[UNITS : 2 * UNITS] = -1000, 1000
    table = tf.constant(np.stack([-row, row, repeated, repeated]))

    def gradient(table: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(table)
            recurrent = tf.zeros((UNITS, width), tf.float64)
            state = RECURRENCES[cell](table, tf.range(4)[:, None], None, recurrent, "tanh", "max")
        return [state, tape.gradient(state, table)]

    state, rows = (each.numpy() for each in tf.function(gradient, jit_compile=True)(table))
    assert (state > 0).all()
    assert (abs(rows[1]) > 0).all()
    assert not rows[2:].any()


@BOTH
@POOLINGS
@pytest.mark.parametrize("mask", [None, [[True], [True], [False]]])
def test_a_state_that_is_not_a_number_shows(cell: str, pooling: str, mask: list | None) -> None:
    table = np.ones((2, {"rnn": 1, "lstm": 4}[cell] * UNITS))
    table[1] = np.nan
    recurrent = tf.ones((UNITS, table.shape[1]), tf.float64)
    used = None if mask is None else tf.constant(mask)
    run = tf.function(RECURRENCES[cell], jit_compile=True, autograph=False)
    state = run(tf.constant(table), tf.constant([[0], [1], [0]]), used, recurrent, "tanh", pooling)
    assert np.isnan(state.numpy()).all()


@BOTH
def test_only_the_three_poolings_exist(cell: str) -> None:
    with pytest.raises(KeyError, match="sum"):
        RECURRENCES[cell](tf.zeros((2, 4)), tf.zeros((3, 1), tf.int32), None, tf.zeros((1, 4)), "tanh", "sum")


@BOTH
@pytest.mark.parametrize("kind", ["all", "gaps"])
@POOLINGS
def test_the_gradient_of_an_occurrence_is_that_of_an_embedding_of_its_own(
    cell: str, kind: str, pooling: str
) -> None:
    """And a row's gradient is the sum over its occurrences."""
    given, mask, weights = arrays("float64", 9, 4), mask_of(kind, 9, 4), layer(cell, "float64").cell
    rows = given["embeddings"] @ weights.kernel.numpy() + weights.bias.numpy()
    recurrent, kernel = (tf.constant(each.numpy()) for each in (weights.recurrent_kernel, weights.kernel))

    def gradients(table: tf.Tensor, row_ids: tf.Tensor) -> list[tf.Tensor]:
        watched = [table, tf.zeros((9, 4, kernel.shape[0]), tf.float64)]
        with tf.GradientTape() as tape:
            tape.watch(watched)
            each = (watched[1], kernel)
            state = RECURRENCES[cell](watched[0], row_ids, mask, recurrent, "tanh", pooling, each)
            loss = tf.reduce_sum(state * given["weights"])
        return list(tape.gradient(loss, watched))

    row_ids = given["row_ids"].numpy()
    compiled = tf.function(gradients, jit_compile=True, autograph=False)
    of_rows, of_occurrences = (each.numpy() for each in compiled(rows, row_ids))
    alone = compiled(rows[row_ids.ravel()], np.arange(36).reshape(9, 4))[0].numpy()
    assert of_occurrences.reshape(36, -1) == pytest.approx(alone @ kernel.numpy().T, abs=1e-12)
    total = np.zeros_like(rows)
    np.add.at(total, row_ids.ravel(), alone)
    assert of_rows == pytest.approx(total, abs=1e-12)
    assert abs(of_occurrences).max() > 0.01


@BOTH
def test_the_published_shape_agrees_at_its_full_size(cell: str) -> None:
    keras.utils.set_random_seed(3)
    made = LAYERS[cell](128)
    made.build((None, None, 128))
    random = np.random.default_rng(3)
    given = {
        "embeddings": random.normal(size=(50, 128)).astype(np.float32),
        "row_ids": tf.constant(random.integers(0, 50, (200, 32)), tf.int32),
        "weights": random.normal(size=(32, 128)).astype(np.float32),
    }
    theirs, ours = both(made, cell, None, given)
    assert_equal(theirs, ours, 200 * (32 + 128 + 128) * float(np.finfo(np.float32).eps))


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


@BOTH
def test_states_are_those_of_the_notebooks_formulas(cell: str) -> None:
    """Token by token, W·[h,x] written out, each gate with weights of its own."""
    made, given = layer(cell, "float64"), arrays("float64", 8, 3)
    w_x, w_h, bias = (weight.numpy() for weight in made.weights)
    h = c = np.zeros((3, UNITS))
    for rows in given["row_ids"].numpy():
        h_x = np.concatenate([h, given["embeddings"][rows]], axis=1)
        w = np.concatenate([w_h, w_x])
        if cell == "rnn":
            h = np.tanh(h_x @ w + bias)
        else:
            w_i, w_f, w_c, w_o = np.split(w, 4, axis=1)
            b_i, b_f, b_c, b_o = np.split(bias, 4)
            f = sigmoid(h_x @ w_f + b_f)
            i = sigmoid(h_x @ w_i + b_i)
            candidate = np.tanh(h_x @ w_c + b_c)
            c = f * c + i * candidate
            o = sigmoid(h_x @ w_o + b_o)
            h = o * np.tanh(c)
    table = tf.constant(given["embeddings"] @ w_x + bias)
    ours = RECURRENCES[cell](table, given["row_ids"], None, tf.constant(w_h), "tanh")
    assert ours.numpy() == pytest.approx(h, abs=1e-12)


@pytest.mark.parametrize("terms", [1, 7, 300, 2000])
def test_products_and_their_gradients(terms: int) -> None:
    random = np.random.default_rng(0)
    a, b, weights = (random.normal(size=shape) for shape in ((5, terms), (terms, 4), (5, 4)))

    def gradients(a: tf.Tensor, b: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch([a, b])
            result = product(a, b)
            loss = tf.reduce_sum(result * weights)
        return [result, *tape.gradient(loss, [a, b])]

    found = tf.function(gradients, jit_compile=True, autograph=False)(tf.constant(a), tf.constant(b))
    for ours, expected in zip(found, (a @ b, weights @ b.T, a.T @ weights), strict=True):
        assert ours.numpy() == pytest.approx(expected, abs=1e-10)
