"""Stage `demo`: what rounding costs, which reviews are offered, a page that predicts as `predict` does."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from ruamel.yaml import YAML

from stages.browser.examples import chosen, words_below
from stages.browser.quantised import LAST, quantise, restored
from stages.demo import DEMO, demo
from stages.download import download
from stages.film_groups import film_groups
from stages.networks.models import build_model, save_model
from stages.networks.provenance import FILE
from stages.pad import pad
from stages.params.recipe import CELLS, load_recipe
from stages.runtime.errors import StageError
from stages.runtime.files import RELEASED, REPORTS, json_text, load_padded, run_folder
from stages.tools.predict import Models, model_folders
from tests.browsing import Browser
from tests.conftest import ROOT, SMALL
from tests.networks_page import Page, random_weights

MATRICES = arrays(
    np.float32,
    st.tuples(st.integers(1, 4), st.integers(1, 5)),
    elements=st.integers(-(10**6), 10**6).map(lambda number: np.float32(number / 10**4)),
)


@given(MATRICES)
def test_a_rounded_weight_is_off_by_half_a_level_at_most(matrix: np.ndarray) -> None:
    levels, scale = quantise(matrix)
    assert scale.shape == (len(matrix), 1)
    off = np.abs(levels.astype(float) * scale - matrix)
    assert (off <= 0.501 * scale).all()  # the quotient is rounded to float32
    largest = np.abs(levels.astype(int)).max(axis=1)
    assert largest.tolist() == [LAST * bool(row.any()) for row in matrix]


@pytest.mark.parametrize("cell", CELLS)
def test_what_is_restored_is_near_and_biases_are_exact(cell: str) -> None:
    weights = random_weights(cell, SMALL, 0)
    again = restored(weights, cell)
    assert again.keys() == weights.keys()
    for layer, each in weights.items():
        for place, (before, after) in enumerate(zip(each, again[layer], strict=True)):
            exact = layer in ("positive", "rnn") or place == 2
            assert after.dtype == np.float32 and np.array_equal(before, after) == exact
            assert after == pytest.approx(before, abs=1e-3)


def test_the_rule_that_chooses_reviews() -> None:
    """Both models' answers to eleven reviews: the first seven are right for both, then each other kind."""
    labels = np.array([1, 0, 1, 0, 1, 0, 1, 1, 0, 1, 0])
    rnn = np.where([1] * 8 + [0, 0, 0], labels, 1 - labels) * 0.8 + 0.1
    lstm = np.where([1] * 7 + [0, 1, 1, 0], labels, 1 - labels) * 0.8 + 0.1
    lengths = np.array([50, 20, 30, 20, 60, 10, 40, 5, 9, 8, 7])
    found = chosen(labels, rnn, lstm, lengths, 3)
    assert found == {"both": [5, 2, 4], "rnn": [7], "lstm": [9, 8], "neither": [10]}
    assert chosen(labels, rnn, lstm, lengths, 99)["both"] == [5, 1, 3, 2, 6, 0, 4]
    assert chosen(labels, labels, labels, lengths, 1)["neither"] == []


def test_the_words_that_have_tokens() -> None:
    assert words_below({"c": 3, "a": 1, "b": 2, "d": 4}, 7) == ["a", "b", "c"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, small_params: dict[str, Any], mirror: Path) -> Path:
    """A project folder with the generated reviews, random models, and what the stage makes of them."""
    params = json.loads(json.dumps(small_params))
    params["demo"] = {"recipe": "notebook", "examples": 3}
    folder = tmp_path_factory.mktemp("demo")
    for name in ("notebook", "tuned"):
        params[name]["pad"] |= {"num_words": 25}  # of 29 words
        params[name]["model"] |= {"units": 6, "embedding_dim": 5}
    with (folder / "params.yaml").open("w") as file:
        YAML(typ="safe", pure=True).dump(params, file)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        download()
        film_groups()
        for seed, (name, cell) in enumerate((name, cell) for name in ("notebook", "tuned") for cell in CELLS):
            pad(name)
            recipe = load_recipe(name)
            model = build_model(cell, recipe.pad.num_words, recipe.model)
            random = np.random.default_rng(seed)
            model.set_weights([random.normal(size=w.shape, scale=0.5) for w in model.get_weights()])
            out = run_folder(name, cell, 0) if name == "notebook" else RELEASED / cell
            out.mkdir(parents=True)
            save_model(model, out / "model.keras")
            (out / FILE).write_text(json_text({"settings": recipe.settings(cell)}))
            (out / "run.json").write_text(json_text({"seed": 7}))
            np.save(
                out / "test_probabilities.npy", model.predict(load_padded(name)["test"].tokens, verbose=0)
            )
        demo()
    return folder


