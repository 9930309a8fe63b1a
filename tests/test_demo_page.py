"""The page that runs both networks, in a browser: against NumPy, by mouse and keyboard, and how it looks."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select
from selenium.webdriver.support.wait import WebDriverWait

from stages.browser.assembly import assembled
from stages.browser.quantised import packed, restored
from stages.inspection.equations import run
from stages.inspection.readings import running_probabilities
from stages.params.recipe import CELLS, Model, Pad
from stages.reviews.text import split_words, token_rows
from tests.conftest import SMALL
from tests.test_page import Browser, contrast, luminance

Weights = dict[str, list[np.ndarray]]

WORDS = ["the", "film", "is", "not", "good", "bad", "don't", "café", "cafÉ", "br", "10", "é", "very", "dull"]
NUM_WORDS = len(WORDS) + 4
# Each with a pooling, an activation, a padding and a truncating of its own; the third knows fewer words.
PAD = Pad(
    num_words=NUM_WORDS,
    maxlen=200,
    padding="pre",
    truncating="pre",
    split_by="review",
    validation_split=0.2,
    split_seed=0,
)
PADS = {
    "mean": PAD,
    "last": PAD.model_copy(update={"maxlen": 30, "padding": "post"}),
    "max": PAD.model_copy(update={"maxlen": 30, "truncating": "post", "num_words": NUM_WORDS - 5}),
    "logistic": PAD.model_copy(update={"maxlen": 12}),
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
TEXTS = [
    "The film is not good.",
    "I don't, 'DON'T' like it - 10/10!<br /><br />Dull?",
    "Café CAFÉ é É \u2019quoted\u2019 \U0001f600 the\x1cfilm\xa0is",
    "good\r\nbad\tfilm\x0bis\x0cnot \ufeff",
    "very good film not bad " * 1000,
    "word",
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


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.driver.quit()


@pytest.fixture
def page(browser: Browser, path: Path) -> Iterator[Page]:
    browser.look(path, 1280, "light")
    page = Page(browser)
    yield page
    assert page.errors() == []


@pytest.mark.parametrize("name", SETTINGS)
def test_the_page_computes_what_numpy_does(page: Page, name: str) -> None:
    page.select("model", name)
    for text in TEXTS:
        page.write(text)
        others = ("skipped", "before", "after") if text == TEXTS[0] else ()
        for side in (*others, AS_TRAINED[name]):
            page.pad(side)
            tokens = row(name, text, side)
            for cell in CELLS:
                wanted = expected(name, cell, tokens)
                assert page.after(cell) == pytest.approx(wanted.tolist(), abs=1e-5), (text[:50], side)
                assert float(page.answer(cell)) == pytest.approx(wanted[-1], abs=1e-5)


@pytest.mark.parametrize("text", ["", " \t\n", "...!?"])
def test_a_text_without_words(page: Page, text: str) -> None:
    page.write("good")
    page.write(text)
    assert [page.answer(cell) for cell in CELLS] == ["", ""]
    assert page.said("rnn") == "RNN – nothing to read" and page.words() == []
    page.gradients()


@pytest.mark.parametrize("name", ["mean", "max", "logistic"])
@pytest.mark.parametrize("cell", CELLS)
def test_gradients_are_differences_of_the_last_state(page: Page, name: str, cell: str) -> None:
    """Central differences in float64, through the formulas, for each number of each token's embedding."""
    text = "the film is not good very"
    page.select("model", name)
    page.pad("skipped")
    page.write(text)
    tokens, weights = row(name, text, "skipped")[0], exact(name, cell)
    inputs = weights["embedding"][0][tokens][:, np.newaxis]
    of_units = np.zeros((len(tokens), SMALL.units))
    for token, number in np.ndindex(len(tokens), inputs.shape[2]):
        last = []
        for change in (-1e-6, 1e-6):
            moved = inputs.copy()
            moved[token, 0, number] += change
            *_, (h, _) = run(cell, weights[cell], SETTINGS[name].activation, moved)
            last.append(h)
        of_units[token] += (((last[1] - last[0]) / 2e-6) ** 2)[:, 0]
    squares = of_units.sum(axis=1)
    assert page.gradients()[cell] == pytest.approx(squares.tolist(), rel=1e-4, abs=1e-9)
    ticks = page.get("gradient").find_elements(By.TAG_NAME, "text")
    assert ticks[0].text == "≤ 1e−8"
    label = page.get("gradient").find_element(By.TAG_NAME, "svg").get_attribute("aria-label")
    relative = np.sqrt(squares[0] / squares[-1])
    said = label.split(f"{cell.upper()} ")[1].split(",")[0]
    assert float(said) == pytest.approx(relative, rel=0.06)

    page.get("unit").send_keys("2", Keys.TAB)
    unit = page.run("return state.runs[arguments[0]].order[1]", cell)
    assert page.gradients()[cell] == pytest.approx(of_units[:, unit].tolist(), rel=1e-4, abs=1e-9)


