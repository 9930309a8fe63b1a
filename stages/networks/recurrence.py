"""The two recurrences over whole sequences: the equations forward, their derivatives backward.

Both give what Keras' SimpleRNN and LSTM give (tests compare outputs and gradients) from the same
weights, with the arithmetic arranged for speed:

- W·x + b is computed once per distinct input, as a table; a step looks its rows up;
- the gradient of the recurrent weights is one matrix product after the loop, not one per step;
- what the way back needs is stored, not computed again;
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
    processor's caches; all others it adds up in one order everywhere (`stages.runtime.processor`), and faster. So
    gradients are products with `transposed` matrices here.
    """

    def run(a: tf.Tensor, b: tf.Tensor) -> tuple[tf.Tensor, Callable]:
        return a @ b, lambda dresult: (dresult @ tf.transpose(b), transposed(a) @ dresult)

    return tf.custom_gradient(run)(tf.convert_to_tensor(a), tf.convert_to_tensor(b))


def transposed(a: tf.Tensor) -> tf.Tensor:
    """Return the transposed matrix as an array of its own, which XLA does not draw into a product."""
    return optimization_barrier(tf.transpose(a))[0]


def rnn(
    table: tf.Tensor,
    steps: tf.Tensor,
    read: tf.Tensor | None,
    recurrent: tf.Tensor,
    activation: str,
    summed: bool = False,
    occurrences: tuple[tf.Tensor, tf.Tensor] | None = None,
) -> tf.Tensor:
    """Return the last hidden state (B, U) of h = tanh(W·[h,x] + b), or the sum of those that were read.

    table: (N, U), W_x·x + b of each distinct input. steps: int32 (T, B), which row of it each review
    reads at each step. read: bool (T, B), false where a step is skipped and the state stays; None: all
    are read. recurrent: (U, U), W_h, as Keras lays it out. occurrences: zeros (T, B, E), as if added to
    the embeddings as they are read, and W_x (E, U), which multiplies these. The gradient of the zeros
    is that of each embedding as it occurs, where the gradient of table has the sum. Differentiable in
    table, recurrent and the zeros.
    """
    act, slope = ACTIVATIONS[activation], SLOPES[activation]
    length, batch = steps.shape
    start = tf.zeros((batch, recurrent.shape[0]), table.dtype)
    begin, end = _bounds(read, length)

    def run(table: tf.Tensor, recurrent: tf.Tensor, *_: tf.Tensor) -> tuple[tf.Tensor, Callable]:
        def forward(t: tf.Tensor, h: tf.Tensor, total: tf.Tensor, hs: tf.TensorArray) -> tuple:
            hs = hs.write(t, h)  # before the step: what W_h is multiplied with
            new = act(tf.gather(table, steps[t]) + h @ recurrent)
            total = total + _where_read(read, t, new) if summed else total
            return t + 1, _where_read(read, t, new, h), total, hs

        _, last, total, hs = tf.while_loop(
            lambda t, *_: t < end, forward, (begin, start, start, _stack(length, start))
        )

        def gradient(dresult: tf.Tensor) -> tuple[tf.Tensor, ...]:
            dlast = tf.zeros_like(dresult) if summed else dresult
            weights_back, room = _weights_back(recurrent, occurrences), _room_back(table, steps, occurrences)

            def backward(t: tf.Tensor, h: tf.Tensor, dh: tf.Tensor, *stacks: tf.TensorArray) -> tuple:
                dz = _where_read(read, t, (dh + dresult if summed else dh) * slope(h))
                dh_before, *dx = _split(dz @ weights_back, recurrent.shape[0])
                kept = [stack.write(t, value) for stack, value in zip(stacks, (dz, *dx), strict=True)]
                return t - 1, hs.read(t), _where_read(read, t, dh_before, dh), *kept

            _, _, _, *stacks = tf.while_loop(
                lambda t, *_: t >= begin, backward, (end - 1, last, dlast, *room)
            )
            return _gradients(table, steps, hs, *stacks)

        return total if summed else last, gradient

    return tf.custom_gradient(run)(table, recurrent, *([] if occurrences is None else occurrences[:1]))


