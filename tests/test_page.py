"""The report as one web page: what is in it, and how it looks and works in a browser."""

import base64
import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from PIL import Image
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from stages import page
from stages.publishing.html import slug, web_page
from stages.reporting.rendering import render
from stages.reporting.report import build_report, draw
from stages.runtime.errors import StageError
from tests.browsing import COLOURS, Browser, contrast, luminance
from tests.conftest import ROOT
from tests.examples import made_up_scores
from tests.test_report import TWO_SEEDS, made_up_inputs, small_params

WIDE = """# A wide table, a long line and a figure

Words with `code`, *stress* and a [link](report.md).

![Nothing but blue](blue.png)

## Numbers

| name | value |{columns}
| --- | ---: |{rules}
| a | 86.0 ± 0.3 % |{cells}
| b | none |{cells}
| `c` | 1,234 |{cells}
| d | −0.5 |{cells}
| e | +1.2 |{cells}
| f | 1e-3 |{cells}
| g | 9 % |{cells}

## Words

> Quoted words.

| seed | recipe |
| ---: | --- |
| 10 | tuned |
| 9 | `notebook` |

```python
{code}
```
""".format(columns=" column |" * 30, rules=" --- |" * 30, cells=" cell |" * 30, code="x = x + x  # " * 30)


@pytest.fixture
def blue(tmp_path: Path) -> Path:
    """A folder with a figure of 3 by 1 inches."""
    Image.new("RGB", (450, 150), "blue").save(tmp_path / "blue.png", dpi=(150, 150))
    return tmp_path


def test_a_figure_is_inside_at_the_size_it_was_drawn(blue: Path) -> None:
    text = web_page("# Title\n\n![Nothing but *blue*](blue.png)\n", blue)
    inside = re.search(
        r'<figure><img src="data:image/png;base64,([^"]*)" alt="([^"]*)" ([^>]*)/></figure>', text
    )
    assert inside
    assert base64.b64decode(inside[1]) == (blue / "blue.png").read_bytes()
    assert inside[2] == "Nothing but blue"
    assert inside[3].split(' style="')[0] == 'width="288" height="96"'  # 3 by 1 inches of 96 pixels

    Image.new("RGB", (30, 20)).save(blue / "a plain one.png")  # which does not say how large it is
    text = web_page("Beside ![words](<a plain one.png>).\n", blue)
    assert "<p>Beside <img " in text and 'width="30" height="20"' in text


@pytest.mark.parametrize("name", ["figures/none.png", "https://example.org/a.png"])
def test_a_missing_figure(name: str, tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"\.png, which the report shows, does not exist"):
        web_page(f"# Title\n\n![figure]({name})\n", tmp_path)


def test_slugs_are_those_of_github() -> None:
    assert slug("What differs from the published result, and why") == (
        "what-differs-from-the-published-result-and-why"
    )
    assert slug("LSTM − RNN: `train.ema_momentum`?") == "lstm--rnn-trainema_momentum"


def test_headings_and_contents(tmp_path: Path) -> None:
    text = web_page(
        "# A <title>\n\nFirst.\n\n## The `same` & more\n\n### Below\n\n## The `same` & more\n\n## Sämtlich\n",
        tmp_path,
    )
    assert '<html lang="en">' in text and "<title>A &lt;title&gt;</title>" in text
    ids = ["a-title", "the-same--more", "below", "the-same--more-1", "sämtlich"]
    assert re.findall(r'<h\d id="([^"]*)">', text) == ids
    contents = text[text.index("<nav") : text.index("</nav>")]
    assert re.findall(r'<a href="#([^"]*)">', contents) == [ids[1], ids[3], ids[4]]
    assert "The same &amp; more</a>" in contents
    assert text.index("First.") < text.index("<nav") < text.index("<h2")
    assert "<nav" not in web_page("# Title\n\nNo sections.\n", tmp_path)


def test_tables_scroll_in_boxes_of_their_own_and_keep_their_alignment(tmp_path: Path) -> None:
    text = web_page("# Title\n\n| a | b |\n| --- | ---: |\n| 1 | 2 |\n", tmp_path)
    assert '<div class="table"><table>\n<thead>' in text and "</tbody>\n</table></div>" in text
    assert '<td style="text-align:right">2</td>' in text


def test_no_html_passes(tmp_path: Path) -> None:
    text = web_page("# <b>Title\n\n<script>alert(1)</script> and [this](javascript:alert(1))\n", tmp_path)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text and "<b>" not in text
    assert 'href="javascript' not in text


