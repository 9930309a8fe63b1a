"""Two branches of the project itself, each with another recipe trained anew, become what one person makes."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.changed import Changed
from tests.conftest import Project, run_in

CHANGED = "train_lstm@prepadded-0"
RATE = 0.002  # of the LSTM of `prepadded`, on the other branch


def results(project: Project) -> dict[str, bytes]:
    """Return name → content of what has to be the same."""
    names = ["dvc.lock", "params.yaml", "README.md", "data/README.md", "reports"]
    found = [file for name in names for file in (project.folder / name, *(project.folder / name).rglob("*"))]
    return {str(file.relative_to(project.folder)): file.read_bytes() for file in found if file.is_file()}


def ran(said: str) -> set[str]:
    """Return the stages that a run has not taken from the cache."""
    return set(re.findall(r"(\S+): done in ", said))


@pytest.fixture
def team(changed: Changed, tmp_path: Path) -> dict[str, Project]:
    """Two clones whose branches `mine` and `theirs` are pushed, and `alone`: one person made both changes."""
    run_in(tmp_path, "git", "clone", "--quiet", "--bare", str(changed.folder), "origin.git")
    projects = {}
    for name in ("mine", "theirs", "alone"):
        folder = tmp_path / name
        shutil.copytree(changed.folder, folder)
        python = folder / ".venv/bin/python"  # which git is told to call
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        python.chmod(0o755)
        run_in(folder, "git", "remote", "add", "origin", "../origin.git")
        run_in(folder, "dvc", "remote", "add", "--local", "--default", "team", str(tmp_path / "remote"))
        run_in(
            folder, "git", "switch", "--quiet", "--create", name, "HEAD" if name == "theirs" else "changed"
        )
        run_in(folder, "dvc", "checkout", "dvc.yaml")
        projects[name] = Project(folder)
        if name != "mine":
            projects[name].params["prepadded"]["lstm"]["learning_rate"] = RATE
            projects[name].save_params()
        if name == "alone":  # what this person would train is what one of the others has trained
            run_in(folder, "dvc", "repro", "--pull", "--single-item", CHANGED)
        trained = {stage for stage in ran(projects[name].make("report").stdout) if stage.startswith("train_")}
        assert trained == ({CHANGED} if name == "theirs" else set())
        projects[name].commit(name)
        assert "a fresh clone needs are on the remote" in projects[name].make("push").stdout
        run_in(folder, "git", "push", "--quiet", "origin", name)
    return projects


@pytest.mark.slow
def test_the_merge_is_what_one_person_would_have_made(team: dict[str, Project]) -> None:
    expected = results(team["alone"])
    assert "Test accuracy" in expected["reports/report.md"].decode()
    for ours, theirs in (("mine", "theirs"), ("theirs", "mine")):
        project = team[ours]
        project.run("git", "fetch", "--quiet", "origin")
        merged = project.run("git", "merge", "--no-commit", f"origin/{theirs}")
        assert (
            "dvc.lock: both sides changed demo, evaluate, page: `dvc repro --pull` settles it\n"
            in merged.stderr
        )
        assert results(project) != expected
        # The page of the same report was pushed by `alone`, and comes from there.
        assert ran(project.make("merged").stdout) <= {"demo", "evaluate", "release"}  # none trains
        assert results(project) == expected
        project.commit("both")
        assert "belong to the committed code" in project.make("stale").stdout
    assert "Nothing was deleted" in team["mine"].make("unused", "CLOUD=1").stdout
