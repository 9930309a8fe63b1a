"""What is seen inside the nets: against differences of answers, by hand, and whole, on generated reviews."""

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from ruamel.yaml import YAML

from stages import StageError
from stages.networks import training
from stages.download import download
from stages.inspection.equations import run
from stages.runtime.files import load_padded, run_folder
from stages.inspect_models import (
    answers,
    choose,
    from_end,
    gates,
    gradient_norms,
    inside,
    quartiles,
    reading,
    spread,
    token_words,
    whole,
)
from stages.networks.models import Net, build_model
from stages.pad import pad
from stages.params.study import Model, Params, load_params
from stages.networks.training import Fitted, train_run
from tests.conftest import SMALL

CELLS = pytest.mark.parametrize("cell", ["rnn", "lstm"])
MASKING = pytest.mark.parametrize("masking", [False, True])
QUARTILES = ("lower_quartile", "median", "upper_quartile")
# Padded before and after the text, and not at all.
TOKENS = np.array([[0, 0, 1, 5, 6, 7], [1, 8, 9, 4, 0, 0], [1, 5, 9, 2, 7, 3], [0, 0, 0, 0, 0, 1]], np.int32)


def random_net(cell: str, settings: Model, seed: int = 0) -> keras.Model:
    """Return a net with weights large enough to matter, and biases other than zero."""
    model, random = build_model(cell, 10, settings), np.random.default_rng(seed)
    model.set_weights([random.normal(size=each.shape, scale=0.7) for each in model.get_weights()])
    return model


def weights_of(model: keras.Model) -> dict[str, list[np.ndarray]]:
    return {layer.name: layer.get_weights() for layer in model.layers}


@CELLS
@MASKING
def test_gradients_are_differences_of_logits(cell: str, masking: bool) -> None:
    """Central differences in float64, through the formulas."""
    settings = SMALL.model_copy(update={"masking": masking, "output_dropout": 0.5})
    model = random_net(cell, settings)
    weights = weights_of(model)
    cell_weights, (kernel, bias) = (
        [each.astype(float) for each in weights[name]] for name in (cell, "positive")
    )
    read = (TOKENS.T != 0) | (not masking)

    def logits(embedded: np.ndarray) -> np.ndarray:
        *_, (h, _) = run(cell, cell_weights, "tanh", embedded, read)
        return (h.T @ kernel + bias)[:, 0]

    embedded, step = weights["embedding"][0][TOKENS.T].astype(float), 1e-5
    squares = np.zeros(TOKENS.shape)
    for place in range(TOKENS.shape[1]):
        for number in range(settings.embedding_width):
            up, down = embedded.copy(), embedded.copy()
            up[place, :, number] += step
            down[place, :, number] -= step
            squares[:, place] += ((logits(up) - logits(down)) / (2 * step)) ** 2
    norms = gradient_norms(Net(model, "fused"), TOKENS)
    assert norms == pytest.approx(np.sqrt(squares), rel=1e-4, abs=1e-6)
    assert (norms[TOKENS == 0] == 0).all() == masking and (norms[TOKENS != 0] > 0).all()


def test_gradients_that_have_all_but_vanished_are_not_zero() -> None:
    model = build_model("rnn", 10, SMALL)
    kernel, recurrent, bias = model.get_layer("rnn").get_weights()
    model.get_layer("rnn").set_weights([kernel, recurrent * 1e-6, bias])
    assert 0 < gradient_norms(Net(model, "fused"), TOKENS[2:3])[0, 0] < 1e-25


def test_many_rows_have_the_gradients_of_each_alone() -> None:
    model = random_net("lstm", SMALL)
    norms = gradient_norms(Net(model, "fused"), np.tile(TOKENS, (26, 1)))  # more than are taken together
    assert norms == pytest.approx(np.tile(gradient_norms(Net(model, "fused"), TOKENS), (26, 1)), rel=1e-5)


def test_from_end() -> None:
    values = np.arange(24).reshape(4, 6)
    assert from_end(values[:3], TOKENS[:3], 3).tolist() == [[5, 4, 3], [9, 8, 7], [17, 16, 15]]
    assert from_end(values, TOKENS, 1).tolist() == [[5], [9], [17], [23]]


def test_quartiles_keep_four_digits_of_any_size() -> None:
    values = np.array([[1.0, 1e-30], [2.0, 2e-30], [3.0, 3.14159e-30], [4.0, 4e-30], [12345.0, 5e-30]])
    assert quartiles(values) == {
        "lower_quartile": [2.0, 2e-30],
        "median": [3.0, 3.142e-30],
        "upper_quartile": [4.0, 4e-30],
    }
    assert quartiles(np.array([[12345.6]]))["median"] == [12350.0]


def test_spread() -> None:
    rows = np.arange(10, 21)
    assert spread(rows, 3).tolist() == [10, 15, 20]
    assert spread(rows, 11).tolist() == spread(rows, 50).tolist() == rows.tolist()
    assert spread(rows[:0], 3).tolist() == []


