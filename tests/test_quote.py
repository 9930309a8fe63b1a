"""What README.md quotes of reports/."""

import pytest

from stages import StageError
from stages.tools.quote import QUOTED, quote
from tests.conftest import Project

PAGE = "before\n<!-- from reports/{0}.md -->\n{1}<!-- end of reports/{0}.md -->\nafter\n"


def test_the_text_between_the_marks_is_replaced() -> None:
    assert quote(PAGE.format("speed", "old\n"), "speed", "new\n") == PAGE.format("speed", "new\n")


@pytest.mark.parametrize("readme", [PAGE.format("results", ""), 2 * PAGE.format("speed", "")])
def test_each_mark_should_be_there_once(readme: str) -> None:
    with pytest.raises(StageError, match=r"should hold '<!-- from reports/speed\.md -->' and "):
        quote(readme, "speed", "new\n")


def test_the_projects_readme_quotes_all_of_them(project: Project) -> None:
    for name in QUOTED:
        (project.folder / f"reports/{name}.md").write_text(f"Now of {name}.\n")
    project.run("python", "-m", "stages.tools.quote")
    readme = project.text("README.md")
    for name in QUOTED:
        assert f"-->\nNow of {name}.\n<!--" in readme
    (project.folder / "reports/speed.md").unlink()
    result = project.run("python", "-m", "stages.tools.quote", check=False)
    assert result.returncode == 1 and result.stderr.startswith("quote: reports/speed.md does not exist: ")
    assert project.text("README.md") == readme