def test_typing_and_what_is_unknown_or_cut(page: Page) -> None:
    field = page.get("text")
    field.clear()
    field.send_keys("good zebra")
    assert [word.text for word in page.words()] == ["start", "good", "zebra"]
    assert [("unknown" in word.get_attribute("class")) for word in page.words()] == [False, False, True]
    assert page.words()[2].get_attribute("aria-label").startswith("zebra, unknown: RNN 0.")
    assert page.get("cut").text == ""

    page.write("not " * 3 + "good " * 200)
    assert page.get("cut").text == "Only the last 200 tokens count: 3 words are not read."
    assert page.driver.find_element(By.CSS_SELECTOR, "#words-rnn .cut").text == "not not not"
    assert [word.text for word in page.words()] == ["good"] * 200
    page.select("model", "max")  # which reads the beginning
    assert page.get("cut").text == "Only the first 30 tokens count: 174 words are not read."
    assert len(page.words()) == 30 and page.words()[0].text == "start"


def test_reviews_to_start_from(page: Page) -> None:
    def show() -> tuple[str, str]:
        page.get("example").click()
        return page.get("which").text, page.get("text").get_attribute("value")

    assert show() == ("1 of 3: 3 words, labelled positive", EXAMPLES[0]["text"])
    right = float(page.answer("lstm")) > 0.5
    assert page.said("lstm").endswith("positive, right" if right else "negative, wrong")
    assert show()[0].startswith("2 of 3: 150 words, labelled negative")
    page.select("length", "up to 100 words")
    assert [show()[0][:6] for _ in range(3)] == ["1 of 2", "2 of 2", "1 of 2"]
    page.select("kind", "only the LSTM gets right")
    assert show()[0] == "There is no such review."
    page.select("length", "200 words or more")
    assert show()[0].startswith("1 of 1: 250 words")
    page.get("text").send_keys("x")  # no longer the review that was labelled
    assert page.get("which").text == "" and "right" not in page.said("rnn") + page.said("lstm")


def test_a_word_is_looked_at_with_the_mouse(page: Page) -> None:
    page.write("the film is good")
    words = {cell: page.words(cell) for cell in CELLS}
    ActionChains(page.driver).move_to_element(words["lstm"][2]).perform()
    about = page.get("about").text
    after = {cell: page.after(cell)[2] for cell in CELLS}
    assert about.startswith(
        f"Token 3 of 5, “film”: RNN {after['rnn']:.3f}, LSTM {after['lstm']:.3f}. LSTM gates"
    )
    tokens, weights = row("mean", "the film is good", "skipped"), exact("mean", "lstm")
    gates = list(run("lstm", weights["lstm"], "tanh", weights["embedding"][0][tokens.T]))[2][1]
    means = [float(gate.mean()) for gate in gates]
    assert about.endswith("forget {:.2f}, input {:.2f}, output {:.2f}.".format(*means))
    assert [("now" in word.get_attribute("class")) for word in words["rnn"]] == [
        False,
        False,
        True,
        False,
        False,
    ]
    cursors = page.driver.find_elements(By.CSS_SELECTOR, ".plot:not(#unit-rnn *, #unit-lstm *) > .cursor")
    assert len(cursors) == 9 - 2 and all(cursor.is_displayed() for cursor in cursors)
    ActionChains(page.driver).move_to_element(page.get("cut")).move_to_element(page.get("example")).perform()
    assert page.get("about").text.startswith("Hover over")

    heat_map = page.get("map-lstm-f")
    ActionChains(page.driver).move_to_element_with_offset(
        heat_map, -heat_map.size["width"] // 2 + 5, 0
    ).perform()
    assert page.get("about").text.startswith("Token 1 of 5, the start token: ")


