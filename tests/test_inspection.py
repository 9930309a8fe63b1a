"""Gradients, gates and readings: against differences of logits, by hand, and whole, on generated reviews."""

import json
from pathlib import Path
from typing import Any, get_args

import keras
import numpy as np
import pytest
import tensorflow as tf
from ruamel.yaml import YAML

from stages.download import download
from stages.film_groups import film_groups
from stages.inspect_models import evenly_spaced, inspect_models
from stages.inspection.equations import run
from stages.inspection.gates import gates
from stages.inspection.gradients import gradient_norms, quartiles
from stages.inspection.readings import contrasting_reviews, reading, running_probabilities, token_words
from stages.inspection.states import from_end
from stages.networks import training
from stages.networks.models import Network, build_model
from stages.networks.training import Fitted, train_run
from stages.pad import pad
from stages.params.recipe import CELLS, Model, Pooling
from stages.runtime.errors import StageError
from stages.runtime.files import load_padded, run_folder
from stages.word_vectors import word_vectors
from tests.conftest import SMALL

EACH_CELL = pytest.mark.parametrize("cell", CELLS)
MASKED_OR_NOT = pytest.mark.parametrize("mask_zero", [False, True])
QUARTILES = ("lower_quartile", "median", "upper_quartile")
# Padded before and after the text, and not at all.
TOKENS = np.array([[0, 0, 1, 5, 6, 7], [1, 8, 9, 4, 0, 0], [1, 5, 9, 2, 7, 3], [0, 0, 0, 0, 0, 1]], np.int32)


def random_model(cell: str, settings: Model, seed: int = 0) -> keras.Model:
    """Return a model with weights large enough to matter, and biases other than zero."""
    model, random = build_model(cell, 10, settings), np.random.default_rng(seed)
    model.set_weights([random.normal(size=each.shape, scale=0.7) for each in model.get_weights()])
    return model


def weights_of(model: keras.Model) -> dict[str, list[np.ndarray]]:
    return {layer.name: layer.get_weights() for layer in model.layers}


@EACH_CELL
@MASKED_OR_NOT
def test_gradients_are_differences_of_logits(cell: str, mask_zero: bool) -> None:
    """Central differences in float64, through the formulas."""
    settings = SMALL.model_copy(update={"mask_zero": mask_zero, "output_dropout": 0.5})
    model = random_model(cell, settings)
    weights = weights_of(model)
    cell_weights, (kernel, bias) = (
        [each.astype(float) for each in weights[name]] for name in (cell, "positive")
    )
    mask = (TOKENS.T != 0) | (not mask_zero)

    def logits(embedded: np.ndarray) -> np.ndarray:
        *_, (h, _) = run(cell, cell_weights, "tanh", embedded, mask)
        return (h.T @ kernel + bias)[:, 0]

    embedded, step = weights["embedding"][0][TOKENS.T].astype(float), 1e-5
    squares = np.zeros(TOKENS.shape)
    for place in range(TOKENS.shape[1]):
        for number in range(settings.embedding_dim):
            up, down = embedded.copy(), embedded.copy()
            up[place, :, number] += step
            down[place, :, number] -= step
            squares[:, place] += ((logits(up) - logits(down)) / (2 * step)) ** 2
    norms = gradient_norms(Network(model, "fused"), TOKENS)
    assert norms == pytest.approx(np.sqrt(squares), rel=1e-4, abs=1e-6)
    assert (norms[TOKENS == 0] == 0).all() == mask_zero and (norms[TOKENS != 0] > 0).all()


def test_gradients_that_have_all_but_vanished_are_not_zero() -> None:
    model = build_model("rnn", 10, SMALL)
    kernel, recurrent, bias = model.get_layer("rnn").get_weights()
    model.get_layer("rnn").set_weights([kernel, recurrent * 1e-6, bias])
    assert 0 < gradient_norms(Network(model, "fused"), TOKENS[2:3])[0, 0] < 1e-25


def test_many_rows_have_the_gradients_of_each_alone() -> None:
    model = random_model("lstm", SMALL)
    norms = gradient_norms(Network(model, "fused"), np.tile(TOKENS, (26, 1)))  # more than are taken together
    assert norms == pytest.approx(np.tile(gradient_norms(Network(model, "fused"), TOKENS), (26, 1)), rel=1e-5)


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


def test_evenly_spaced() -> None:
    rows = np.arange(10, 21)
    assert evenly_spaced(rows, 3).tolist() == [10, 15, 20]
    assert evenly_spaced(rows, 11).tolist() == evenly_spaced(rows, 50).tolist() == rows.tolist()
    assert evenly_spaced(rows[:0], 3).tolist() == []


