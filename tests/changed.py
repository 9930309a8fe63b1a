"""A project whose pipeline has run, with one recipe changed and trained again on a branch."""

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import Project, made_once, sha256

CELLS = ("train_rnn@tuned-0", "train_lstm@tuned-0")
RATE = 0.002  # of the RNN, on the branch


class Changed(NamedTuple):
    """A project, its branch `changed` one commit ahead, and path → digest of what lies in data/ at either."""

    folder: Path
    before: dict[str, str]
    after: dict[str, str]


def listing(folder: Path) -> dict[str, str]:
    """Return path → digest of every file in a folder."""
    return {str(path.relative_to(folder)): sha256(path) for path in folder.rglob("*") if path.is_file()}


def results(project: Project) -> dict[str, str]:
    """Return path → digest of all that stages write."""
    return listing(project.folder / "data") | listing(project.folder / "reports")


@pytest.fixture(scope="session")
def changed(tmp_path_factory: pytest.TempPathFactory, pipeline: Path) -> Changed:
    def make(folder: Path) -> None:
        project = Project(pipeline / "project").copy(folder / "project")
        data = project.folder / "data"
        project.run("git", "config", "user.name", "test")
        project.run("git", "config", "user.email", "test@localhost")
        project.commit("results")
        before = listing(data)

        project.run("git", "switch", "--quiet", "--create", "changed")
        project.params["tuned"]["rnn"]["learning_rate"] = RATE
        project.save_params()
        after_training = {"inspect_models@tuned", "score@tuned-0", "release", "demo", "evaluate", "page"}
        assert project.repro() == {CELLS[0], *after_training}
        project.commit("tuned: faster RNN")
        after = listing(data)
        changed = {path for path in before if before[path] != after[path]}
        assert {path for path in changed if not path.startswith(("released/", "demo.html"))} == {
            f"models/tuned/rnn-0/{name}"
            for name in (
                "model.keras",
                "history.csv",
                "provenance.json",
                "test_probabilities.npy",
                "validation_probabilities.npy",
            )
        }

        project.run("git", "switch", "--quiet", "-")
        project.run("dvc", "checkout", "dvc.yaml")
        (folder / "data.json").write_text(json.dumps([before, after]))

    folder = made_once(tmp_path_factory, "changed", make)
    return Changed(folder / "project", *json.loads((folder / "data.json").read_text()))
