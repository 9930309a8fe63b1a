"""The page that runs both networks, used by mouse and keyboard."""

from typing import Any

import numpy as np
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from stages.inspection.equations import run
from stages.params.recipe import CELLS
from tests.networks_page import EXAMPLES, Page, exact, expected, row
from tests.networks_page import page as page
from tests.networks_page import path as path


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
