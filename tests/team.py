"""Two clones, a bare origin and a folder remote, of a small pipeline whose stages are shell commands."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from stages.runner.merge_lock import parse, text_of
from stages.runner.state import sort_lock
from tests.conftest import ROOT, made_once, run_in

if TYPE_CHECKING:
    from dvc.repo import Repo

RECIPE = "{}:\n  rate: 1\n  units: 1\n  pooling: 1\n  epochs: 1\n"
# A model is its recipe's block; what is trained is noted in the file $TRAINED.
STAGES = """
stages:
  train:
    matrix: {recipe: "${recipes}"}
    cmd:
      - mkdir -p model-${item.recipe}
      - sed -n '/^${item.recipe}:/,/epochs/p' params.yaml > model-${item.recipe}/weights
      - echo ${item.recipe} >> $TRAINED
    params: ["${item.recipe}"]
    outs: ["model-${item.recipe}"]
  score:
    matrix: {recipe: "${recipes}"}
    cmd: cksum model-${item.recipe}/weights > reports/runs/${item.recipe}.json
    deps: ["model-${item.recipe}"]
    outs: [{"reports/runs/${item.recipe}.json": {cache: false}}]
  evaluate:
    cmd: sh evaluate.sh
    deps: [evaluate.sh, reports/runs]
    params: [recipes]
    outs: [{reports/report.md: {cache: false}}, {reports/figure.png: {cache: false}}]
  page:
    cmd: cat reports/report.md > reports/report.html
    deps: [reports/report.md]
    outs: [reports/report.html]
"""
EVALUATE = """
for run in reports/runs/*.json; do
  grep -qx -- "- $(basename $run .json)" params.yaml || rm $run
done
cat reports/runs/*.json > reports/report.md
printf '\\0' | cat - reports/report.md > reports/figure.png
"""
DRIVERS = {
    "dvc-lock": shlex.join((sys.executable, str(ROOT / "stages/runner/merge_lock.py"))) + " %O %A %B %P",
    "dvc-output": "true",
}
FILES = {
    "dvc.yaml": STAGES,
    "params.yaml": "recipes:\n- a\n- b\n" + "".join(map(RECIPE.format, "abcd")),
    "evaluate.sh": EVALUATE,
    ".dvc/config": "[core]\nremote = team\nanalytics = false\n['remote \"team\"']\nurl = ../../../team\n",
    ".dvc/.gitignore": "/tmp\n/cache\n",
    ".gitignore": "/model-*\n/reports/report.html\n",
    ".gitattributes": "dvc.lock merge=dvc-lock\nreports/** merge=dvc-output\n",
}


# What `stages.tools.run --pull` does, but for the parameters of this project.
MERGED = """
from pathlib import Path
from stages.runner.alone import alone
from stages.runner.pipeline import bring_up_to_date
from stages.runner.state import sort_lock
from stages.tools.run import fetch

with alone() as lock:
    bring_up_to_date(Path("dvc.yaml"), 2, False, lock, pulled=fetch(Path("dvc.yaml")))
    sort_lock(Path("dvc.lock"))
"""


class Clone:
    """Somebody's clone."""

    def __init__(self, folder: Path, drivers: bool = True) -> None:
        run_in(folder.parent, "git", "clone", "--quiet", "../origin.git", str(folder))
        self.folder = folder
        self.git("config", "user.name", folder.name)
        self.git("config", "user.email", "somebody@localhost")
        if drivers:
            self.register()

    def register(self) -> None:
        for name, command in DRIVERS.items():
            self.git("config", f"merge.{name}.driver", command)

    def git(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return run_in(self.folder, "git", *arguments, check=check)

    def write_params(self, old: str, new: str) -> None:
        """Replace what a regular expression matches."""
        file = self.folder / "params.yaml"
        text, number = re.subn(old, new, file.read_text(), flags=re.MULTILINE)
        assert number == 1
        file.write_text(text)

    @contextmanager
    def dvc(self) -> Iterator["Repo"]:
        from dvc.repo import Repo  # which takes a while to import

        here = Path.cwd()
        os.chdir(self.folder)
        try:
            with Repo() as repo:
                yield repo
        finally:
            os.chdir(here)

    def repro(self) -> None:
        """As `make merged`; and what `make stale` asks for: delete what params.yaml no longer names."""
        with self.dvc() as repo:
            repo.reproduce(pull=True)
            names = {stage.addressing for stage in repo.index.stages}
            lock = parse(Path("dvc.lock").read_text())
            lock["stages"] = {name: entry for name, entry in lock["stages"].items() if name in names}
            Path("dvc.lock").write_text(text_of(lock))
            sort_lock(Path("dvc.lock"))

    def make_merged(self) -> None:
        """As `make merged`, several stages at a time."""
        run_in(self.folder, sys.executable, "-c", MERGED)

    def push(self, branch: str) -> None:
        """Commit and push."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", branch)
        with self.dvc() as repo:
            repo.push(run_cache=True)
        self.git("push", "--quiet", "origin", f"HEAD:{branch}")

    def results(self) -> dict[str, bytes]:
        files = [self.folder / "dvc.lock", *(self.folder / "reports").rglob("*")]
        return {str(file.relative_to(self.folder)): file.read_bytes() for file in files if file.is_file()}


Change = Callable[[Clone], None]


def setting(recipe: str, name: str, value: int) -> Change:
    return lambda clone: clone.write_params(rf"(^{recipe}:\n(?:  .*\n)*?  {name}: )1", rf"\g<1>{value}")


def add(*recipes: str) -> Change:
    return lambda clone: clone.write_params(
        "^- b\n", "- b\n" + "".join(f"- {recipe}\n" for recipe in recipes)
    )


def drop_b(clone: Clone) -> None:
    clone.write_params("^- b\n", "")


class Team(NamedTuple):
    """Where clones come from and what was trained, in turn, in any of them."""

    folder: Path

    def clone(self, name: str, drivers: bool = True) -> Clone:
        return Clone(self.folder / "clones" / name, drivers)

    def branch(self, name: str, *changes: Change) -> Clone:
        """Return a clone in which somebody has made changes, a commit each, trained and pushed."""
        clone = self.clone(name)
        for change in changes:
            change(clone)
            clone.repro()
            clone.push(name)
        return clone

    def alone(self, *changes: Change) -> dict[str, bytes]:
        """Return what one person gets who has made all changes."""
        clone = self.clone("alone")
        for change in changes:
            change(clone)
        clone.repro()
        return clone.results()

    def trained(self) -> list[str]:
        return (self.folder / "trained").read_text().split()


@pytest.fixture
def team(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Team:
    """One that has trained two recipes."""

    def make(folder: Path) -> None:
        (folder / "clones").mkdir()
        run_in(folder, "git", "init", "--quiet", "--bare", "--initial-branch=main", "origin.git")
        first = Clone(folder / "clones/first")
        (first.folder / "reports/runs").mkdir(parents=True)
        (first.folder / ".dvc").mkdir()
        for name, text in FILES.items():
            (first.folder / name).write_text(text)
        monkeypatch.setenv("TRAINED", str(folder / "trained"))
        first.repro()
        first.push("main")

    made = made_once(tmp_path_factory, "branches", make)
    shutil.copytree(made, tmp_path / "team")
    monkeypatch.setenv("TRAINED", str(tmp_path / "team/trained"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return Team(tmp_path / "team")