def test_a_word_is_looked_at_by_keyboard_and_changed(page: Page) -> None:
    page.write("The film, is NOT bad!")
    before = {cell: page.answer(cell) for cell in CELLS}
    page.run("arguments[0].focus()", page.words()[0])
    active = page.driver.switch_to.active_element

    def press(*keys: str) -> Any:
        page.driver.switch_to.active_element.send_keys(*keys)
        return page.driver.switch_to.active_element

    assert active.text == "start" and not page.get("replace").is_enabled()
    assert press(Keys.ARROW_RIGHT).text == "the" and press(Keys.END).text == "bad"
    assert press(Keys.ARROW_RIGHT).text == "bad" and press(Keys.HOME).text == "start"
    assert press(Keys.END).text == "bad" and press(Keys.ARROW_LEFT).text == "not"
    assert [word.get_attribute("tabindex") for word in page.words()] == ["-1", "-1", "-1", "-1", "0", "-1"]

    assert press(Keys.ENTER).get_attribute("id") == "replacement"
    press("very good", Keys.ENTER)
    assert page.get("text").get_attribute("value") == "The film, is very good bad!"
    changed = expected("mean", "rnn", row("mean", "The film, is very good bad!", "skipped"))[-1]
    assert float(page.answer("rnn")) == pytest.approx(changed, abs=1e-5)
    assert page.said("rnn").endswith(f"; before: {float(before['rnn']):.3f}")
    page.get("delete").click()
    assert page.get("text").get_attribute("value") == "The film, is good bad!"
    page.get("undo").click()
    page.get("undo").click()
    assert page.get("text").get_attribute("value") == "The film, is NOT bad!"
    assert {cell: page.answer(cell) for cell in CELLS} == before
    assert not page.get("undo").is_enabled() and "before" not in page.said("rnn")


def test_zeros_can_be_read_one_after_another(page: Page) -> None:
    page.select("model", "last")
    page.write("the film is good")
    slider = page.get("zeros")
    assert slider.is_enabled() and slider.get_attribute("max") == slider.get_attribute("value") == "25"
    assert len(page.words()) == 30 and "zero" in page.words()[-1].get_attribute("class")
    trained = page.driver.find_element(By.CSS_SELECTOR, "[name=side]:checked + .trained").text
    assert trained == "zeros after the text"
    for zeros in (0, 1, 7, 25):
        page.zeros(zeros)
        assert page.get("zeros-shown").text == str(zeros)
        for cell in CELLS:
            wanted = expected("last", cell, row("last", "the film is good", "after", zeros))
            assert page.after(cell) == pytest.approx(wanted.tolist(), abs=1e-5)
    page.write("the film is good very")
    assert len(page.words()) == 30  # at the most, it stays there
    page.pad("skipped")
    assert not slider.is_enabled() and len(page.words()) == 5 + 1 and page.get("unseen").text == ""

    page.select("model", "mean")  # which skipped zeros in training
    page.pad("before")
    assert slider.get_attribute("value") == page.get("zeros-shown").text == "194" and len(page.words()) == 200
    assert page.get("unseen").text == "In training, these models read no zeros."