def lstm(
    table: tf.Tensor,
    steps: tf.Tensor,
    read: tf.Tensor | None,
    recurrent: tf.Tensor,
    activation: str,
    summed: bool = False,
    occurrences: tuple[tf.Tensor, tf.Tensor] | None = None,
) -> tf.Tensor:
    """Return the last hidden state (B, U) of the LSTM, or the sum of those that were read.

    f = σ(W_f·[h,x] + b_f), i = σ(W_i·[h,x] + b_i), candidate C̃ = tanh(W_C·[h,x] + b_C),
    C = f·C + i·C̃, o = σ(W_o·[h,x] + b_o), h = o·tanh(C). Arguments as for `rnn`, but the rows of
    table are (4U,) and recurrent is (U, 4U): the columns of i, f, C̃ and o, in Keras' order.
    """
    act, slope, sigmoid = ACTIVATIONS[activation], SLOPES[activation], tf.sigmoid
    length, batch = steps.shape
    start = tf.zeros((batch, recurrent.shape[0]), table.dtype)
    begin, end = _bounds(read, length)

    def run(table: tf.Tensor, recurrent: tf.Tensor, *_: tf.Tensor) -> tuple[tf.Tensor, Callable]:
        def forward(
            t: tf.Tensor, h: tf.Tensor, c: tf.Tensor, total: tf.Tensor, *stacks: tf.TensorArray
        ) -> tuple:
            z = tf.gather(table, steps[t]) + h @ recurrent  # W·[h,x] + b, of all four at once
            z_i, z_f, z_candidate, z_o = tf.split(z, 4, axis=1)
            i = sigmoid(z_i)
            f = sigmoid(z_f)
            candidate = act(z_candidate)
            o = sigmoid(z_o)
            values = (h, c, i, f, candidate, o)
            kept = [stack.write(t, value) for stack, value in zip(stacks, values, strict=True)]
            new_c = f * c + i * candidate
            new_h = o * act(new_c)
            total = total + _where_read(read, t, new_h) if summed else total
            return t + 1, _where_read(read, t, new_h, h), _where_read(read, t, new_c, c), total, *kept

        _, last, _, total, hs, *stacks = tf.while_loop(
            lambda t, *_: t < end, forward, (begin, start, start, start, *[_stack(length, start)] * 6)
        )

        def gradient(dresult: tf.Tensor) -> tuple[tf.Tensor, ...]:
            dlast = tf.zeros_like(dresult) if summed else dresult
            weights_back, room = _weights_back(recurrent, occurrences), _room_back(table, steps, occurrences)

            def backward(t: tf.Tensor, dh: tf.Tensor, dc: tf.Tensor, *room: tf.TensorArray) -> tuple:
                c, i, f, candidate, o = (stack.read(t) for stack in stacks)
                squashed = act(f * c + i * candidate)
                dh_new = dh + dresult if summed else dh
                dc_new = dc + dh_new * o * slope(squashed)
                dz_i = dc_new * candidate * i * (1 - i)
                dz_f = dc_new * c * f * (1 - f)
                dz_candidate = dc_new * i * slope(candidate)
                dz_o = dh_new * squashed * o * (1 - o)
                dz = _where_read(read, t, tf.concat([dz_i, dz_f, dz_candidate, dz_o], axis=1))
                dh_before, *dx = _split(dz @ weights_back, recurrent.shape[0])
                kept = [stack.write(t, value) for stack, value in zip(room, (dz, *dx), strict=True)]
                dh, dc = _where_read(read, t, dh_before, dh), _where_read(read, t, dc_new * f, dc)
                return t - 1, dh, dc, *kept

            _, _, _, *room = tf.while_loop(
                lambda t, *_: t >= begin, backward, (end - 1, dlast, tf.zeros_like(dlast), *room)
            )
            return _gradients(table, steps, hs, *room)

        return total if summed else last, gradient

    return tf.custom_gradient(run)(table, recurrent, *([] if occurrences is None else occurrences[:1]))


def _bounds(read: tf.Tensor | None, length: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the first step that some review reads, and the one after the last."""
    if read is None:
        return tf.constant(0), tf.constant(length)
    some = tf.cast(tf.reduce_any(read, axis=1), tf.int32)
    end = length - tf.argmax(some[::-1], output_type=tf.int32)
    return tf.argmax(some, output_type=tf.int32), end


def _stack(length: int, like: tf.Tensor) -> tf.TensorArray:
    """Return room for `length` tensors."""
    return tf.TensorArray(like.dtype, size=length, element_shape=like.shape)


def _where_read(
    read: tf.Tensor | None, t: tf.Tensor, new: tf.Tensor, old: tf.Tensor | None = None
) -> tf.Tensor:
    """Return `new` for the reviews that are read at step t and `old` (None: zeros) for the others."""
    if read is None:
        return new
    return tf.where(read[t][:, tf.newaxis], new, tf.zeros_like(new) if old is None else old)


def _weights_back(recurrent: tf.Tensor, occurrences: tuple[tf.Tensor, tf.Tensor] | None) -> tf.Tensor:
    """Return what takes dz back to the state before and, for `occurrences`, to the embedding, transposed."""
    return tf.transpose(tf.concat([recurrent, *([] if occurrences is None else occurrences[1:])], axis=0))


def _room_back(
    table: tf.Tensor, steps: tf.Tensor, occurrences: tuple[tf.Tensor, tf.Tensor] | None
) -> list[tf.TensorArray]:
    """Return room for each step's gradient and, by `occurrences`, for that of the embedding."""
    length, batch = steps.shape
    widths = [table.shape[1], *([] if occurrences is None else occurrences[0].shape[2:])]
    return [_stack(length, tf.zeros((batch, width), table.dtype)) for width in widths]


def _split(values: tf.Tensor, units: int) -> list[tf.Tensor]:
    """Return the first `units` columns, and the others where there are some."""
    return [values[:, :units], *([values[:, units:]] if values.shape[1] > units else [])]


def _gradients(
    table: tf.Tensor, steps: tf.Tensor, hs: tf.TensorArray, dzs: tf.TensorArray, *dxs: tf.TensorArray
) -> tuple[tf.Tensor, ...]:
    """Return those of table, recurrent and occurrences, from each step's state before and its gradients."""
    flat_hs, flat_dzs = (tf.reshape(each.stack(), (-1, each.element_shape[-1])) for each in (hs, dzs))
    weights = transposed(flat_hs) @ flat_dzs
    rows = tf.math.unsorted_segment_sum(flat_dzs, tf.reshape(steps, [-1]), table.shape[0])
    return rows, weights, *(each.stack() for each in dxs)
