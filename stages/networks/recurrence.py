"""The two recurrences over whole sequences: the equations forward, their derivatives backward.

Both give what Keras' SimpleRNN and LSTM give from the same weights (tests compare outputs and gradients),
with the arithmetic arranged for speed:

- W·x + b is computed once per distinct input, as a table; a step looks its rows up;
- the gradient of the recurrent weights is one matrix product after the loop, not one per step;
- what the backward pass needs is stored, not computed again;
- matrix products have the same bytes on every processor (`product`).

They are for XLA alone (`tf.function(jit_compile=True)`), which makes of a step one matrix product and
a few fused elementwise loops.

T is the number of steps, B of reviews, U of units, N of distinct inputs.
"""

from collections.abc import Callable

import tensorflow as tf
from tensorflow.compiler.tf2xla.python.xla import optimization_barrier

ACTIVATIONS: dict[str, Callable] = {"tanh": tf.tanh, "sigmoid": tf.sigmoid, "relu": tf.nn.relu}
# The derivative of an activation, from its value y.
SLOPES: dict[str, Callable] = {
    "tanh": lambda y: 1 - y * y,
    "sigmoid": lambda y: y * (1 - y),
    "relu": lambda y: tf.cast(y > 0, y.dtype),
}


def product(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Return the matrix product (M, N) of `a` (M, K) and `b` (K, N); differentiable.

    Where `a` is a transposed matrix, XLA leaves the product to a library whose last digits depend on the
    processor's caches; all others it adds up in one order everywhere (`stages.runtime.processor`), and
    faster. So gradients are products with `transposed` matrices here.
    """

    def run(a: tf.Tensor, b: tf.Tensor) -> tuple[tf.Tensor, Callable]:
        return a @ b, lambda dresult: (dresult @ tf.transpose(b), transposed(a) @ dresult)

    return tf.custom_gradient(run)(tf.convert_to_tensor(a), tf.convert_to_tensor(b))


def transposed(a: tf.Tensor) -> tf.Tensor:
    """Return the transposed matrix as an array of its own, which XLA does not draw into a product."""
    return optimization_barrier(tf.transpose(a))[0]


def rnn(
    table: tf.Tensor,
    row_ids: tf.Tensor,
    mask: tf.Tensor | None,
    recurrent: tf.Tensor,
    activation: str,
    pooling: str = "last",
    occurrences: tuple[tf.Tensor, tf.Tensor] | None = None,
) -> tf.Tensor:
    """Return the pooled hidden state (B, U) of the RNN, h = tanh(W·[h,x] + b).

    Args:
        table: (N, U), W_x·x + b of each distinct input.
        row_ids: int32 (T, B), the row of table that each review reads at each step.
        mask: bool (T, B), false where a step is skipped and the state stays; None skips no step.
        recurrent: (U, U), W_h, as Keras lays it out.
        activation: a key of ACTIVATIONS.
        pooling: "last" for the last state, "mean" for the mean over the steps that are not masked (zeros
            where all are), "max" for the maximum, per unit, over these steps and the initial state, zeros.
        occurrences: zeros (T, B, E), as if added to the embeddings as they are read, and W_x (E, U), which
            multiplies these. The gradient of the zeros is that of each embedding as it occurs, where the
            gradient of table has the sum.

    Differentiable in table, recurrent and the zeros.
    """
    act, slope = ACTIVATIONS[activation], SLOPES[activation]

    def step(z: tf.Tensor) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        return [act(z)], []

    def step_back(h: tf.Tensor, values: list[tf.Tensor], dh: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
        return dh * slope(h), []

    return _recurrence(step, step_back, 1, 0, table, row_ids, mask, recurrent, pooling, occurrences)


def lstm(
    table: tf.Tensor,
    row_ids: tf.Tensor,
    mask: tf.Tensor | None,
    recurrent: tf.Tensor,
    activation: str,
    pooling: str = "last",
    occurrences: tuple[tf.Tensor, tf.Tensor] | None = None,
) -> tf.Tensor:
    """Return the pooled hidden state (B, U) of the LSTM.

    f = σ(W_f·[h,x] + b_f), i = σ(W_i·[h,x] + b_i), candidate C̃ = tanh(W_C·[h,x] + b_C),
    C = f·C + i·C̃, o = σ(W_o·[h,x] + b_o), h = o·tanh(C). Arguments as for `rnn`, but the rows of
    table are (4U,) and recurrent is (U, 4U): the columns of i, f, C̃ and o, in Keras' order.
    """
    act, slope, sigmoid = ACTIVATIONS[activation], SLOPES[activation], tf.sigmoid

    def step(z: tf.Tensor, c: tf.Tensor) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        z_i, z_f, z_candidate, z_o = tf.split(z, 4, axis=1)
        i = sigmoid(z_i)
        f = sigmoid(z_f)
        candidate = act(z_candidate)
        o = sigmoid(z_o)
        new_c = f * c + i * candidate
        return [o * act(new_c), new_c], [c, i, f, candidate, o]

    def step_back(
        _: tf.Tensor, values: list[tf.Tensor], dh: tf.Tensor, dc: tf.Tensor
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        c, i, f, candidate, o = values
        squashed = act(f * c + i * candidate)
        dc = dc + dh * o * slope(squashed)
        dz_i = dc * candidate * i * (1 - i)
        dz_f = dc * c * f * (1 - f)
        dz_candidate = dc * i * slope(candidate)
        dz_o = dh * squashed * o * (1 - o)
        return tf.concat([dz_i, dz_f, dz_candidate, dz_o], axis=1), [dc * f]

    return _recurrence(step, step_back, 2, 5, table, row_ids, mask, recurrent, pooling, occurrences)


def _recurrence(
    step: Callable,
    step_back: Callable,
    n_states: int,
    n_values: int,
    table: tf.Tensor,
    row_ids: tf.Tensor,
    mask: tf.Tensor | None,
    recurrent: tf.Tensor,
    pooling: str,
    occurrences: tuple[tf.Tensor, tf.Tensor] | None,
) -> tf.Tensor:
    """Run a cell with `n_states` states, h first, over all steps and return its pooled h (B, U).

    `step` takes z = W·[h,x] + b and the states other than h; it returns all new states and the `n_values`
    values that `step_back` needs. `step_back` takes the new h, these values and the gradients of the new
    states; it returns the gradients of z and of the former states other than h. For the rest see `rnn`.
    """
    length, (batch, units) = row_ids.shape[0], (row_ids.shape[1], recurrent.shape[0])
    begin, end = _bounds(mask, length)
    zeros = tf.zeros((batch, units), table.dtype)
    # Of the steps so far: their sum; their maximum and the first step that reached it.
    pooled = {"last": [], "mean": [zeros], "max": [zeros, tf.fill(zeros.shape, -1)]}[pooling]

    def run(table: tf.Tensor, recurrent: tf.Tensor, *inputs: tf.Tensor) -> tuple[tf.Tensor, Callable]:
        def forward(t: tf.Tensor, states: list, pooled: list, stacks: list) -> tuple:
            z = tf.gather(table, row_ids[t]) + states[0] @ recurrent
            new, values = step(z, *states[1:])
            stacks = _write(stacks, t, [states[0], *values])
            states = [_select(mask, t, *pair) for pair in zip(new, states, strict=True)]
            return t + 1, states, _pool(mask, pooled, t, new[0]), stacks

        stacks = [_stack(length, zeros)] * (1 + n_values)
        _, (last, *_), pooled_h, (hs, *stacks) = tf.while_loop(
            lambda t, *_: t < end, forward, (begin, [zeros] * n_states, pooled, stacks)
        )

        def gradient(dresult: tf.Tensor) -> tuple[tf.Tensor, ...]:
            # What takes dz back to the former h and, for `occurrences`, to the embedding.
            weights = tf.transpose(tf.concat([recurrent, *(occurrences or ())[1:]], axis=0))

            def backward(t: tf.Tensor, h: tf.Tensor, dstates: list, room: list) -> tuple:
                dh = _pool_back(pooled_h, t, dstates[0], dresult)
                dz, dothers = step_back(h, [stack.read(t) for stack in stacks], dh, *dstates[1:])
                dz = _select(mask, t, dz)
                dh_dx = dz @ weights
                room = _write(room, t, [dz, dh_dx[:, units:]] if occurrences else [dz])
                new = [dh_dx[:, :units], *dothers]
                dstates = [_select(mask, t, *pair) for pair in zip(new, dstates, strict=True)]
                return t - 1, hs.read(t), dstates, room

            dlast = tf.zeros_like(dresult) if pooled else dresult
            dstates = [dlast, *[zeros] * (n_states - 1)]
            widths = [table.shape[1], *(each.shape[-1] for each in inputs)]
            room = [_stack(length, tf.zeros((batch, width), table.dtype)) for width in widths]
            *_, (dzs, *dxs) = tf.while_loop(
                lambda t, *_: t >= begin, backward, (end - 1, last, dstates, room)
            )
            flat_hs, flat_dzs = (tf.reshape(each.stack(), (-1, each.element_shape[-1])) for each in (hs, dzs))
            drecurrent = transposed(flat_hs) @ flat_dzs
            dtable = tf.math.unsorted_segment_sum(flat_dzs, tf.reshape(row_ids, [-1]), table.shape[0])
            return dtable, drecurrent, *(each.stack() for each in dxs)

        return pooled_h[0] if pooled else last, gradient

    result = tf.custom_gradient(run)(table, recurrent, *(occurrences or ())[:1])
    if pooling != "mean":
        return result
    steps = length if mask is None else tf.maximum(tf.reduce_sum(tf.cast(mask, result.dtype), axis=0), 1)
    return result / tf.reshape(tf.cast(steps, result.dtype), (-1, 1))


def _bounds(mask: tf.Tensor | None, length: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the first step that is not masked in every review, and the one after the last."""
    if mask is None:
        return tf.constant(0), tf.constant(length)
    some = tf.cast(tf.reduce_any(mask, axis=1), tf.int32)
    end = length - tf.argmax(some[::-1], output_type=tf.int32)
    return tf.argmax(some, output_type=tf.int32), end


def _select(mask: tf.Tensor | None, t: tf.Tensor, new: tf.Tensor, old: tf.Tensor | None = None) -> tf.Tensor:
    """Return `new` for the reviews in which step t is not masked and `old` (None: zeros) for the others."""
    if mask is None:
        return new
    return tf.where(mask[t][:, tf.newaxis], new, tf.zeros_like(new) if old is None else old)


def _pool(mask: tf.Tensor | None, pooled: list[tf.Tensor], t: tf.Tensor, h: tf.Tensor) -> list[tf.Tensor]:
    """Return the sum, or the maximum and its step, with the state h of step t."""
    match pooled:
        case [total]:
            return [total + _select(mask, t, h)]
        case [maximum, first]:
            h = _select(mask, t, h, maximum)
            below = h <= maximum  # not so where h is not a number: `tf.maximum` would drop it
            return [tf.where(below, maximum, h), tf.where(below, first, t)]
    return []


def _pool_back(pooled: list[tf.Tensor], t: tf.Tensor, dh: tf.Tensor, dresult: tf.Tensor) -> tf.Tensor:
    """Return dh with what step t's state has of the result's gradient."""
    match pooled:
        case [_]:
            return dh + dresult
        case [_, first]:
            return dh + tf.where(first == t, dresult, 0)
    return dh


def _stack(length: int, like: tf.Tensor) -> tf.TensorArray:
    """Return room for `length` tensors."""
    return tf.TensorArray(like.dtype, size=length, element_shape=like.shape)


def _write(stacks: list, t: tf.Tensor, values: list[tf.Tensor]) -> list:
    """Return the stacks with the values of step t."""
    return [stack.write(t, value) for stack, value in zip(stacks, values, strict=True)]
