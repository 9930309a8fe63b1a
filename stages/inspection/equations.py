"""The two cells as the notebook teaches them: one line of NumPy for each formula, which stands beside it.

Nothing is trained with this: `stages.networks.recurrence` is the same arranged for speed, and Keras' layers
are what both are compared with. This is for reading, and for looking into trained models.

States and inputs are columns here, one per review, as the formulas have them: [h,x] is h above x, and W
has a row per unit. U is the number of units, B of reviews, T of steps.
"""

# ruff: noqa: N803, N806 (the names are the formulas')

from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from pathlib import Path

import numpy as np
from scipy.special import expit as σ

Arrays = tuple[np.ndarray, ...]
Step = tuple[Arrays, Arrays]  # the state after it, the gates in it
Activation = Callable[[np.ndarray], np.ndarray]
ACTIVATIONS: dict[str, Activation] = {"tanh": np.tanh, "relu": lambda z: np.maximum(z, 0), "sigmoid": σ}


def rnn(W: np.ndarray, b: np.ndarray, tanh: Activation, x: np.ndarray, h: np.ndarray) -> Step:
    """Return the plain RNN's next state `(h,)`, and no gates.

    W: (U, U + inputs); b: (U, 1); tanh: that or the activation in its place; x: (inputs, B); h: (U, B).
    """
    hx = np.concatenate([h, x])  # [h,x]
    h = tanh(W @ hx + b)  # h = tanh(W·[h,x] + b)
    return (h,), ()


def lstm(W: np.ndarray, b: np.ndarray, tanh: Activation, x: np.ndarray, h: np.ndarray, C: np.ndarray) -> Step:
    """Return the LSTM's next state `(h, C)` and gates `(f, i, o)`, each (U, B).

    W: (4U, U + inputs) and b: (4U, 1), the rows of i, f, C̃ and o, in Keras' order; the others as for `rnn`.
    """
    W_i, W_f, W_C, W_o = np.split(W, 4)
    b_i, b_f, b_C, b_o = np.split(b, 4)
    hx = np.concatenate([h, x])  # [h,x]
    f = σ(W_f @ hx + b_f)  # f = σ(W_f·[h,x] + b_f)
    i = σ(W_i @ hx + b_i)  # i = σ(W_i·[h,x] + b_i)
    C̃ = tanh(W_C @ hx + b_C)  # C̃ = tanh(W_C·[h,x] + b_C)
    C = f * C + i * C̃  # C = f·C + i·C̃
    o = σ(W_o @ hx + b_o)  # o = σ(W_o·[h,x] + b_o)
    h = o * tanh(C)  # h = o·tanh(C)
    return (h, C), (f, i, o)


STEPS: dict[str, Callable[..., Step]] = {"rnn": rnn, "lstm": lstm}
STATES = {"rnn": 1, "lstm": 2}  # how many arrays a state is


def run(
    cell: str,
    weights: Sequence[np.ndarray],
    activation: str,
    inputs: np.ndarray,
    mask: np.ndarray | None = None,
) -> Iterator[tuple[np.ndarray, Arrays]]:
    """Yield `(h, gates)` after each step, from a state of zeros on: h is (U, B), as is each gate.

    cell: rnn or lstm; weights: its `layer.get_weights()`, that is kernel (inputs, U), recurrent kernel
    (U, U) and bias (U,), for the LSTM with 4U columns: i, f, C̃ and o; activation: tanh, relu or sigmoid;
    inputs: (T, B, inputs). mask: bool (T, B), false where the step is skipped and the state stays (the
    gates are then of no account); None: no step is skipped.
    """
    kernel, recurrent, bias = weights
    W, b = np.concatenate([recurrent, kernel]).T, bias[:, np.newaxis]
    state = (np.zeros((len(recurrent), inputs.shape[1]), W.dtype),) * STATES[cell]
    for x, now in zip(inputs, repeat(True) if mask is None else mask, strict=False):
        new, gates = STEPS[cell](W, b, ACTIVATIONS[activation], x.T, *state)
        state = tuple(np.where(now, *each) for each in zip(new, state, strict=True))
        yield state[0], gates


def formulas() -> list[tuple[str, str, int]]:
    """Return `(formula, code, line number)` of each line above that ends in its formula, the RNN's first."""
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    parts = [(number, *line.strip().partition("  # ")) for number, line in enumerate(lines, 1)]
    return [(formula, code, number) for number, code, _, formula in parts if " = " in formula]
