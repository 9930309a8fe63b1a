"""The check for stale results, reason by reason."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from stages.benchmarking.speed import speed_text
from stages.networks.provenance import PACKAGES
from stages.runtime.files import json_text
from stages.tools import stale
from tests.conftest import ROOT, run_in
from tests.examples import made_up_benchmark, made_up_scores


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ({"changed deps": {"data/raw": "deleted"}}, []),
        ({"changed outs": {"data/raw": "not in cache"}}, []),
        ({"changed deps": {"stages/pad.py": "modified"}}, ["pad: changed deps: stages/pad.py: modified"]),
        (
            {"changed deps": {"params.yaml": {"seeds": "new"}}},
            ["pad: changed deps: params.yaml: {'seeds': 'new'}"],
        ),
        ({"changed outs": {"reports/a": "deleted"}}, ["pad: changed outs: reports/a: deleted"]),
        ({"changed outs": {"reports/page": "deleted"}}, []),
        ("changed command", ["pad: changed command"]),
    ],
)
def test_absence_is_not_change(reason: Any, said: list[str]) -> None:
    assert list(stale.changes({"pad": [reason]}, {"reports/page"})) == said


def test_a_stage_that_was_not_run_again_is_seen_without_data() -> None:
    stages = {
        "pad": {"outs": [{"path": "data/padded", "md5": "new"}]},
        "train": {"deps": [{"path": "data/padded", "md5": "old"}, {"path": "stages/train.py", "md5": "any"}]},
    }
    assert list(stale.broken_links(stages, stale.made_by(stages))) == [
        "train: was not run again after data/padded changed"
    ]
    stages["train"]["deps"][0]["md5"] = "new"
    assert list(stale.broken_links(stages, stale.made_by(stages))) == []


@pytest.mark.parametrize("study", ["dvc.yaml", "stages/side/dvc.yaml"])
def test_entries_of_dropped_runs_are_named(
    study: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lock = Path(study).with_suffix(".lock")
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.write_text("stages: {a@1: {cmd: x}, a@2: {cmd: x}}\n")
    listed = "a@1" if study == "dvc.yaml" else f"{study}:a@1"
    monkeypatch.setattr(stale, "printed", lambda *command: f"{listed}\n" if study in command else "")
    said = f"a@2: in {lock}, but params.yaml names no such run: delete its entry there"
    assert stale.locked(Path(study)) == ({"a@1": {"cmd": "x"}}, [said])


def test_a_release_before_the_last_training_is_seen_without_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    scores = {seed: Path(f"reports/runs/tuned-{seed}.json") for seed in (0, 1, 10)}
    scores[10].parent.mkdir(parents=True)
    for seed, file in scores.items():
        file.write_text(json_text(made_up_scores(0.8, 0.7 if seed else 0.6)))
    Path("reports/runs/tuned-2.json").write_text("what is left of a seed that was dropped")
    outputs = [*map(str, scores.values()), "reports/runs/other-0.json", "data/released"]
    released = {
        "rnn": {"recipe": "tuned", "seed": 0, "validation_accuracy": 0.8},
        "lstm": {"recipe": "tuned", "seed": 1, "validation_accuracy": 0.7},  # of equals the first
    }
    assert list(stale.not_released(released, outputs)) == []
    for change in ({"seed": 10}, {"validation_accuracy": 0.75}, {"recipe": "none"}):
        again = {**released, "lstm": released["lstm"] | change}
        (reason,) = stale.not_released(again, outputs)
        assert reason.startswith("release: was not run again after the LSTM runs of ")


def test_a_page_that_quotes_other_results_is_named_with_the_command_that_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("reports").mkdir()
    pages = Path("README.md"), Path("other.md")
    for page in pages:
        page.write_text("<!-- from reports/a.md -->\n| a |\n<!-- end of reports/a.md -->\n")
    Path("reports/a.md").write_text("| a |\n")
    assert list(stale.misquoted(pages)) == []
    Path("other.md").write_text("<!-- from reports/a.md -->\n| b |\n<!-- end of reports/a.md -->\n")
    assert list(stale.misquoted(pages)) == [
        "other.md: quotes other results than those in reports: run `python -m stages.tools.quote`"
    ]


METRICS = {"prepadded": {"rnn": {"accuracy": 0.686, "loss": 0.6}, "difference": {"loss": -0.158}}}
WALK = """```
$ dvc metrics diff --md
| Path                 | Metric                    | HEAD   | workspace   | Change   |
|----------------------|---------------------------|--------|-------------|----------|
| reports/metrics.json | prepadded.difference.loss | -0.158 | 0.044       | 0.202    |
| reports/metrics.json | prepadded.rnn.accuracy    | 0.686  | 0.84        | 0.154    |
```
"""


@pytest.mark.parametrize(
    ("walk", "said"),
    [
        (WALK, None),
        ("Nothing yet.\n", None),
        (
            WALK.replace("0.686 ", "0.685 "),
            "prepadded.rnn.accuracy = 0.685, and reports/metrics.json has 0.686",
        ),
        (
            WALK.replace("-0.158", "0.158 "),
            "prepadded.difference.loss = 0.158, and reports/metrics.json has -0.158",
        ),
        (
            WALK.replace("prepadded.rnn", "dropped.rnn"),
            "dropped.rnn.accuracy = 0.686, and reports/metrics.json has",
        ),
    ],
)
def test_a_walk_from_other_results_is_named(walk: str, said: str | None) -> None:
    reasons = list(stale.walked(walk, METRICS))
    assert len(reasons) == (said is not None)
    if said:
        assert reasons[0].startswith(f"reports/walk.md: starts from {said}")
        assert reasons[0].endswith(": commit the results, then run `make walk`")


def test_answers_of_other_models_are_named() -> None:
    answers = "```\n$ python -m stages.tools.predict x\n```\n\n<!-- by data/released 12.dir -->\n"
    assert list(stale.answered(answers, "12.dir")) == []
    assert list(stale.answered("Nothing yet.\n", "12.dir")) == []
    for other in ("13.dir", None):
        (reason,) = stale.answered(answers, other)
        assert reason.startswith("reports/answers.md: ") and "`make walk`" in reason


def test_commands_that_are_no_longer_shown_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("reports").mkdir()
    report = Path("reports/walk.md")
    report.write_text("```\n$ dvc params diff --md\n| $ |\n```\n\n```\n$ dvc metrics diff\n```\n")
    shown = ["git commit", "dvc params diff --md", "dvc repro", "dvc metrics diff"]
    assert list(stale.other_commands({"walk": shown})) == []
    for other in (shown[:-1], [*shown[:-1], "dvc metrics diff --md"], shown[::-1]):
        (reason,) = stale.other_commands({"walk": other})
        assert reason.startswith("reports/walk.md: ") and reason.endswith("run `make walk`")
    report.write_text("Nothing yet.\n")
    assert list(stale.other_commands({"walk": shown})) == []


def test_a_benchmark_of_other_templates_is_named() -> None:
    measured = made_up_benchmark()
    page = speed_text(measured)
    assert list(stale.not_rendered(measured, page)) == []
    (reason,) = stale.not_rendered(made_up_benchmark(avx512=False), page)
    assert reason.startswith("reports/benchmark.md: ") and "benchmark --render`" in reason


NUMPY = """# made by uv
keras==3.15.1 \\
    --hash=sha256:00
