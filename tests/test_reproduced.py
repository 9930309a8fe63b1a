"""A rerun against the committed results: same bytes, same conclusions, others, or no comparison."""

import hashlib
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

from stages.params.recipe import CELLS
from stages.runtime.files import json_text, write_atomically
from stages.tools import reproduced
from tests.conftest import ROOT, run_in

Accuracies = dict[str, list[tuple[float, float]]]  # recipe → (RNN, LSTM) per seed
COMMITTED: Accuracies = {"notebook": [(0.56, 0.86), (0.6, 0.86)], "tuned": [(0.87, 0.9), (0.87, 0.89)]}
BAG_OF_WORDS = 0.88  # accuracy of both models
Call = Callable[..., tuple[int, str, str]]


def difference(values: list[float]) -> dict[str, Any]:
    """What `evaluate` would write of these differences, one per seed; the interval is made up."""
    return {"mean": float(np.mean(values)), "interval": [min(values), max(values)]}


def save(accuracies: Accuracies, **settings: Any) -> None:
    """Write what a study with these test accuracies leaves in git, in the form of the stages and of DVC."""
    bags = [{"words": words, "tokens": "cut"} for words in ("single", "pairs")]
    files: dict[str, Any] = {"reports/bag_of_words.json": bags, "reports/comparison.json": {}}
    for recipe, pairs in accuracies.items():
        of_cell = dict(zip(CELLS, zip(*pairs, strict=True), strict=True))
        files["reports/comparison.json"][recipe] = {
            "difference": difference([lstm - rnn for rnn, lstm in pairs]),
            "over_bag_of_words": {
                cell: [difference([value - BAG_OF_WORDS for value in values])] * len(bags)
                for cell, values in of_cell.items()
            },
        }
        for seed, pair in enumerate(pairs):
            run: dict[str, Any] = {"settings": settings}
            run |= {cell: {"test": {"accuracy": each}} for cell, each in zip(CELLS, pair, strict=True)}
            files[f"reports/runs/{recipe}-{seed}.json"] = run
    outputs = {f"data/models/{name}": repr(each) for name, each in accuracies.items()}
    for path, content in files.items():
        outputs[path] = json_text(content)
        write_atomically(Path(path), outputs[path])
    save_lock({path: hashlib.md5(text.encode()).hexdigest() for path, text in outputs.items()})


def save_lock(outputs: dict[str, str]) -> None:
    """Write dvc.lock: a stage for each output."""
    stages = {
        f"stage@{path}": {"cmd": "x", "outs": [{"path": path, "md5": md5}]} for path, md5 in outputs.items()
    }
    stages["stage@none"] = {"cmd": "x"}
    with Path("dvc.lock").open("w") as file:
        YAML(typ="safe", pure=True).dump({"schema": "2.0", "stages": stages}, file)


@pytest.fixture
def call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Call]:
    """The command, in a repository whose last commit is COMMITTED: its status, and what it prints."""
    monkeypatch.chdir(tmp_path)
    save(COMMITTED)
    identity = ("-c", "user.name=test", "-c", "user.email=test@localhost")
    for command in (("init", "--quiet"), ("add", "--all"), (*identity, "commit", "--quiet", "-m", "results")):
        run_in(tmp_path, "git", *command)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["reproduced", *arguments])
        with pytest.raises(SystemExit) as ended:
            reproduced.main()
        printed = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, printed.out, printed.err

    yield call
    for number, handler in before.items():
        signal.signal(number, handler)


def test_same_bytes(call: Call) -> None:
    save(COMMITTED)
    assert call() == (0, "Same bytes: the 8 outputs in dvc.lock are those of HEAD.\n", "")
    run_in(Path(), "git", "tag", "v1")
    assert call("v1") == (0, "Same bytes: the 8 outputs in dvc.lock are those of v1.\n", "")


def test_same_conclusions(call: Call) -> None:
    save(COMMITTED | {"notebook": [(0.56, 0.86), (0.595, 0.864)]})
    assert call() == (
        0,
        "Same conclusions; the largest difference of a run's test accuracy is 0.5 percentage points "
        "(notebook rnn seed 1), of a mean 0.25 (notebook rnn).\n",
        "",
    )
    # One seed's loss is another's gain: of a mean nothing moves as far.
    save(COMMITTED | {"notebook": [(0.52, 0.864), (0.64, 0.86)]})
    assert "is 4 percentage points (notebook rnn seed 0), of a mean 0.2 (notebook lstm)" in call()[1]