def test_gates_by_hand() -> None:
    """Two units whose gates are moved by one input, which is the token's number."""
    kernel = np.array([[1.0, 1.0, -1.0, 0.0, 0.0, 0.0, 0.0, 2.0]])  # i, f, C̃, o
    bias = np.array([0.0, -1.0, 0.0, 2.0, 0.0, 0.0, -30.0, 0.0])
    weights = {"embedding": [np.arange(10.0)[:, np.newaxis]], "lstm": [kernel, np.zeros((2, 8)), bias]}
    tokens = np.array([[0, 0, 1, 3], [2, 1, 0, 0]], np.int32)

    def gate(*z: float) -> float:
        return float(np.mean(1 / (1 + np.exp(-np.array(z)))))

    for masking in (False, True):
        settings = SMALL.model_copy(update={"masking": masking})
        found = gates(weights, settings, tokens, 2)
        assert {name: each["by_distance"] for name, each in found.items()} == {
            "input": pytest.approx([gate(3, 2, 1, 0), gate(1, 0, 2, 1)], abs=1e-4),
            "forget": pytest.approx([gate(-3, 2, -1, 2), gate(-1, 2, -2, 2)], abs=1e-4),
            "output": pytest.approx([gate(-30, 6, -30, 2), gate(-30, 2, -30, 4)], abs=1e-4),
        }
        # One unit's output gate is always shut; the other reads 2x, of all eight tokens.
        opened = np.mean([gate(2 * x) for x in tokens.ravel().tolist()])
        assert found["output"]["units"] == pytest.approx([0, opened], abs=1e-4)


@CELLS
@MASKING
def test_the_last_answer_is_the_nets_and_each_is_that_to_a_shorter_row(cell: str, masking: bool) -> None:
    settings = SMALL.model_copy(update={"masking": masking, "embedding_dropout": 0.5})
    model = random_net(cell, settings)
    net = Net(model, "keras")
    found = answers(cell, weights_of(model), settings, TOKENS)
    assert found.shape == TOKENS.shape and np.ptp(found) > 0.02
    assert found[:, -1] == pytest.approx(net.probabilities(TOKENS), abs=1e-6)
    for length in (3, 4, 5):  # rows 0 to 2 have text by then
        assert found[:3, length - 1] == pytest.approx(net.probabilities(TOKENS[:3, :length]), abs=1e-6)


def test_whole() -> None:
    assert whole(np.array([3, 4, 4]), np.array([0, 2, 5, 9])).tolist() == [True, True, False]


def test_choose() -> None:
    labels = np.array([1, 0, 1, 0, 1, 0, 1, 1], np.uint8)
    rnn = np.array([0.4, 0.9, 0.3, 0.2, 0.4, 0.8, 0.1, 0.0], np.float32)
    lstm = np.array([0.6, 0.1, 0.9, 0.1, 0.0, 0.7, 0.5, 0.9], np.float32)
    everything = np.ones(8, bool)
    # The LSTM leads by 0.2, 0.8, 0.6 (0, 1, 2) and 0.9 (7); both are wrong with 0.4, 0.5 and 0.6 (4, 5, 6).
    # One half counts as negative.
    assert choose(labels, rnn, lstm, everything) == {"lstm_only": 7, "both_wrong": 4}
    allowed = everything.copy()
    allowed[[7, 4]] = False
    assert choose(labels, rnn, lstm, allowed) == {"lstm_only": 1, "both_wrong": 5}
    assert choose(labels, rnn, lstm, labels < 0) == {"lstm_only": None, "both_wrong": None}
    assert choose(labels, rnn, labels.astype(np.float32), everything)["both_wrong"] is None
    assert choose(labels, lstm, rnn, np.arange(8) < 4)["lstm_only"] is None  # the better one is the RNN


def test_reading() -> None:
    ranks = {"the": 1, "film": 2, "good": 3, "rare": 4}
    words = token_words(ranks, np.array([4 * 7 + 5, 6 * 7 + 5]), 7)
    single = {1: "<start>", 2: "<unknown>", 4: "the", 5: "film", 6: "good"}
    assert words == single | {7: "the film", 8: "good film"}
    settings = SMALL.model_copy(update={"masking": False})
    weights = {cell: weights_of(random_net(cell, settings)) for cell in ("rnn", "lstm")}
    for row in ([0, 0, 1, 2, 6], [1, 2, 6, 0, 0]):
        tokens = np.array(row, np.int32)
        result = reading(weights, settings, tokens, words)
        assert result["words"] == ["<start>", "<unknown>", "good"]
        for cell in ("rnn", "lstm"):
            each = answers(cell, weights[cell], settings, tokens[np.newaxis])[0]
            assert result[cell]["after_word"] == pytest.approx(each[tokens != 0], abs=5.1e-5)
            assert result[cell]["final"] == pytest.approx(each[-1], abs=5.1e-5)
            assert (result[cell]["final"] == result[cell]["after_word"][-1]) == (row[-1] != 0)


