"""The page that runs both networks: what it computes, against NumPy, and how it looks."""

import json
from pathlib import Path

import numpy as np
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from stages.browser.assembly import assembled
from stages.inspection.equations import run
from stages.params.recipe import CELLS
from tests.browsing import COLOURS, Browser, contrast, luminance
from tests.conftest import SMALL
from tests.networks_page import AS_TRAINED, SETTINGS, Page, exact, expected, row
from tests.networks_page import page as page
from tests.networks_page import path as path

TEXTS = [
    "The film is not good.",
    "I don't, 'DON'T' like it - 10/10!<br /><br />Dull?",
    "Café CAFÉ é É \u2019quoted\u2019 \U0001f600 the\x1cfilm\xa0is",
    "good\r\nbad\tfilm\x0bis\x0cnot \ufeff",
    "very good film not bad " * 1000,
    "word",
]


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