numpy==2.2.6 ; python_full_version < '3.11' \\
    --hash=sha256:00
    # via keras
numpy==2.4.6 ; python_full_version == '3.11.*' \\
    --hash=sha256:00
"""


@pytest.mark.parametrize(
    ("python", "numpy", "pins"),
    [
        ("3.11", "2.4.6", None),
        ("3.10", "2.2.6", None),
        ("3.10", "2.4.6", "==2.2.6"),
        ("3.11", "2.4.5", "==2.4.6"),
        ("3.12", "2.4.6", "no version"),
    ],
)
def test_models_of_packages_that_are_no_longer_pinned(python: str, numpy: str, pins: str | None) -> None:
    made = {"python": python, "packages": {"keras": "3.15.1", "numpy": numpy}}
    reports = [(Path("reports/runs/a-0.json"), made), (Path("reports/runs/a-1.json"), made)]
    said = (
        f"reports/runs/a-0.json: made with numpy {numpy}, and requirements.txt pins {pins} "
        f"for Python {python}: pin the former version, or train again with `dvc repro --force`"
    )
    assert list(stale.unpinned(reports, NUMPY)) == ([] if pins is None else [said])


def test_the_projects_own_requirements_pin_one_version_for_each_python() -> None:
    text = (ROOT / "requirements.txt").read_text()
    for python in ("3.10", "3.11", "3.12", "3.13"):
        made = {"python": python, "packages": dict.fromkeys(PACKAGES, "0")}
        said = list(stale.unpinned([(Path("a"), made)], text))
        assert len(said) == len(PACKAGES)
        assert all(re.search(r" pins ==[\d.]+ for ", reason) for reason in said)


def test_a_side_study_is_noted_and_its_copied_table_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    table = tmp_path / "reports/side.json"
    table.parent.mkdir()
    table.write_text("{}\n")
    digest = "8a80554c91d9fca8acb82f023de02f11"
    lock = {"choose": {"outs": [{"path": "data/side/table.json", "md5": digest}]}}
    assert list(stale.not_copied("side", {})) == list(stale.not_copied("side", lock)) == []
    command = "python -m stages.tools.run stages/side/dvc.yaml"
    said = f"reports/side.json: is not what the side study made: run `{command}`"
    table.write_text("{ }\n")
    assert list(stale.not_copied("side", lock)) == [said]
    table.unlink()
    assert list(stale.not_copied("side", lock)) == [said]

    study = Path("stages/side/dvc.yaml")
    runs = f"; `{command}` runs it"
    assert stale.side_note(study, ["x"], False) == f"{study}: was never run{runs}"
    reasons = [f"{study}:train: changed command", "y", "z"]
    assert stale.side_note(study, reasons, True) == f"{study}: train: changed command, and 2 more{runs}"


def check(folder: Path) -> tuple[int, str, str]:
    """Return the exit status of this project's check in a folder, what it printed, and its errors."""
    result = run_in(folder, "env", f"PYTHONPATH={ROOT}", "python", "-m", "stages.tools.stale", check=False)
    return result.returncode, result.stdout, result.stderr