def test_gates_by_hand() -> None:
    """Two units whose gates are moved by one input, which is the token's number."""
    kernel = np.array([[1.0, 1.0, -1.0, 0.0, 0.0, 0.0, 0.0, 2.0]])  # i, f, C̃, o
    bias = np.array([0.0, -1.0, 0.0, 2.0, 0.0, 0.0, -30.0, 0.0])
    weights = {"embedding": [np.arange(10.0)[:, np.newaxis]], "lstm": [kernel, np.zeros((2, 8)), bias]}
    tokens = np.array([[0, 0, 1, 3], [2, 1, 0, 0]], np.int32)

    def gate(*z: float) -> float:
        return float(np.mean(1 / (1 + np.exp(-np.array(z)))))

    for mask_zero in (False, True):
        settings = SMALL.model_copy(update={"mask_zero": mask_zero})
        found = gates(weights, settings, tokens, 2)
        assert {name: each["by_distance"] for name, each in found.items()} == {
            "input": pytest.approx([gate(3, 2, 1, 0), gate(1, 0, 2, 1)], abs=1e-4),
            "forget": pytest.approx([gate(-3, 2, -1, 2), gate(-1, 2, -2, 2)], abs=1e-4),
            "output": pytest.approx([gate(-30, 6, -30, 2), gate(-30, 2, -30, 4)], abs=1e-4),
        }
        # One unit's output gate is always shut; the other reads 2x, of all eight tokens.
        opened = np.mean([gate(2 * x) for x in tokens.ravel().tolist()])
        assert found["output"]["units"] == pytest.approx([0, opened], abs=1e-4)


@EACH_CELL
@MASKED_OR_NOT
@pytest.mark.parametrize("pooling", get_args(Pooling))
def test_each_probability_is_the_models_for_the_row_cut_there(
    cell: str, mask_zero: bool, pooling: str
) -> None:
    changes = {"mask_zero": mask_zero, "pooling": pooling, "embedding_dropout": 0.5}
    settings = SMALL.model_copy(update=changes)
    model = random_model(cell, settings, seed=1)
    network = Network(model, "keras")
    found = running_probabilities(cell, weights_of(model), settings, TOKENS)
    assert found.shape == TOKENS.shape and np.ptp(found) > 0.02
    for length in (3, 4, 5, 6):  # rows 0 to 2 have text by then
        expected = network.probabilities(TOKENS[:3, :length])
        assert found[:3, length - 1] == pytest.approx(expected, abs=1e-6)
    assert found[3, -1] == pytest.approx(network.probabilities(TOKENS)[3], abs=1e-6)


def test_contrasting_reviews() -> None:
    labels = np.array([1, 0, 1, 0, 1, 0, 1, 1], np.uint8)
    rnn = np.array([0.4, 0.9, 0.3, 0.2, 0.4, 0.8, 0.1, 0.0], np.float32)
    lstm = np.array([0.6, 0.1, 0.9, 0.1, 0.0, 0.7, 0.5, 0.9], np.float32)
    everything = np.ones(8, bool)
    # The LSTM leads by 0.2, 0.8, 0.6 (0, 1, 2) and 0.9 (7); both are wrong with 0.4, 0.5 and 0.6 (4, 5, 6).
    # One half counts as negative.
    assert contrasting_reviews(labels, rnn, lstm, everything) == {"lstm_only": 7, "both_wrong": 4}
    allowed = everything.copy()
    allowed[[7, 4]] = False
    assert contrasting_reviews(labels, rnn, lstm, allowed) == {"lstm_only": 1, "both_wrong": 5}
    assert contrasting_reviews(labels, rnn, lstm, labels < 0) == {"lstm_only": None, "both_wrong": None}
    assert contrasting_reviews(labels, rnn, labels.astype(np.float32), everything)["both_wrong"] is None
    assert (
        contrasting_reviews(labels, lstm, rnn, np.arange(8) < 4)["lstm_only"] is None
    )  # the better one is the RNN


def test_token_words() -> None:
    ranks = {"the": 1, "film": 2, "good": 3, "rare": 4}
    assert token_words(ranks, 7) == {1: "<start>", 2: "<unknown>", 4: "the", 5: "film", 6: "good"}


def test_reading() -> None:
    weights = {cell: weights_of(random_model(cell, SMALL)) for cell in CELLS}
    for row in ([0, 0, 1, 2, 6], [1, 2, 6, 0, 0]):
        tokens = np.array(row, np.int32)
        result = reading(weights, SMALL, tokens)
        for cell in CELLS:
            (each,) = running_probabilities(cell, weights[cell], SMALL, tokens[np.newaxis])
            assert result[cell]["after_word"] == pytest.approx(each[tokens != 0], abs=5.1e-5)
            assert result[cell]["final"] == pytest.approx(each[-1], abs=5.1e-5)
            assert (result[cell]["final"] == result[cell]["after_word"][-1]) == (row[-1] != 0)


