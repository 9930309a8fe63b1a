"""A small generated archive, small parameters, and copies of the project to run the pipeline in."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

from stages.params.recipe import Model, Pad
from stages.params.study import load_params
from tests.examples import PARAMS, no_stages

pytest_plugins = ["tests.browsing", "tests.changed", "tests.faults.table", "tests.team", "tests.ticking"]

ROOT = Path(__file__).resolve().parent.parent
# A net of a handful of numbers.
SMALL = Model(
    mask_zero=False,
    embedding_dim=3,
    ppmi_window=None,
    units=4,
    activation="tanh",
    pooling="last",
    embedding_dropout=0.0,
    word_dropout=0.0,
    output_dropout=0.0,
)
PAD = Pad(
    num_words=8,  # so ranks up to 4 have tokens
    maxlen=6,
    padding="pre",
    truncating="pre",
    split_by="review",
    validation_split=0.2,
    split_seed=0,
)
GOOD, BAD = 5, 6  # word ranks that decide a generated review's label


def generated_reviews(number: int, seed: int, ranks: int = 30) -> tuple[list[list[int]], list[int]]:
    """Return reviews of 3 to 30 word ranks below `ranks`, GOOD in the positive and BAD in the negative."""
    random = np.random.default_rng(seed)
    reviews, labels = [], []
    for i in range(number):
        words = random.integers(7, ranks, size=random.integers(3, 31)).tolist()
        words[random.integers(len(words))] = (BAD, GOOD)[i % 2]
        reviews.append(words)
        labels.append(i % 2)
    return reviews, labels


def write_archive(path: Path, **arrays: Any) -> None:
    """Write an archive as Keras serves it: reviews are pickled lists in an object array."""
    objects: dict[str, Any] = {}
    for name, values in arrays.items():
        objects[name] = np.empty(len(values), object if name.startswith("x_") else int)
        objects[name][:] = values
    np.savez(path, **objects)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_mirror(folder: Path, ranks: int) -> None:
    """Write a generated imdb.npz and imdb_word_index.json, of word ranks below `ranks`."""
    folder.mkdir()
    x_train, y_train = generated_reviews(120, 1, ranks)
    x_test, y_test = generated_reviews(60, 2, ranks)
    write_archive(folder / "imdb.npz", x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    words = {f"word{rank}": rank for rank in range(1, ranks)}
    (folder / "imdb_word_index.json").write_text(json.dumps(words))


def from_mirror(folder: Path) -> dict[str, Any]:
    """Return the parameters of `download` that take what `write_mirror` has written."""
    names = {"archive": "imdb.npz", "word_index": "imdb_word_index.json"}
    return {
        "mirrors": ["no/such/folder", str(folder)],
        "digests": {name: [sha256(folder / file)] for name, file in names.items()},
    }


@pytest.fixture(scope="session")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a generated imdb.npz and imdb_word_index.json."""
    folder = tmp_path_factory.mktemp("mirrors") / "small"
    write_mirror(folder, ranks=30)
    return folder


@pytest.fixture(scope="session")
def small_params(mirror: Path) -> dict[str, Any]:
    return made_small(mirror)


def made_small(mirror: Path) -> dict[str, Any]:
    """Return the tests' parameters, made small: the generated archive, short reviews, one seed."""
    params = YAML(typ="safe", pure=True).load(PARAMS.read_text())
    params["download"] = from_mirror(mirror)
    params["seeds"] = [0]
    for recipe in (*params["recipes"], "long"):
        params[recipe]["pad"] |= {"num_words": 40, "maxlen": 20}
        params[recipe]["train"] |= {"epochs": 2}
    params["bag_of_words"] |= {"C": [1.0, 10.0]}
    params["delayed_recall"] |= {"seeds": [0], "learning_rate": [0.003], "delays": [2, 4]}
    params["delayed_recall"] |= {"sequences": 40, "num_tokens": 10}
    params["delayed_recall"]["model"] |= {"embedding_dim": 4, "units": 4}
    params["delayed_recall"]["train"] |= {"epochs": 1}
    params["inspection"] = {"reviews": 5, "positions": 10, "shown_tokens": [3, 20]}
    return dict(params)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-digests", action="store_true", help="write tests/digests.json, not compare with it"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the longest test, whose worker makes `pipeline`; end with the others that need it.

    The other worker does not have to wait for it.
    """
    longest = "test_a_forced_run_makes_the_same_bytes"
    items.sort(
        key=lambda item: item.name != longest and 1 + ("pipeline" in getattr(item, "fixturenames", ()))
    )


def run_in(folder: Path, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder with this Python first on the path."""
    result = subprocess.run(
        command,
        cwd=folder,
        check=False,
        text=True,
        capture_output=True,
        env=os.environ
        | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "LC_ALL": "C"},
    )
    assert not check or result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result