@pytest.fixture
def params(tmp_path: Path, small_params: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Params:
    """Small parameters, and generated reviews downloaded and padded, in a folder of their own."""
    monkeypatch.chdir(tmp_path)
    small: dict[str, Any] = {"inside": {"reviews": 7, "positions": 12, "shown_tokens": [5, 20]}}
    for recipe in small_params["recipes"]:
        block = small_params[recipe]
        few = {"embedding_width": 3, "units": 4}
        small[recipe] = block | {"model": block["model"] | few, "train": block["train"] | {"kernel": "keras"}}
    with Path("params.yaml").open("w") as file:
        YAML(typ="safe", pure=True).dump(small_params | small, file)
    loaded = load_params()
    download(loaded)
    for recipe in loaded.recipes:
        pad(loaded, recipe)
    return loaded


def train(params: Params, recipe: str, change: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `train_run` save nets whose training is to have their weights changed at random."""

    def fit(net: Net, *_: Any) -> Fitted:
        random = np.random.default_rng(7)
        weights = [each + change * random.normal(size=each.shape) for each in net.model.get_weights()]
        net.model.set_weights(weights)
        return Fitted([{"epoch": 1}], 1, np.zeros(1, np.float32))

    monkeypatch.setattr(training, "fit", fit)
    # For the whole process, and it cannot be undone.
    monkeypatch.setattr(tf.config.experimental, "enable_op_determinism", lambda: None)
    for cell in ("rnn", "lstm"):
        train_run(cell, recipe, params.blocks[recipe], params.seeds[0], load_padded(recipe))


@pytest.mark.parametrize("recipe", ["notebook", "tuned"])
def test_the_stage(params: Params, recipe: str, monkeypatch: pytest.MonkeyPatch) -> None:
    train(params, recipe, 0.5, monkeypatch)
    inside(params, recipe)
    file = Path(f"reports/inside/{recipe}.json")
    first = file.read_bytes()
    inside(params, recipe)
    assert file.read_bytes() == first

    result = json.loads(first)
    assert result["seed"] == 0 and result["reviews"] == 7
    for of_cell in (result["gradients"][cell] for cell in ("rnn", "lstm")):
        assert of_cell["initial"] != of_cell["trained"]
        for each in of_cell.values():
            assert {name: len(values) for name, values in each.items()} == dict.fromkeys(QUARTILES, 12)
            assert (np.diff([[0.0] * 12, *(each[name] for name in QUARTILES)], axis=0) >= 0).all()
    assert list(result["gates"]) == ["forget", "input", "output"]
    for each in result["gates"].values():
        assert len(each["by_distance"]) == 12
        assert (
            0 < each["units"][0] < min(each["by_distance"]) < max(each["by_distance"]) < each["units"][1] < 1
        )

    tokens, labels = load_padded(recipe)["test"]
    for name, lstm_right in (("lstm_only", True), ("both_wrong", False)):
        shown = result["readings"][name]
        row, label = shown["row"], shown["label"]
        text = tokens[row][tokens[row] != 0]
        assert label == labels[row]
        assert shown["words"] == ["<start>", *(f"word{token - 3}" for token in text[1:])]
        for cell, right in (("rnn", False), ("lstm", lstm_right)):
            saved = np.load(run_folder(recipe, cell, 0) / "test_probabilities.npy")[row]
            assert shown[cell]["final"] == pytest.approx(saved, abs=1e-4)
            assert ((saved > 0.5) == label) == right
            assert len(shown[cell]["after_word"]) == len(text)


def test_untrained_nets_that_err_where_reviews_are_cut(
    params: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The initial weights are training's, no review that is cut is shown, and what there is not is null."""
    train(params, "tuned", 0.0, monkeypatch)
    cut = np.diff(np.load("data/raw/test_offsets.npy")) + 1 > 20
    wrong_where_cut = (load_padded("tuned")["test"].labels ^ cut).astype(np.float32)
    for cell in ("rnn", "lstm"):
        np.save(run_folder("tuned", cell, 0) / "test_probabilities.npy", wrong_where_cut)
    inside(params, "tuned")
    result = json.loads(Path("reports/inside/tuned.json").read_text())
    for cell in ("rnn", "lstm"):
        assert result["gradients"][cell]["initial"] == result["gradients"][cell]["trained"]
    assert result["readings"] == {"lstm_only": None, "both_wrong": None}


def test_more_positions_than_any_review_has_are_refused(params: Params) -> None:
    recipe = params.blocks["tuned"]
    longer = recipe.model_copy(update={"pad": recipe.pad.model_copy(update={"length": 40})})
    changed = params.model_copy(
        update={
            "inside": params.inside.model_copy(update={"positions": 35}),
            "blocks": params.blocks | {"tuned": longer},
        }
    )
    pad(changed, "tuned")
    with pytest.raises(StageError) as error:
        inside(changed, "tuned")
    most = np.diff(np.load("data/raw/test_offsets.npy")).max() + 1
    assert str(error.value) == (
        f"inside.positions = 35: allowed is up to {most}, the most tokens that a test review of tuned has"
    )


def test_nets_that_are_not_there_are_named(params: Params) -> None:
    with pytest.raises(StageError, match=r"rnn-0/test_probabilities.npy is not there"):
        inside(params, "tuned")