def test_the_stage_measures_what_rounding_costs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    report = json.loads((REPORTS / "demo.json").read_text())
    assert report["megabytes"] == pytest.approx(DEMO.stat().st_size / 1e6, abs=0.06)
    models = [(each["models"], each["cell"], each["seed"]) for each in report["models"]]
    assert models == [
        ("tuned, released", "rnn", 7),
        ("tuned, released", "lstm", 7),
        ("notebook, seed 0", "rnn", 0),
        ("notebook, seed 0", "lstm", 0),
    ]
    for each in report["models"]:
        name, cell = each["models"].partition(",")[0], each["cell"]
        out = run_folder(name, cell, 0) if name == "notebook" else RELEASED / cell
        predicted = np.load(out / "test_probabilities.npy")[:, 0]
        correct = ((predicted > 0.5) == load_padded(name)["test"].labels).mean()
        assert each["accuracy"] == pytest.approx(correct, abs=1e-5)
        assert each["largest_change"] < 0.002
        assert abs(each["accuracy_in_page"] - each["accuracy"]) <= each["other_answers"] / 60 + 1e-5
    assert any(each["largest_change"] > 0 for each in report["models"])


def test_the_committed_page_keeps_what_is_promised() -> None:
    """It is small enough to be sent, and within 0.01 of `predict`."""
    report = json.loads((ROOT / "reports/demo.json").read_text())
    assert report["megabytes"] <= 12
    assert all(each["largest_change"] < 0.01 for each in report["models"])


def test_the_page_predicts_as_predict_does(
    folder: Path, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    browser.look(folder / DEMO, 1280, "light")
    page = Page(browser)
    texts = ["Word5, word6!", "don't WORD7<br />word24 \U0001f600", "word8 word9 " * 2500, ""]
    for title, recipe in (("tuned, released", None), ("notebook, seed 0", "notebook")):
        page.select("model", title)
        models = Models(model_folders(recipe, None))
        for text in texts:
            page.write(text)
            if not models.words(text):
                assert [page.answer(cell) for cell in CELLS] == ["", ""]
                continue
            wanted = models.probabilities([models.words(text)])[0]
            assert [float(page.answer(cell)) for cell in CELLS] == pytest.approx(wanted.tolist(), abs=0.01)
            if recipe is None:
                read = [word.strip("<>") for word in models.reading(text)["words"]]
                assert [word.text for word in page.words()] == read
    page.get("example").click()
    assert page.get("which").text.startswith(("1 of ", "There is no such review"))
    assert page.errors() == []


@pytest.mark.fault(
    "a model of the page that is missing",
    "`demo` names the file and the command that makes it",
    "the former page",
)
@pytest.mark.parametrize("name", ["data/released/lstm", "data/models/notebook/rnn-0"])
def test_a_model_that_does_not_exist(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    project = shutil.copytree(folder, tmp_path / "project")
    monkeypatch.chdir(project)
    before = DEMO.read_bytes()
    (project / name / "model.keras").unlink()
    with pytest.raises(StageError) as error:
        demo()
    said = "run the stages before this one, `dvc repro` runs all"
    assert str(error.value) == f"{name}/model.keras does not exist: {said}"
    assert DEMO.read_bytes() == before
