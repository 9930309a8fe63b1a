"""What README.md shows people to run, every command of it, in a small project."""

import importlib.util
import re

from tests.conftest import ROOT, Project

specification = importlib.util.spec_from_file_location("walk", ROOT / "stages/tools/walk.py")
assert specification and specification.loader
walk = importlib.util.module_from_spec(specification)
specification.loader.exec_module(walk)


def test_the_commands_are_those_of_the_section_without_comments() -> None:
    readme = (
        "## Before\n```sh\nno\n```\n"
        "## Here\nSome words, `not this`.\n```sh\none --two   # three\n\nfour\n```\n```\nshown\n```\n"
        "```sh\nfive\n```\n## After\n```sh\nno\n```\n"
    )
    assert walk.commands(readme, "## Here") == ["one --two", "four", "five"]
    assert walk.commands(readme, "## There") == []


def test_the_walk_ends_with_a_pushed_branch(trained: Project) -> None:
    project = trained
    project.commit("results")
    before = project.run("git", "rev-parse", "HEAD").stdout
    said = project.run("python", "stages/tools/walk.py").stdout
    assert "git push" in said
    table, parameters, metrics = re.findall(r"```\n(.*?)```", project.text("reports/walk.md"), re.DOTALL)
    assert "rate-1" in table and "rate-2" in table
    assert "prepadded.rnn.learning_rate" in parameters
    assert "prepadded.rnn." in metrics and "prepadded.lstm" not in metrics
    assert project.text("reports/answers.md").startswith("```\n$ python -m stages.tools.predict ")
    assert project.run("git", "rev-parse", "HEAD").stdout == before
    status = project.run("git", "status", "--porcelain").stdout.splitlines()
    assert status == [" M reports/answers.md", " M reports/walk.md"]

    # A command that fails ends it, and nothing is written.
    shown = project.text("reports/walk.md")
    first, second = walk.SECTIONS.values()
    readme = project.folder / "README.md"
    readme.write_text(f"{first}\n```sh\nls no-such\n```\n{second}\n```sh\ntrue\n```\n")
    project.commit("a walk that fails")
    result = project.run("python", "stages/tools/walk.py", check=False)
    assert result.returncode == 1 and "No such file" in result.stderr
    assert result.stderr.endswith("walk: 'ls no-such' ended with status 2\n")
    assert project.text("reports/walk.md") == shown


def test_a_page_without_the_sections_is_refused(project: Project) -> None:
    first, _ = walk.SECTIONS.values()
    (project.folder / "README.md").write_text(f"{first}\n```sh\ntrue\n```\n")
    result = project.run("python", "stages/tools/walk.py", check=False)
    assert result.returncode == 1
    assert result.stderr == "walk: README.md has no commands under '## Ask the nets'\n"
