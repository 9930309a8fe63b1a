"""The two recurrences over whole sequences: the equations forward, their derivatives backward.

Both give what Keras' SimpleRNN and LSTM give (tests compare outputs and gradients) from the same
weights, with the arithmetic arranged for speed:

- W·x + b is computed once per distinct input, as a table; a step looks its rows up;
- the gradient of the recurrent weights is one matrix product after the loop, not one per step;
- what the way back needs is stored, not computed again;
- matrix products are added up in pieces, the same on every processor (`product`).

Compiled by XLA (`tf.function(jit_compile=True)`), a step is one matrix product and a few fused
elementwise loops.

T is the number of steps, B of reviews, U of units, N of distinct inputs.
"""

import functools
import operator
from collections.abc import Callable

import tensorflow as tf

PIECE = 256  # terms of a matrix product that are added up without a break: below 288 none breaks them

ACTIVATIONS: dict[str, Callable] = {"tanh": tf.tanh, "sigmoid": tf.sigmoid, "relu": tf.nn.relu}
# The derivative of an activation, from its value y.
SLOPES: dict[str, Callable] = {
    "tanh": lambda y: 1 - y * y,
    "sigmoid": lambda y: y * (1 - y),
    "relu": lambda y: tf.cast(y > 0, y.dtype),
}


