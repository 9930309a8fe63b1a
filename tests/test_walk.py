"""What the READMEs show people to run, every command of it, in a small project."""

import re
import subprocess
from pathlib import Path

import psutil
import pytest

from stages.publishing.quoting import WALKS, commands
from stages.tools.walk import as_markdown, end_processes
from tests.conftest import Project

HERE, THERE = (f"<!-- from reports/{name}.md -->\n<!-- end of reports/{name}.md -->\n" for name in WALKS)


def test_the_commands_are_those_of_the_section_without_comments() -> None:
    readme = (
        "## Before\n```sh\nno\n```\n"
        "## Here\nSome words, `not this`.\n```sh\none --two   # three\n\nfour\n```\n```\nshown\n```\n"
        f"{HERE}```sh\nfive\n```\n## After\n{THERE}```\nno\n```\n"
    )
    assert commands(readme, WALKS[0]) == ["one --two", "four", "five"]
    assert commands(readme, WALKS[1]) == []


def test_what_a_command_prints_keeps_its_columns() -> None:
    assert as_markdown("a b", "  rnn  text\n0.5  x\n\n") == "```\n$ a b\n  rnn  text\n0.5  x\n```\n"
    assert as_markdown("a b", "") == "```\n$ a b\n```\n"


def test_nothing_goes_on_in_the_background(tmp_path: Path) -> None:
    """As DVC's experiments would after Ctrl-C: they are in a session of their own."""
    clone, elsewhere = tmp_path / "clone", tmp_path / "elsewhere"
    processes = []
    for folder in (clone, elsewhere):
        folder.mkdir()
        processes.append(subprocess.Popen(("sleep", "60"), cwd=folder, start_new_session=True))
    try:
        end_processes(clone)
        assert [psutil.pid_exists(process.pid) for process in processes] == [False, True]
    finally:
        for process in processes:
            process.kill()
            process.wait()


@pytest.mark.slow
def test_the_walk_ends_with_a_pushed_branch(trained: Project) -> None:
    project = trained
    project.commit("results")
    before = project.run("git", "rev-parse", "HEAD").stdout
    said = project.make("walk").stdout
    assert "git push" in said
    table, parameters, metrics, changes = re.findall(
        r"```\n(.*?)```", project.text("reports/walk.md"), re.DOTALL
    )
    assert "rate-1" in table and "rate-2" in table
    assert "prepadded.rnn.learning_rate" in parameters
    assert "prepadded.rnn." in metrics and "prepadded.lstm" not in metrics
    assert re.search(r"\| prepadded +\| RNN .* one seed shows no noise", changes)
    assert "prepadded | LSTM | " in changes and changes.count("the same in each run") == 3
    assert project.text("reports/answers.md").startswith("```\n$ python -m stages.tools.predict ")
    assert project.run("git", "rev-parse", "HEAD").stdout == before
    status = project.run("git", "status", "--porcelain").stdout.splitlines()
    assert status == [
        " M README.md",
        " M data/README.md",
        " M reports/answers.md",
        " M reports/walk.md",
        " M stages/runner/README.md",
    ]
    assert project.text("reports/walk.md") in project.text("data/README.md")

    # A command that fails ends it, and nothing is written.
    shown = project.text("reports/walk.md")
    failing = f"## One\n{HERE}```sh\nls no-such\n```\n## Two\n{THERE}```sh\ntrue\n```\n"
    (project.folder / "README.md").write_text(failing)
    (project.folder / "data/README.md").write_text("Nothing.\n")
    project.commit("a walk that fails")
    result = project.run("python", "-m", "stages.tools.walk", check=False)
    assert result.returncode == 1 and "No such file" in result.stderr
    assert result.stderr.endswith("walk: 'ls no-such' ended with status 2\n")
    assert project.text("reports/walk.md") == shown


def test_a_page_without_the_sections_is_refused(project: Project) -> None:
    (project.folder / "README.md").write_text(f"## One\n{HERE}```sh\ntrue\n```\n")
    (project.folder / "data/README.md").write_text("Nothing.\n")
    result = project.run("python", "-m", "stages.tools.walk", check=False)
    assert result.returncode == 1
    assert result.stderr == "walk: no README shows commands in a section that quotes reports/answers.md\n"