SIDE = """
stages:
  choose:
    wdir: ../..
    cmd: mkdir -p data/side; cp {} data/side/table.json
    deps: [{}]
    outs: [data/side/table.json]
"""


def test_only_the_main_study_has_to_be_up_to_date(tmp_path: Path) -> None:
    """On a project of one stage, with a side study."""
    stages = "stages:\n  one:\n    cmd: cp in out; cp in page\n    deps: [in]\n"
    stages += "    outs: [page, out: {cache: false}]\n"
    files = {
        "dvc.yaml": stages,
        "in": "1",
        "reports/metrics.json": "{}",
        "reports/released.json": "{}",
        "reports/benchmark.json": json_text(made_up_benchmark()),
        "reports/benchmark.md": speed_text(made_up_benchmark()),
        "requirements.txt": "",
        "stages/side/dvc.yaml": SIDE.format("in", "in"),
        **dict.fromkeys(("README.md", "data/README.md", "stages/runner/README.md"), "Nothing yet.\n"),
        **dict.fromkeys(("reports/walk.md", "reports/answers.md", "reports/engines.md"), "Nothing yet.\n"),
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text((ROOT / ".dvc/config").read_text())
    run_in(tmp_path, "git", "init", "--quiet")
    run_in(tmp_path, "dvc", "repro")

    fine = "The committed results belong to the committed code and parameters.\n"
    status, printed, errors = check(tmp_path)
    assert (status, errors) == (0, "")
    assert printed.startswith("not up to date: stages/side/dvc.yaml: was never run; ")
    run_in(tmp_path, "dvc", "repro", "stages/side/dvc.yaml")
    (tmp_path / "reports/side.json").write_text("1")
    assert check(tmp_path) == (0, fine, "")
    # What is only absent is not stale, where DVC keeps it.
    for name in ("page", "data/side/table.json"):
        (tmp_path / name).unlink()
    shutil.rmtree(tmp_path / ".dvc/cache")
    assert check(tmp_path) == (0, fine, "")
    (tmp_path / "stages/side/dvc.yaml").write_text(SIDE.format("dvc.yaml", "in"))
    status, printed, errors = check(tmp_path)
    assert (status, errors) == (0, "")
    assert printed.startswith("not up to date: stages/side/dvc.yaml: choose: changed command; ")
    (tmp_path / "reports/side.json").write_text("2")
    assert check(tmp_path)[0] == 1
    (tmp_path / "reports/side.json").write_text("1")
    (tmp_path / "out").unlink()
    status, _, errors = check(tmp_path)
    assert status == 1 and errors.startswith("stale: one: changed outs: out: deleted\nstale: these results")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    status, _, errors = check(tmp_path)
    said = "stale: dvc.lock does not exist: run the stages before this one, `dvc repro` runs all\n"
    assert (status, errors) == (1, said)