def product(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Return the matrix product (M, N) of `a` (M, K) and `b` (K, N), added up in pieces of PIECE terms.

    Libraries break long sums to fit the processor's caches: in other places on other processors, with other
    last digits. Differentiable.
    """

    def run(a: tf.Tensor, b: tf.Tensor) -> tuple[tf.Tensor, Callable]:
        def gradient(dresult: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return _in_pieces(dresult, tf.transpose(b)), _transposed_in_pieces(a, dresult)

        return _in_pieces(a, b), gradient

    return tf.custom_gradient(run)(tf.convert_to_tensor(a), tf.convert_to_tensor(b))


def _in_pieces(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Return a · b; K is some hundreds at most."""
    pieces = [a[:, k : k + PIECE] @ b[k : k + PIECE] for k in range(0, b.shape[0], PIECE)]
    return functools.reduce(operator.add, pieces)


def _transposed_in_pieces(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Return aᵀ · b, for `a` (K, M) with a K of thousands."""
    number, rest = divmod(a.shape[0], PIECE)
    whole = number * PIECE
    # Transposed piece by piece before the loop: XLA has a faster product for that than for a transposed `a`.
    left = tf.transpose(tf.reshape(a[:whole], (number, PIECE, a.shape[1])), (0, 2, 1))
    right = tf.reshape(b[:whole], (number, PIECE, b.shape[1]))
    _, total = tf.while_loop(
        lambda i, _: i < number,
        lambda i, total: (i + 1, total + left[i] @ right[i]),
        (0, tf.zeros((a.shape[1], b.shape[1]), a.dtype)),
    )
    return total + tf.transpose(a[whole:]) @ b[whole:] if rest else total


def rnn(
    table: tf.Tensor,
    steps: tf.Tensor,
    read: tf.Tensor | None,
    recurrent: tf.Tensor,
    activation: str,
    summed: bool = False,
    occurrences: tf.Tensor | None = None,
) -> tf.Tensor:
    """Return the last hidden state (B, U) of h = tanh(W·[h,x] + b), or the sum of those that were read.

    table: (N, U), W_x·x + b of each distinct input. steps: int32 (T, B), which row of it each review
    reads at each step. read: bool (T, B), false where a step is skipped and the state stays; None: all
    are read. recurrent: (U, U), W_h, as Keras lays it out. occurrences: zeros (T, B, U), as if added to
    the rows as they are read: their gradient has that of a row's occurrences one by one, where that of
    table has the sum. Differentiable in table, recurrent and occurrences.
    """
    act, slope = ACTIVATIONS[activation], SLOPES[activation]
    length, batch = steps.shape
    start = tf.zeros((batch, recurrent.shape[0]), table.dtype)
    begin, end = _bounds(read, length)

    def run(table: tf.Tensor, recurrent: tf.Tensor, *_: tf.Tensor) -> tuple[tf.Tensor, Callable]:
        def forward(t: tf.Tensor, h: tf.Tensor, total: tf.Tensor, hs: tf.TensorArray) -> tuple:
            hs = hs.write(t, h)  # before the step: what W_h is multiplied with
            new = act(tf.gather(table, steps[t]) + _in_pieces(h, recurrent))
            total = total + _where_read(read, t, new) if summed else total
            return t + 1, _where_read(read, t, new, h), total, hs

        _, last, total, hs = tf.while_loop(
            lambda t, *_: t < end, forward, (begin, start, start, _stack(length, start))
        )

        def gradient(dresult: tf.Tensor) -> tuple[tf.Tensor, ...]:
            transposed = tf.transpose(recurrent)
            dlast = tf.zeros_like(dresult) if summed else dresult

            def backward(t: tf.Tensor, h: tf.Tensor, dh: tf.Tensor, dzs: tf.TensorArray) -> tuple:
                dz = _where_read(read, t, (dh + dresult if summed else dh) * slope(h))
                return (
                    t - 1,
                    hs.read(t),
                    _where_read(read, t, _in_pieces(dz, transposed), dh),
                    dzs.write(t, dz),
                )

            *_, dzs = tf.while_loop(
                lambda t, *_: t >= begin, backward, (end - 1, last, dlast, _stack(length, start))
            )
            return _gradients(table, steps, hs.stack(), dzs.stack(), occurrences)

        return total if summed else last, gradient

    return tf.custom_gradient(run)(table, recurrent, *([] if occurrences is None else [occurrences]))


def lstm(
    table: tf.Tensor,
    steps: tf.Tensor,
    read: tf.Tensor | None,
    recurrent: tf.Tensor,
    activation: str,
    summed: bool = False,
    occurrences: tf.Tensor | None = None,
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
            z = tf.gather(table, steps[t]) + _in_pieces(h, recurrent)  # W·[h,x] + b, of all four at once
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
            transposed = tf.transpose(recurrent)
            dlast = tf.zeros_like(dresult) if summed else dresult

            def backward(t: tf.Tensor, dh: tf.Tensor, dc: tf.Tensor, dzs: tf.TensorArray) -> tuple:
                c, i, f, candidate, o = (stack.read(t) for stack in stacks)
                squashed = act(f * c + i * candidate)
                dh_new = dh + dresult if summed else dh
                dc_new = dc + dh_new * o * slope(squashed)
                dz_i = dc_new * candidate * i * (1 - i)
                dz_f = dc_new * c * f * (1 - f)
                dz_candidate = dc_new * i * slope(candidate)
                dz_o = dh_new * squashed * o * (1 - o)
                dz = _where_read(read, t, tf.concat([dz_i, dz_f, dz_candidate, dz_o], axis=1))
                dh, dc = (
                    _where_read(read, t, _in_pieces(dz, transposed), dh),
                    _where_read(read, t, dc_new * f, dc),
                )
                return t - 1, dh, dc, dzs.write(t, dz)

            dzs = _stack(length, tf.zeros((batch, table.shape[-1]), table.dtype))
            *_, dzs = tf.while_loop(
                lambda t, *_: t >= begin, backward, (end - 1, dlast, tf.zeros_like(dlast), dzs)
            )
            return _gradients(table, steps, hs.stack(), dzs.stack(), occurrences)

        return total if summed else last, gradient

    return tf.custom_gradient(run)(table, recurrent, *([] if occurrences is None else [occurrences]))


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


def _gradients(
    table: tf.Tensor, steps: tf.Tensor, hs: tf.Tensor, dzs: tf.Tensor, occurrences: tf.Tensor | None
) -> tuple[tf.Tensor, ...]:
    """Return those of table, recurrent and occurrences, from each step's states before and its gradients."""
    flat_hs, flat_dzs = (tf.reshape(each, (-1, each.shape[-1])) for each in (hs, dzs))
    weights = _transposed_in_pieces(flat_hs, flat_dzs)
    rows = tf.math.unsorted_segment_sum(flat_dzs, tf.reshape(steps, [-1]), table.shape[0])
    return (rows, weights) if occurrences is None else (rows, weights, dzs)
