"""The check for stale results, reason by reason."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from stages.networks.provenance import PACKAGES
from stages.tools import stale
from tests.conftest import ROOT, run_in


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


def test_entries_of_dropped_runs_are_named() -> None:
    assert [line.split(":")[0] for line in stale.left_over({"a": {}, "b": {}}, {"a"})] == ["b"]


QUOTING = "before\n<!-- from reports/{0}.md -->\n{1}<!-- end of reports/{0}.md -->\nafter\n"


def test_a_page_that_quotes_other_results_is_named_with_the_command_that_mends_it(tmp_path: Path) -> None:
    for name in ("results", "walk"):
        (tmp_path / f"{name}.md").write_text(f"| {name} |\n")
    readme = QUOTING.format("results", "| results |\n") + QUOTING.format("walk", "| old |\n<!-- by x -->\n")
    assert list(stale.misquoted(readme, tmp_path)) == [
        "README.md: what it quotes is not reports/walk.md: run `python -m stages.tools.quote`"
    ]
    (tmp_path / "walk.md").write_text("| old |\n<!-- by x -->\n")
    assert list(stale.misquoted(readme, tmp_path)) == []


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
        "requirements.txt": "",
        "stages/side/dvc.yaml": SIDE.format("in", "in"),
        **dict.fromkeys(("README.md", "reports/walk.md", "reports/answers.md"), "Nothing yet.\n"),
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