RECIPES = ("notebook", "tuned")


@pytest.fixture
def params(tmp_path: Path, small_params: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Small parameters, and generated reviews downloaded and padded, in a folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    params: dict[str, Any] = json.loads(json.dumps(small_params))
    params["inspection"] = {"reviews": 7, "positions": 12, "shown_tokens": [5, 20]}
    for recipe in RECIPES:
        params[recipe]["model"] |= {"embedding_dim": 3, "units": 4}
        params[recipe]["train"] |= {"implementation": "keras"}
    save(params)
    download()
    film_groups()
    for recipe in RECIPES:
        pad(recipe)
        word_vectors(recipe)
    return params


def save(params: dict[str, Any]) -> None:
    with Path("params.yaml").open("w") as file:
        YAML(typ="safe", pure=True).dump(params, file)


def train(recipe: str, change: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `train_run` save models whose training is to have their weights changed at random."""

    def fit(network: Network, *_: Any) -> Fitted:
        random = np.random.default_rng(7)
        weights = [each + change * random.normal(size=each.shape) for each in network.model.get_weights()]
        network.model.set_weights(weights)
        return Fitted([{"epoch": 1}], 1, np.zeros(1, np.float32))

    monkeypatch.setattr(training, "fit", fit)
    # For the whole process, and it cannot be undone.
    monkeypatch.setattr(tf.config.experimental, "enable_op_determinism", lambda: None)
    for cell in CELLS:
        train_run(cell, recipe, 0, run_folder(recipe, cell, 0))


@pytest.mark.parametrize("recipe", RECIPES)
def test_the_stage(params: dict[str, Any], recipe: str, monkeypatch: pytest.MonkeyPatch) -> None:
    train(recipe, 0.5, monkeypatch)
    inspect_models(recipe)
    file = Path(f"reports/inspection/{recipe}.json")
    first = file.read_bytes()
    inspect_models(recipe)
    assert file.read_bytes() == first

    result = json.loads(first)
    assert result["seed"] == 0 and result["reviews"] == 7
    for of_cell in (result["gradients"][cell] for cell in CELLS):
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
    for name, lstm_correct in (("lstm_only", True), ("both_wrong", False)):
        shown = result["readings"][name]
        row, label = shown["row"], shown["label"]
        text = tokens[row][tokens[row] != 0]
        assert label == labels[row]
        assert shown["words"] == ["<start>", *(f"word{token - 3}" for token in text[1:])]
        for cell, correct in (("rnn", False), ("lstm", lstm_correct)):
            saved = np.load(run_folder(recipe, cell, 0) / "test_probabilities.npy")[row]
            assert shown[cell]["final"] == pytest.approx(saved, abs=1e-4)
            assert ((saved > 0.5) == label) == correct
            assert len(shown[cell]["after_word"]) == len(text)


def test_untrained_models_that_err_where_reviews_are_cut(
    params: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The initial weights are training's, no review that is cut is shown, and what there is not is null."""
    train("tuned", 0.0, monkeypatch)
    cut = np.diff(np.load("data/raw/test_offsets.npy")) + 1 > 20
    wrong_where_cut = (load_padded("tuned")["test"].labels ^ cut).astype(np.float32)
    for cell in CELLS:
        np.save(run_folder("tuned", cell, 0) / "test_probabilities.npy", wrong_where_cut)
    params["inspection"]["shown_tokens"] = [5, 99]
    save(params)
    inspect_models("tuned")
    result = json.loads(Path("reports/inspection/tuned.json").read_text())
    for cell in CELLS:
        assert result["gradients"][cell]["initial"] == result["gradients"][cell]["trained"]
    assert result["readings"] == {"lstm_only": None, "both_wrong": None}


def test_more_positions_than_any_review_has_are_refused(
    params: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    params["inspection"]["positions"] = 35
    params["tuned"]["pad"]["maxlen"] = 40
    save(params)
    pad("tuned")
    train("tuned", 0.0, monkeypatch)
    with pytest.raises(StageError) as error:
        inspect_models("tuned")
    most = np.diff(np.load("data/raw/test_offsets.npy")).max() + 1
    assert str(error.value) == (
        f"inspection.positions = 35: allowed is up to {most}, the most tokens that a test review of tuned has"
    )


def test_models_that_do_not_exist_are_named(params: dict[str, Any]) -> None:
    with pytest.raises(StageError, match=r"rnn-0/test_probabilities.npy does not exist"):
        inspect_models("tuned")