def test_what_is_chosen_is_a_word_not_a_place(page: Page) -> None:
    """Zeros before the text grow in number when a word is deleted, and words move."""

    def chosen() -> str:
        return str(page.driver.find_element(By.CSS_SELECTOR, "#words-rnn .now").text)

    page.pad("before")
    page.write("the film is not good")
    page.words()[-2].click()
    assert chosen() == "not"
    page.pad("skipped")
    assert chosen() == "not"
    page.pad("before")
    page.zeros(3)
    assert chosen() == "not"
    page.get("delete").click()
    assert page.get("text").get_attribute("value") == "the film is good" and chosen() == "good"
    page.get("delete").click()  # the last one
    assert page.get("text").get_attribute("value") == "the film is " and chosen() == "is"
    page.get("replacement").send_keys(Keys.ENTER)  # nothing to replace it with
    page.get("replacement").send_keys("  ", Keys.ENTER)
    assert page.get("text").get_attribute("value") == "the film is "
    for _ in range(3):
        page.get("delete").click()
    assert page.words() == [] and page.driver.switch_to.active_element == page.get("text")
    page.get("text").send_keys("dull")
    assert not page.get("undo").is_enabled()  # typing is another beginning

    page.write("very " * 250 + "good film")
    page.words()[-2].click()
    page.get("delete").click()
    assert page.words()[-1].text == chosen() == "film"
    boxes = [page.get(f"words-{cell}") for cell in CELLS]
    assert boxes[1].get_property("scrollTop") > 0  # where the same word is


def test_units_are_sorted_and_shown_alone(page: Page) -> None:
    text = "the film is good very dull"
    page.write(text)
    tokens, weights = row("mean", text, "skipped"), exact("mean", "lstm")
    steps = list(run("lstm", weights["lstm"], "tanh", weights["embedding"][0][tokens.T]))
    hidden, forget = (np.stack(each)[..., 0] for each in ([h for h, _ in steps], [g[0] for _, g in steps]))
    added = hidden.mean(axis=0) * weights["positive"][0][:, 0]
    assert page.run("return state.runs.lstm.order") == np.argsort(-added).tolist()
    page.select("sort", "how far the forget gate is open (LSTM)")
    order = np.argsort(-forget.mean(axis=0)).tolist()
    assert page.run("return state.runs.lstm.order") == order

    # A pixel per unit and token: an open gate is dark.
    pixels = """const canvas = document.querySelector("#map-lstm-f canvas");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return [canvas.width, canvas.height, [...data].filter((_, at) => at % 4 === 0)]"""
    width, height, red = page.run(pixels)
    assert (width, height) == (len(steps), 4)
    low, high = (page.run(f"return colours(['{name}'])[0][0]") for name in ("low", "high"))
    wanted = low + (high - low) * forget[:, order].T
    assert np.array(red).reshape(4, -1) == pytest.approx(wanted, abs=1)

    assert not page.get("unit-lstm").is_displayed() and not page.get("all").is_enabled()
    heat_map = page.get("map-lstm-f")
    page.run("arguments[0].scrollIntoView()", heat_map)
    ActionChains(page.driver).move_to_element_with_offset(
        heat_map, 0, heat_map.size["height"] // 2 - 5
    ).click().perform()
    assert page.get("unit").get_attribute("value") == "4"
    assert f"LSTM, unit {order[3]}, row 4" in page.get("unit-lstm").text
    lines = page.driver.find_elements(By.CSS_SELECTOR, "#unit-lstm polyline")
    assert len(lines) == 4 and len(page.driver.find_elements(By.CSS_SELECTOR, "#unit-rnn polyline")) == 1
    assert page.get("of").text == "the unit of row 4"
    page.write("dull " * 9)
    assert f"LSTM, unit {order[3]}, row 4" in page.get("unit-lstm").text
    page.get("all").click()
    assert not page.get("unit-lstm").is_displayed() and page.get("of").text == "all units"


