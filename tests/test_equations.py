"""The formulas as code: against answers worked out by hand, Keras' layers, and the formulas as written."""

import numpy as np
import pytest

from stages.inspection.equations import ACTIVATIONS, formulas, run
from stages.networks.models import build_model
from stages.params.recipe import CELLS
from tests.conftest import ROOT, SMALL

EACH_CELL = pytest.mark.parametrize("cell", CELLS)
# One unit and one input; each number differs, so that none can stand in for another.
RNN = [np.array([[2.0]]), np.array([[3.0]]), np.array([-1.0])]
LSTM = [np.array([[0.0, 1.0, 2.0, 0.0]]), np.array([[1.0, 0.0, 0.0, 2.0]]), np.array([-1.0, 0.5, -2.0, 1.0])]
INPUTS = np.array([0.5, 1.5]).reshape(2, 1, 1)


def sigmoid(z: float) -> float:
    return float(1 / (1 + np.exp(-z)))


def test_an_rnn_by_hand() -> None:
    states = [h.item() for h, _ in run("rnn", RNN, "tanh", INPUTS)]
    assert states == pytest.approx([0.0, np.tanh(2.0)])  # 2·0.5 + 3·0 − 1 and 2·1.5 + 3·0 − 1
    states = [h.item() for h, _ in run("rnn", RNN, "tanh", INPUTS[::-1])]
    assert states == pytest.approx([np.tanh(2.0), np.tanh(3 * np.tanh(2.0))])


def test_an_lstm_by_hand() -> None:
    """The gates are i = σ(h − 1), f = σ(x + 1/2), C̃ = tanh(2x − 2), o = σ(2h + 1)."""
    (h_1, gates_1), (h_2, gates_2) = run("lstm", LSTM, "tanh", INPUTS)
    c_1 = sigmoid(-1) * np.tanh(-1)
    assert [gate.item() for gate in gates_1] == pytest.approx([sigmoid(1), sigmoid(-1), sigmoid(1)])
    assert h_1.item() == pytest.approx(sigmoid(1) * np.tanh(c_1))
    f, i, o = sigmoid(2), sigmoid(h_1.item() - 1), sigmoid(2 * h_1.item() + 1)
    assert [gate.item() for gate in gates_2] == pytest.approx([f, i, o])
    assert h_2.item() == pytest.approx(o * np.tanh(f * c_1 + i * np.tanh(1)))


@EACH_CELL
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_states_are_those_of_keras_token_by_token(cell: str, activation: str) -> None:
    model = build_model(cell, 10, SMALL.model_copy(update={"activation": activation}))
    layer, random = model.get_layer(cell), np.random.default_rng(0)
    # Biases are zero as they begin, which would hide mistakes.
    layer.set_weights([random.normal(size=each.shape) for each in layer.get_weights()])
    inputs = random.normal(size=(6, 5, SMALL.embedding_dim)).astype(np.float32)
    states = [h for h, _ in run(cell, layer.get_weights(), activation, inputs)]
    assert len(states) == 6
    for step, h in enumerate(states, 1):
        theirs = layer(inputs[:step].transpose(1, 0, 2)).numpy().T
        # float32: sums of 8 products, whose rounding grows from step to step where relu lets states grow.
        assert h == pytest.approx(theirs, rel=1e-4, abs=1e-5)
        assert h.dtype == np.float32


@EACH_CELL
def test_what_is_masked_leaves_the_state_alone(cell: str) -> None:
    weights: list[np.ndarray] = {"rnn": RNN, "lstm": LSTM}[cell]
    inputs = INPUTS[::-1]
    mask = np.array([[True, False], [True, True]])
    first, last = (h[0] for h, _ in run(cell, weights, "tanh", inputs.repeat(2, axis=1), mask))
    (whole_first, whole_last), (alone,) = (
        [h.item() for h, _ in run(cell, weights, "tanh", each)] for each in (inputs, inputs[1:])
    )
    assert first.tolist() == pytest.approx([whole_first, 0])
    assert last.tolist() == pytest.approx([whole_last, alone])
    assert abs(whole_last - alone) > 0.01


def test_each_formula_stands_beside_its_code() -> None:
    assert [formula for formula, _, _ in formulas()] == [
        "h = tanh(W·[h,x] + b)",
        "f = σ(W_f·[h,x] + b_f)",
        "i = σ(W_i·[h,x] + b_i)",
        "C̃ = tanh(W_C·[h,x] + b_C)",
        "C = f·C + i·C̃",
        "o = σ(W_o·[h,x] + b_o)",
        "h = o·tanh(C)",
    ]
    lines = (ROOT / "stages/inspection/equations.py").read_text(encoding="utf-8").splitlines()
    for formula, code, number in formulas():
        assert lines[number - 1] == f"    {code}  # {formula}"
        assert code == formula.replace("·[h,x]", " @ hx").replace("·", " * ")
