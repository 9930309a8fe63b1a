"""The check for stale results, reason by reason."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from stages.runtime.files import json_text
from stages.params.study import load_params
from tests.conftest import ROOT, run_in
from tests.examples import PARAMS, made_up_search

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


QUOTING = "before\n<!-- from reports/{0}.md -->\n{1}<!-- end of reports/{0}.md -->\nafter\n"


def test_a_page_that_quotes_other_results_is_named_with_the_command_that_mends_it(tmp_path: Path) -> None:
    for name in ("results", "walk"):
        (tmp_path / f"{name}.md").write_text(f"| {name} |\n")
    readme = QUOTING.format("results", "| results |\n") + QUOTING.format("walk", "| old |\n<!-- by x -->\n")
    assert list(stale.misquoted(readme, tmp_path)) == [
        "README.md: what it quotes is not reports/walk.md: run `python -m stages.reporting.report`"
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


def changed_search(**changes: Any) -> dict[str, Any]:
    """Return the tests' parameters of the search, changed."""
    return load_params(PARAMS).search.model_dump(mode="json") | changes


@pytest.mark.parametrize(
    ("changes", "fits"),
    [
        ({}, True),
        ({"learning_rates": [0.01, 0.003, 0.001]}, True),
        ({"settings": {"train.epsilon": [1e-7, 1e-5], "model.pooling": ["last", "mean"]}}, True),
        ({"recipe": "long"}, False),
        ({"seeds": [0, 2]}, False),
        ({"seeds": [0]}, False),
        ({"finalists": 1}, False),
        ({"learning_rates": [0.001, 0.003]}, False),
        ({"settings": {"model.pooling": ["last", "mean"]}}, False),
        ({"settings": {"model.pooling": ["last", "mean"], "train.epsilon": [1e-7, 1e-6]}}, False),
    ],
)
def test_a_search_of_another_grid_is_named(changes: dict[str, Any], fits: bool) -> None:
    found = json.loads(json_text(made_up_search(load_params(PARAMS))))
    reasons = list(stale.searched(found, changed_search(**changes)))
    said = "reports/search.json: is not of the search in params.yaml: run `make search`"
    assert reasons == ([] if fits else [said])


def test_a_search_with_one_seed() -> None:
    params = load_params(PARAMS)
    one = params.model_copy(update={"search": params.search.model_copy(update={"seeds": (0,)})})
    found = json.loads(json_text(made_up_search(one)))
    assert list(stale.searched(found, changed_search(seeds=[0]))) == []
    assert list(stale.searched(found, changed_search(seeds=[0, 1])))


def test_a_recipe_that_was_trained_apart_on_other_seeds_is_named() -> None:
    apart: dict[str, Any] = {"long": {"runs": {"0": {}, "10": {}, "2": {}}}}
    assert list(stale.trained_apart(apart, [0, 2, 10])) == list(stale.trained_apart({}, [0])) == []
    assert list(stale.trained_apart(apart, [0, 1, 2])) == [
        "reports/apart.json: long has other seeds than params.yaml: run `python -m stages.apart long`"
    ]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    result = run_in(tmp_path, "python", str(ROOT / "stages/tools/stale.py"), check=False)
    assert (result.returncode, result.stderr) == (1, "stale: dvc.lock is not there: run `make report`\n")
