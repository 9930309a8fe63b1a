"""The check for stale results, reason by reason."""

import importlib.util
from typing import Any

import pytest

from tests.conftest import ROOT

specification = importlib.util.spec_from_file_location("stale", ROOT / ".ci" / "stale.py")
assert specification and specification.loader
stale = importlib.util.module_from_spec(specification)
specification.loader.exec_module(stale)


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
        ("changed command", ["pad: changed command"]),
    ],
)
def test_absence_is_not_change(reason: Any, said: list[str]) -> None:
    assert list(stale.changes({"pad": [reason]})) == said


def test_a_stage_that_was_not_run_again_is_seen_without_data() -> None:
    stages = {
        "pad": {"outs": [{"path": "data/padded", "md5": "new"}]},
        "train": {"deps": [{"path": "data/padded", "md5": "old"}, {"path": "stages/train.py", "md5": "any"}]},
    }
    assert list(stale.broken_links(stages)) == ["train: was not run again after data/padded changed"]
    stages["train"]["deps"][0]["md5"] = "new"
    assert list(stale.broken_links(stages)) == []


def test_entries_of_dropped_runs_are_named() -> None:
    assert [line.split(":")[0] for line in stale.left_over({"a": {}, "b": {}}, {"a"})] == ["b"]