def test_play_goes_from_word_to_word(page: Page) -> None:
    page.write("the film is")
    watch = """window.seen = [];
      const about = document.getElementById("about");
      const note = () => seen.push(about.textContent.slice(0, 7));
      new MutationObserver(note).observe(about, { childList: true })"""
    page.run(watch)
    page.get("play").click()
    WebDriverWait(page.driver, 30).until(lambda _: page.get("play").text == "Play")
    assert list(dict.fromkeys(page.run("return seen"))) == ["Token 1", "Token 2", "Token 3", "Token 4"]
    page.write("good " * 150)  # which takes half a minute
    page.get("play").click()
    assert page.get("play").text == "Stop"
    page.get("play").click()
    assert page.get("play").text == "Play"


# Every element with words of its own: what it says, its colour, and the first background behind it.
COLOURS = """
const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
const rgb = (colour) => {
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
  return `rgb(${red}, ${green}, ${blue})`;
};
const behind = (element) => {
  const colour = getComputedStyle(element).backgroundColor;
  return colour === "rgba(0, 0, 0, 0)" && element.parentElement ? behind(element.parentElement) : rgb(colour);
};
return [...document.body.querySelectorAll("*:not(script, option)")]
  .filter((e) => e.checkVisibility() && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
  .filter((e) => !e.disabled && !e.closest("svg"))
  .map((e) => [e.textContent.slice(0, 50), rgb(getComputedStyle(e).color), behind(e)]);
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280, 1920])
def test_the_page_can_be_read(browser: Browser, path: Path, width: int, scheme: str) -> None:
    browser.look(path, width, scheme)
    page = Page(browser)
    page.write("not " * 30 + "good zebra " * 90)
    page.get("unit").send_keys("1", Keys.TAB)
    assert browser.run("return document.documentElement.scrollWidth") <= width
    paper = browser.run("return getComputedStyle(document.body).backgroundColor")
    assert (luminance(paper) > 0.5) == (scheme == "light")
    colours = browser.run(COLOURS)
    assert len(colours) > 100
    for words, colour, background in colours:
        assert contrast(colour, background) >= 4.5, (words, colour, background)
    unnamed = """return [...document.querySelectorAll("button, input, select, textarea, canvas, svg")]
      .filter((e) => e.checkVisibility() && !e.labels?.length && !e.ariaLabel)
      .filter((e) => e.tagName !== "BUTTON" || !e.textContent.trim())
      .map((e) => e.outerHTML)"""
    assert browser.run(unnamed) == []
    page.gradients()
    asked = browser.run("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert [name for name in asked if not name.startswith("data:")] == []
    assert page.errors() == []


def test_charts_fit_when_the_window_changes(page: Page) -> None:
    page.gradients()
    width = "return document.querySelector('#gradient svg').viewBox.baseVal.width"
    before = page.run(width)
    page.browser.resize(700)
    WebDriverWait(page.driver, 30).until(lambda _: page.run(width) < before - 200)


def test_the_colours_can_be_chosen(page: Page) -> None:
    paper = "return getComputedStyle(document.body).backgroundColor"
    page.select("theme", "dark")
    assert luminance(page.run(paper)) < 0.5
    page.select("theme", "light")
    assert luminance(page.run(paper)) > 0.5


def test_without_javascript_it_says_so(browser: Browser, path: Path) -> None:
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.driver.get(path.as_uri())
        body = browser.driver.find_element(By.TAG_NAME, "body").text
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert "It needs JavaScript, which is switched off here" in body
    assert "What they predict" not in body


def test_what_is_in_the_page_cannot_end_its_script(tmp_path: Path) -> None:
    page = assembled({"words": ["</script><b>", "\u2028"]}, reviews=1, examples=1, measured=[])
    data = page.partition('id="data">')[2].partition("</script>")[0]
    assert json.loads(data) == {"words": ["</script><b>", "\u2028"]}
    assert page.count("</script>") == 2 and "import {" not in page and "export " not in page
