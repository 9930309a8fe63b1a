"""Our recurrences against Keras' layers, and against the formulas as the notebook teaches them."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from stages.networks.models import CELLS
from stages.networks.recurrence import ACTIVATIONS, lstm, product, rnn

RECURRENCES = {"rnn": rnn, "lstm": lstm}
BOTH = pytest.mark.parametrize("cell", RECURRENCES)
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
        "steps": tf.constant(random.integers(0, TOKENS, (length, batch)), tf.int32),
        "weights": random.normal(size=(batch, UNITS)).astype(dtype),  # of the state in the loss
    }


def mask(kind: str, length: int, batch: int) -> tf.Tensor | None:
    """Return which steps are read, bool (length, batch), with a review that is read whole and one never."""
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
    made = CELLS[cell](UNITS, activation=activation, dtype=dtype)
    made.build((None, None, INPUTS))
    bias = made.cell.bias
    bias.assign(keras.random.normal(bias.shape, dtype=dtype))  # zero, as they begin, would hide mistakes
    return made


def both(
    made: keras.layers.Layer,
    cell: str,
    read: tf.Tensor | None,
    given: dict[str, Any],
    compiled: bool = True,
    summed: bool = False,
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return Keras' and our last state or sum of states, loss, and gradients of embeddings and weights."""
    variables = [tf.Variable(given["embeddings"]), *made.trainable_variables]

    def theirs() -> tf.Tensor:
        inputs = tf.gather(variables[0], tf.transpose(given["steps"]))
        mask = None if read is None else tf.transpose(read)
        if not summed:
            return made(inputs, mask=mask)
        made.return_sequences = True
        states = made(inputs, mask=mask)
        made.return_sequences = False
        return tf.reduce_sum(states if mask is None else tf.where(mask[..., None], states, 0), axis=1)

    def ours() -> tf.Tensor:
        table, steps = variables[0] @ made.cell.kernel + made.cell.bias, given["steps"]
        weights, activation = made.cell.recurrent_kernel, made.activation.__name__
        return RECURRENCES[cell](table, steps, read, weights, activation, summed)

    def results(state_of: Callable[[], tf.Tensor]) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            state = state_of()
            loss = tf.reduce_sum(state * given["weights"])
        return [state, loss, *map(tf.convert_to_tensor, tape.gradient(loss, variables))]

    fused = tf.function(results, jit_compile=compiled, autograph=False)
    return [each.numpy() for each in results(theirs)], [each.numpy() for each in fused(ours)]


def assert_equal(theirs: list[np.ndarray], ours: list[np.ndarray], allowed: float) -> None:
    names = ("state", "loss", "embeddings", "kernel", "recurrent kernel", "bias")
    for name, one, other in zip(names, theirs, ours, strict=True):
        assert one.shape == other.shape and one.dtype == other.dtype, name
        assert abs(one - other).max() <= allowed * max(abs(one).max(), 1), name


@BOTH
@pytest.mark.parametrize("kind", ["all", "pre", "post", "gaps", "nothing"])
@pytest.mark.parametrize(
    ("dtype", "length", "batch"), [("float64", 1, 1), ("float64", 6, 3), ("float32", 20, 32)]
)
def test_outputs_and_gradients_are_keras(cell: str, kind: str, dtype: str, length: int, batch: int) -> None:
    read, given = mask(kind, length, batch), arrays(dtype, length, batch)
    theirs, ours = both(layer(cell, dtype), cell, read, given)
    assert_equal(theirs, ours, tolerance(dtype, length, batch))


@BOTH
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_so_they_are_for_every_activation(cell: str, activation: str) -> None:
    theirs, ours = both(layer(cell, "float64", activation), cell, None, arrays("float64", 9, 4))
    assert_equal(theirs, ours, tolerance("float64", 9, 4))


@BOTH
@pytest.mark.parametrize("kind", ["all", "gaps"])
@pytest.mark.parametrize("summed", [False, True])
def test_the_gradient_of_an_occurrence_is_that_of_an_embedding_of_its_own(
    cell: str, kind: str, summed: bool
) -> None:
    """And a row's gradient is the sum over its occurrences."""
    given, read, weights = arrays("float64", 9, 4), mask(kind, 9, 4), layer(cell, "float64").cell
    rows = given["embeddings"] @ weights.kernel.numpy() + weights.bias.numpy()
    recurrent, kernel = (tf.constant(each.numpy()) for each in (weights.recurrent_kernel, weights.kernel))

    def gradients(table: tf.Tensor, steps: tf.Tensor) -> list[tf.Tensor]:
        watched = [table, tf.zeros((9, 4, kernel.shape[0]), tf.float64)]
        with tf.GradientTape() as tape:
            tape.watch(watched)
            each = (watched[1], kernel)
            state = RECURRENCES[cell](watched[0], steps, read, recurrent, "tanh", summed, each)
            loss = tf.reduce_sum(state * given["weights"])
        return list(tape.gradient(loss, watched))

    steps = given["steps"].numpy()
    compiled = tf.function(gradients, jit_compile=True, autograph=False)
    of_rows, of_occurrences = (each.numpy() for each in compiled(rows, steps))
    alone = compiled(rows[steps.ravel()], np.arange(36).reshape(9, 4))[0].numpy()
    assert of_occurrences.reshape(36, -1) == pytest.approx(alone @ kernel.numpy().T, abs=1e-12)
    total = np.zeros_like(rows)
    np.add.at(total, steps.ravel(), alone)
    assert of_rows == pytest.approx(total, abs=1e-12)
    assert abs(of_occurrences).max() > 0.01


@BOTH
@pytest.mark.parametrize("kind", ["all", "pre", "post", "gaps", "nothing"])
def test_so_they_are_for_the_sum_of_states(cell: str, kind: str) -> None:
    read, given = mask(kind, 9, 4), arrays("float64", 9, 4)
    theirs, ours = both(layer(cell, "float64"), cell, read, given, summed=True)
    assert_equal(theirs, ours, tolerance("float64", 9, 4))


@BOTH
def test_the_published_shape_agrees_at_its_full_size(cell: str) -> None:
    keras.utils.set_random_seed(3)
    made = CELLS[cell](128)
    made.build((None, None, 128))
    random = np.random.default_rng(3)
    given = {
        "embeddings": random.normal(size=(50, 128)).astype(np.float32),
        "steps": tf.constant(random.integers(0, 50, (200, 32)), tf.int32),
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
    for rows in given["steps"].numpy():
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
    ours = RECURRENCES[cell](table, given["steps"], None, tf.constant(w_h), "tanh")
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