def test_the_same_text_gives_the_same_page(blue: Path) -> None:
    assert web_page(WIDE, blue) == web_page(WIDE, blue)


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a report on made-up runs, and with its figures."""
    project = tmp_path_factory.mktemp("project")
    (project / "stages").symlink_to(ROOT / "stages")
    figures = project / "reports/figures"
    figures.mkdir(parents=True)
    tuned = dict.fromkeys(TWO_SEEDS, made_up_scores(0.85, 0.87, padding="pre"))
    runs = {"notebook": TWO_SEEDS, "tuned": tuned}
    params = small_params(runs)
    inputs = made_up_inputs(params, runs)
    report = build_report(params, inputs)
    for name, figure in draw(inputs, report).items():
        figure.savefig(figures / f"{name}.png")
    (project / "reports/report.md").write_text(render("report.md", **report._asdict()))
    (project / "reports/benchmark.md").touch()
    (project / "data").mkdir()
    (project / "data/demo.html").touch()
    (project / "reports/history.md").touch()
    return project / "reports"


def test_the_stage_writes_one_file(reports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(reports.parent)
    page.page()
    text = (reports / "report.html").read_text()
    assert text == web_page((reports / "report.md").read_text(), reports)
    assert text.count("data:image/png;base64,") >= 10


def test_every_link_of_the_report_leads_somewhere(reports: Path) -> None:
    text = web_page((reports / "report.md").read_text(), reports)
    ids = re.findall(r' id="([^"]*)"', text)
    assert len(ids) == len(set(ids))
    for link in map(unquote, re.findall(r'<a href="([^"]*)"', text)):
        name, _, place = link.partition("#")
        if not name:
            assert place in ids, link
        elif "://" not in name:
            assert (reports / name).exists(), link
            if re.fullmatch(r"L\d+", place):
                assert int(place[1:]) <= len((reports / name).read_text().splitlines()), link


@pytest.fixture(params=["report", "wide"])
def path(request: pytest.FixtureRequest, blue: Path, reports: Path) -> Path:
    """A page in a folder where nothing else of the project is: the report's, or one of other words."""
    shown = ((reports / "report.md").read_text(), reports) if request.param == "report" else (WIDE, blue)
    (blue / "page.html").write_text(web_page(*shown), encoding="utf-8")
    return blue / "page.html"


def test_contrast() -> None:
    assert contrast("rgb(0, 0, 0)", "rgb(255, 255, 255)") == 21
    assert contrast("rgb(118, 118, 118)", "rgb(255, 255, 255)") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
def test_a_page_can_be_read(browser: Browser, path: Path, width: int, scheme: str) -> None:
    browser.look(path, width, scheme)
    assert browser.run("return innerWidth") == width
    assert browser.run("return document.documentElement.scrollWidth") <= width
    pictures = browser.run("return [...document.images].map((i) => [i.alt, i.complete && i.naturalWidth])")
    assert pictures and all(alt and natural for alt, natural in pictures)

    paper = browser.run("return getComputedStyle(document.body).backgroundColor")
    assert (luminance(paper) > 0.5) == (scheme == "light")
    colours = browser.run(COLOURS)
    assert len(colours) > 20
    for words, colour, background in colours:
        assert contrast(colour, background) >= 4.5, (words, colour, background)

    asked = browser.run("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert [name for name in asked if not name.startswith("data:")] == []
    assert browser.driver.get_log("browser") == []  # type: ignore[no-untyped-call]


def test_what_is_too_wide_scrolls_by_itself(browser: Browser, blue: Path) -> None:
    (blue / "page.html").write_text(web_page(WIDE, blue), encoding="utf-8")
    browser.look(blue / "page.html", 375, "light")
    boxes = """return new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(
      [...document.querySelectorAll("figure, pre, .table")]
        .map((box) => [box.scrollWidth > box.clientWidth, box.tabIndex])
    ))))"""
    assert browser.run(boxes) == [[False, -1], [True, 0], [False, -1], [True, 0]]


def column(browser: Browser, table: int, place: int) -> list[str]:
    """Return what stands in a table's column, from top to bottom."""
    script = """const [table, place] = arguments;
      const { rows } = document.querySelectorAll("table")[table].tBodies[0];
      return [...rows].map((row) => row.cells[place].innerText)"""
    return list(browser.run(script, table, place))


def test_a_click_on_a_header_sorts(browser: Browser, blue: Path) -> None:
    (blue / "page.html").write_text(web_page(WIDE, blue), encoding="utf-8")
    browser.look(blue / "page.html", 1280, "light")
    name, value = browser.driver.find_elements(By.CSS_SELECTOR, "th button")[:2]
    heads = browser.driver.find_elements(By.TAG_NAME, "th")[:2]
    given = column(browser, 0, 1)

    value.click()
    rising = ["−0.5", "1e-3", "+1.2", "9 %", "86.0 ± 0.3 %", "1,234", "none"]
    assert column(browser, 0, 1) == rising
    assert column(browser, 0, 0) == ["d", "f", "e", "g", "a", "c", "b"]  # rows stay whole
    assert [head.get_attribute("aria-sort") for head in heads] == [None, "ascending"]
    value.click()
    assert column(browser, 0, 1) == [*rising[-2::-1], "none"]
    assert heads[1].get_attribute("aria-sort") == "descending"
    value.click()
    assert column(browser, 0, 1) == given
    assert heads[1].get_attribute("aria-sort") is None

    value.click()
    name.send_keys(Keys.SPACE)
    assert [head.get_attribute("aria-sort") for head in heads] == ["ascending", None]
    name.send_keys(Keys.ENTER)
    assert column(browser, 0, 0) == ["g", "f", "e", "d", "c", "b", "a"]
    assert column(browser, 1, 0) == ["10", "9"]  # the other table is as it was
    assert browser.driver.get_log("browser") == []  # type: ignore[no-untyped-call]


def test_every_table_of_the_report_sorts_and_comes_back(browser: Browser, path: Path) -> None:
    browser.look(path, 1280, "light")
    before = browser.run("return [...document.querySelectorAll('td')].map((cell) => cell.innerText)")
    states = browser.run(
        """return [...document.querySelectorAll("th")].map((head) => [1, 2, 3].map(() => {
          head.querySelector("button").click();
          return head.getAttribute("aria-sort");
        }));"""
    )
    assert states and all(state == ["ascending", "descending", None] for state in states)
    assert browser.run("return [...document.querySelectorAll('td')].map((cell) => cell.innerText)") == before
    assert browser.driver.get_log("browser") == []  # type: ignore[no-untyped-call]
