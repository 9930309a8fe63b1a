"""The page that runs both networks, with random models: how tests use it, and what it should show."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select
from selenium.webdriver.support.wait import WebDriverWait

from stages.browser.assembly import assembled
from stages.browser.quantised import packed, restored
from stages.inspection.readings import running_probabilities
from stages.params.recipe import CELLS, Model
from stages.reviews.text import split_words, token_rows
from tests.browsing import Browser
from tests.conftest import PAD, SMALL

Weights = dict[str, list[np.ndarray]]

WORDS = ["the", "film", "is", "not", "good", "bad", "don't", "café", "cafÉ", "br", "10", "é", "very", "dull"]
NUM_WORDS = len(WORDS) + 4
# Each with a pooling, an activation, a padding and a truncating of its own; the third knows fewer words.
PADS = {
    "mean": PAD.model_copy(update={"maxlen": 200, "num_words": NUM_WORDS}),
    "last": PAD.model_copy(update={"maxlen": 30, "num_words": NUM_WORDS, "padding": "post"}),
    "max": PAD.model_copy(update={"maxlen": 30, "num_words": NUM_WORDS - 5, "truncating": "post"}),
    "logistic": PAD.model_copy(update={"maxlen": 12, "num_words": NUM_WORDS}),
}
SETTINGS = {
    "mean": SMALL.model_copy(update={"mask_zero": True, "pooling": "mean"}),
    "last": SMALL,
    "max": SMALL.model_copy(update={"pooling": "max", "activation": "relu"}),
    "logistic": SMALL.model_copy(update={"activation": "sigmoid"}),
}
AS_TRAINED = {"mean": "skipped", "last": "after", "max": "before", "logistic": "before"}
EXAMPLES = [
    {"kind": "both", "positive": True, "words": 3, "text": "the film good"},
    {"kind": "both", "positive": False, "words": 150, "text": "bad " * 150},
    {"kind": "both", "positive": True, "words": 7, "text": "not bad film don't is very good"},
    {"kind": "lstm", "positive": True, "words": 250, "text": "good " * 250},
]


def random_weights(cell: str, settings: Model, seed: int) -> Weights:
    """Return layer → arrays of an untrained model, as Keras has them."""
    random, gates = np.random.default_rng(seed), 1 if cell == "rnn" else 4
    units, dim = settings.units, settings.embedding_dim
    shapes: dict[str, list[tuple[int, ...]]] = {
        "embedding": [(NUM_WORDS, dim)],
        cell: [(dim, gates * units), (units, gates * units), (gates * units,)],
        "positive": [(units, 1), (1,)],
    }
    return {
        layer: [random.normal(size=shape, scale=0.8).astype(np.float32) for shape in each]
        for layer, each in shapes.items()
    }


WEIGHTS = {
    (name, cell): random_weights(cell, settings, seed)
    for seed, (name, settings, cell) in enumerate((n, s, c) for n, s in SETTINGS.items() for c in CELLS)
}


def exact(name: str, cell: str) -> Weights:
    """Return the weights that the page has, in float64."""
    return {k: [w.astype(float) for w in each] for k, each in restored(WEIGHTS[name, cell], cell).items()}


def row(name: str, text: str, side: str, zeros: int | None = None) -> np.ndarray:
    """Return the tokens (1, length) that a model reads, given at most how many zeros there are; None: all."""
    pad = PADS[name]
    ranks = {word.encode(): rank for rank, word in enumerate(WORDS, 1)}
    (padded,) = token_rows([split_words(text, pad)], ranks, pad)
    own = padded[padded != 0]
    room = pad.maxlen - len(own)
    padding = np.zeros(0 if side == "skipped" else room if zeros is None else min(zeros, room), np.int32)
    return np.concatenate([padding, own] if side == "before" else [own, padding])[np.newaxis]


def expected(name: str, cell: str, tokens: np.ndarray) -> np.ndarray:
    settings = SETTINGS[name].model_copy(update={"mask_zero": False})  # what is skipped is not in the row
    return running_probabilities(cell, exact(name, cell), settings, tokens)[0]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with random models, in a folder where nothing else is."""
    models = [
        {
            "title": name,
            "padding": AS_TRAINED[name],
            **PADS[name].model_dump(include={"maxlen", "truncating", "num_words"}),
            **SETTINGS[name].model_dump(include={"pooling", "activation"}),
            "cells": {cell: packed(WEIGHTS[name, cell], cell) for cell in CELLS},
        }
        for name in SETTINGS
    ]
    data = {"words": WORDS, "models": models, "examples": EXAMPLES}
    measured = {"models": "mean", "seed": 0, "accuracy": 0.5, "accuracy_in_page": 0.4, "largest_change": 0.1}
    rows = [{**measured, "cell": cell, "other_answers": 3} for cell in CELLS]
    path = tmp_path_factory.mktemp("page") / "demo.html"
    path.write_text(assembled(data, reviews=25_000, examples=2, measured=rows), encoding="utf-8")
    return path


class Page:
    """The page as somebody uses it."""

    def __init__(self, browser: Browser) -> None:
        self.browser, self.driver = browser, browser.driver

    def get(self, name: str) -> Any:
        return self.driver.find_element(By.ID, name)

    def run(self, script: str, *arguments: Any) -> Any:
        return self.browser.run(script, *arguments)

    def write(self, text: str) -> None:
        """Put a text into its field, as if it was pasted."""
        script = """const field = document.getElementById("text");
          field.value = arguments[0];
          field.dispatchEvent(new Event("input"))"""
        self.run(script, text)

    def select(self, name: str, label: str) -> None:
        Select(self.get(name)).select_by_visible_text(label)

    def pad(self, side: str) -> None:
        self.driver.find_element(By.CSS_SELECTOR, f"[name=side][value={side}]").click()

    def zeros(self, number: int) -> None:
        script = """const [slider, number] = arguments;
          slider.value = number;
          slider.dispatchEvent(new Event("input"))"""
        self.run(script, self.get("zeros"), number)

    def after(self, cell: str) -> list[float]:
        """Return P(positive) after each token, as it is shown and coloured."""
        script = "return [...document.querySelectorAll(arguments[0])].map((word) => Number(word.dataset.p))"
        return list(self.run(script, f"#words-{cell} .word"))

    def answer(self, cell: str) -> str:
        return str(self.get(f"answer-{cell}").find_element(By.TAG_NAME, "data").get_attribute("value"))

    def said(self, cell: str) -> str:
        return str(self.get(f"answer-{cell}").text.replace("\n", " "))

    def gradients(self) -> dict[str, list[float]]:
        """Wait until they are computed, and return their squares."""
        busy = "return document.getElementById('gradient').getAttribute('aria-busy')"
        WebDriverWait(self.driver, 60).until(lambda _: self.run(busy) == "false")
        return dict(self.run("return state.gradients"))

    def words(self, cell: str = "rnn") -> list[Any]:
        return list(self.driver.find_elements(By.CSS_SELECTOR, f"#words-{cell} .word"))

    def errors(self) -> list[Any]:
        return list(self.driver.get_log("browser"))  # type: ignore[no-untyped-call]


@pytest.fixture
def page(browser: Browser, path: Path) -> Iterator[Page]:
    browser.look(path, 1280, "light")
    page = Page(browser)
    yield page
    assert page.errors() == []
