"""What the READMEs quote of reports/."""

from pathlib import Path

import pytest

from stages.publishing.quoting import PAGES, QUOTE, merge, quoted
from stages.runtime.errors import StageError
from tests.conftest import ROOT, Project

BEGIN, END = "<!-- from reports/table.md -->\n", "<!-- end of reports/table.md -->\n"


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("reports").mkdir()
    Path("reports/table.md").write_text(r"new \1" + "\n")
    return Path("page.md")


def test_the_text_between_the_marks_is_replaced(page: Path) -> None:
    for old in ("old\n", "", "<!-- by x -->\n"):
        page.write_text(f"before\n{BEGIN}{old}{END}after\n{BEGIN}{old}{END}")
        new = r"new \1" + "\n"
        assert quoted(page) == f"before\n{BEGIN}{new}{END}after\n{BEGIN}{new}{END}"


@pytest.mark.parametrize(
    "text", [BEGIN, END, END + BEGIN, BEGIN + END.replace("table", "other"), f" {BEGIN}{END}"]
)
def test_a_mark_alone_is_refused(page: Path, text: str) -> None:
    page.write_text(text)
    with pytest.raises(StageError, match=r"page\.md: each '<!-- from reports/NAME\.md -->' needs"):
        quoted(page)


def test_a_report_that_is_missing(page: Path) -> None:
    page.write_text((BEGIN + END).replace("table", "other"))
    with pytest.raises(StageError, match=r"reports/other\.md does not exist"):
        quoted(page)


@pytest.mark.parametrize(
    ("theirs", "conflicts", "merged"),
    [
        (f"one\n{BEGIN}theirs\n{END}2\n", 0, f"1\n{BEGIN}ours\n{END}2\n"),
        (
            f"I\n{BEGIN}theirs\n{END}two\n",
            1,
            f"<<<<<<< ours\n1\n=======\nI\n>>>>>>> theirs\n{BEGIN}ours\n{END}two\n",
        ),
    ],
)
def test_git_merges_what_is_around_a_quote(page: Path, theirs: str, conflicts: int, merged: str) -> None:
    texts = {
        "base": f"one\n{BEGIN}base\n{END}two\n",
        "ours": f"1\n{BEGIN}ours\n{END}two\n",
        "theirs": theirs,
    }
    for name, text in texts.items():
        Path(name).write_text(text)
    assert merge(*map(Path, texts)) == conflicts
    assert Path("ours").read_text() == merged


def test_the_projects_pages_quote_results_and_what_their_commands_print(project: Project) -> None:
    names = {quote[1] for page in PAGES for quote in QUOTE.findall((ROOT / page).read_text())}
    assert {"results", "walk", "answers"} <= names
    for name in names:
        (project.folder / f"reports/{name}.md").write_text(f"Now of {name}.\n")
    project.run("python", "-m", "stages.tools.quote")
    text = "".join(project.text(str(page)) for page in PAGES)
    assert all(f"-->\nNow of {name}.\n<!--" in text for name in names)
    (project.folder / "reports/walk.md").unlink()
    result = project.run("python", "-m", "stages.tools.quote", check=False)
    assert result.returncode == 1 and result.stderr.startswith("quote: reports/walk.md does not exist: ")