def eventually(condition: Callable[[], bool], seconds: float = 30) -> bool:
    """Wait until a condition holds and return whether it did."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return False


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return a folder that `make` has filled: once, for all of pytest-xdist's workers, who wait for it."""
    shared = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder = shared / name
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            folder.mkdir()
            try:
                make(folder)
            except BaseException:
                shutil.rmtree(folder)
                raise
    return folder


class Project:
    """A copy of this project in a git repository of its own, with small parameters."""

    def __init__(self, folder: Path, params: dict[str, Any] | None = None) -> None:
        """`params` are what its params.yaml holds."""
        self.folder = folder
        self.params = params or YAML(typ="safe", pure=True).load(self.text("params.yaml"))

    @classmethod
    def new(cls, folder: Path, params: dict[str, Any]) -> "Project":
        """Return one that has no results but what no stage makes, made up."""
        project = cls(folder, json.loads(json.dumps(params)))
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.check_output(listed, cwd=ROOT, text=True).split("\0")
        for name in filter(None, names):
            source, target = ROOT / name, folder / name
            if source.is_file() and source.name != "dvc.lock" and not name.startswith("reports/"):
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
        project.save_params()
        (folder / "reports").mkdir()
        for name, text in no_stages(load_params(folder / "params.yaml")).items():
            (folder / "reports" / name).write_text(text)
        project.run("git", "init", "--quiet", "--initial-branch=main")
        project.commit("start")
        return project

    def copy(self, folder: Path) -> "Project":
        """Return one with the same files, results and cache."""
        shutil.copytree(self.folder, folder)
        return Project(folder)

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command in the project's folder."""
        return run_in(self.folder, *command, check=check)

    def stage(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one stage without DVC, whether or not it succeeds."""
        return self.run("python", "-m", f"stages.{name}", *arguments, check=False)

    def make(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `make`, with this Python and its packages as if `make setup` had made them."""
        installed = self.folder / ".venv/requirements.txt"
        installed.parent.mkdir(exist_ok=True)
        installed.touch()
        make = ("env", "--unset=MAKEFLAGS", "--unset=MAKELEVEL", "make", "--no-print-directory")
        return self.run(*make, *arguments, check=check)

    def repro(self, *arguments: str) -> set[str]:
        """Run `dvc repro` and return the names of the stages that ran."""
        output = self.run("dvc", "repro", *arguments).stdout
        return {line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage")}

    def save_params(self) -> None:
        """Write the parameters, as they are now, to params.yaml."""
        with (self.folder / "params.yaml").open("w") as file:
            YAML(typ="safe", pure=True).dump(self.params, file)

    def commit(self, message: str) -> None:
        """Commit everything."""
        self.run("git", "add", "--all")
        identity = ("-c", "user.name=test", "-c", "user.email=test@localhost")
        self.run("git", *identity, "commit", "--quiet", "--allow-empty", "-m", message)

    def text(self, name: str) -> str:
        return (self.folder / name).read_text()


@pytest.fixture
def project(tmp_path: Path, small_params: dict[str, Any]) -> Project:
    """A fresh copy of the project, with parameters of its own to change."""
    return Project.new(tmp_path / "project", small_params)


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a project whose pipeline has run, said.txt, which is what it printed, and the archive.

    Nobody may change it: `trained` is a copy. Its two recipes have between them all that the project's own
    have, and batches as the real ones: of a thousand tokens, several hundred of them different.
    """

    return made_once(tmp_path_factory, "pipeline", run_pipeline)


def run_pipeline(folder: Path) -> None:
    """Make what the fixture `pipeline` is, in an empty folder."""
    mirror = folder / "mirror"
    write_mirror(mirror, ranks=1000)
    params = made_small(mirror)
    params["recipes"] = ["prepadded", "tuned"]
    for recipe in params["recipes"]:
        params[recipe]["pad"] |= {"num_words": 1100, "maxlen": 40}
    project = Project.new(folder / "project", params)
    said = project.run("python", "-m", "stages.tools.run", "--jobs", "2", "--verbose").stdout
    (folder / "said.txt").write_text(said)


@pytest.fixture
def trained(pipeline: Path, tmp_path: Path) -> Project:
    """A copy of the project whose pipeline has run."""
    return Project(pipeline / "project").copy(tmp_path / "trained")