def test_other_bytes_with_the_same_accuracies(call: Call) -> None:
    save(COMMITTED)
    lock = YAML(typ="safe", pure=True).load(Path("dvc.lock"))["stages"].values()
    save_lock(
        {out["path"]: out["md5"] for stage in lock for out in stage.get("outs", ())}
        | {"data/models/tuned": "0"}
    )
    said = "Same conclusions; every run has the same test accuracy, but some outputs have other bytes.\n"
    assert call() == (0, said, "")


@pytest.mark.parametrize(
    ("tuned", "here"),
    [
        ([(0.87, 0.87), (0.87, 0.87)], "+0.0 (+0.0 to +0.0), which includes 0, here"),
        ([(0.9, 0.87), (0.89, 0.87)], "below 0, here"),
    ],
)
def test_other_conclusions(call: Call, tuned: list[tuple[float, float]], here: str) -> None:
    save(COMMITTED | {"tuned": tuned})
    status, said, errors = call()
    assert (status, errors) == (1, "")
    first, *verdicts, last = said.splitlines()
    assert first == f"Other conclusions, {len(verdicts)} of 10 (percentage points and 95 % interval):"
    (verdict,) = (each for each in verdicts if each.startswith("  tuned: LSTM − RNN: "))
    assert verdict.startswith("  tuned: LSTM − RNN: +2.5 (") and ", above 0, in HEAD; " in verdict
    assert verdict.endswith(here)
    assert any(each.startswith("  tuned: LSTM − bag of words (single, cut): ") for each in verdicts)
    assert not any("notebook" in each for each in verdicts)
    assert last.startswith("The largest difference of a run's test accuracy is 3 percentage points (tuned ")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("dvc.lock", None, "dvc.lock is not in the working copy"),
        ("dvc.lock", "stages: [", "dvc.lock in the working copy is no lock file of DVC"),
        ("dvc.lock", "", "dvc.lock in the working copy is no lock file of DVC"),
        ("dvc.lock", "stages: {}", "dvc.lock in the working copy has no runs: `dvc repro` trains them"),
        ("reports/runs/tuned-1.json", None, "reports/runs/tuned-1.json is not in the working copy"),
        ("reports/comparison.json", None, "reports/comparison.json is not in the working copy"),
        ("reports/comparison.json", "{", "reports/comparison.json in the working copy is not valid JSON"),
        ("reports/comparison.json", '{"a": {}}', "have another form: 'difference' is missing"),
        ("reports/bag_of_words.json", None, "reports/bag_of_words.json is not in the working copy"),
    ],
)
def test_files_that_are_missing_or_broken(call: Call, name: str, content: str | None, said: str) -> None:
    Path(name).unlink()
    if content is not None:
        Path(name).write_text(content)
    status, out, errors = call()
    assert (status, out) == (2, "")
    assert errors.startswith("reproduced: ") and errors.endswith(f"{said}\n") and errors.count("\n") == 1


def test_a_commit_without_results(call: Call) -> None:
    run_in(Path(), "git", "rm", "--quiet", "--cached", "reports/runs/tuned-0.json")
    run_in(
        Path(), "git", "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "--quiet", "-m", "less"
    )
    assert call() == (2, "", "reproduced: reports/runs/tuned-0.json is not in HEAD\n")
    assert call("HEAD~1")[0] == 0


def test_a_revision_that_is_none(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no-such", "HEAD:dvc.lock", ""):
        assert call(name) == (2, "", f"reproduced: {name!r} is no commit of this repository\n")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert call() == (2, "", "reproduced: 'HEAD' is no commit of this repository\n")


def test_another_study_is_no_rerun(call: Call) -> None:
    save(COMMITTED | {"mine": [(0.8, 0.8), (0.8, 0.8)]})
    said = "reproduced: the run 'mine-0' is only in the working copy: the two have other recipes or seeds\n"
    assert call() == (2, "", said)
    save({"tuned": COMMITTED["tuned"]})
    said = "reproduced: the run 'notebook-0' is only in HEAD: the two have other recipes or seeds\n"
    assert call() == (2, "", said)
    save(COMMITTED, maxlen=100)
    assert call() == (2, "", "reproduced: notebook-0 has other settings than in HEAD: this is no rerun\n")


def test_the_command_line(call: Call, tmp_path: Path) -> None:
    assert call("--revision")[0] == 2
    result = run_in(tmp_path, "env", f"PYTHONPATH={ROOT}", "python", "-m", "stages.tools.reproduced")
    assert result.stdout.startswith("Same bytes: ")
