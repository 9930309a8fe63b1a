"""What a change did, as `dvc … diff` and a pull request's summary tell it. Two revisions are committed."""

import json
import re

import pytest

from stages.reporting.comparison import compare_recipes
from stages.reporting.tables import learning_curves, metrics
from stages.runtime.files import json_text
from tests.conftest import Project
from tests.examples import made_up_audit, made_up_bags, made_up_scores


def save_results(project: Project, rnn: float, lstm: float) -> None:
    """Write what `evaluate` would write of these test accuracies for `dvc metrics` and `dvc plots`."""
    runs = {"tuned": dict.fromkeys((0, 1), made_up_scores(rnn, lstm))}
    results = compare_recipes(runs, made_up_audit(), made_up_bags())
    (project.folder / "reports/learning_curves").mkdir(exist_ok=True)
    (project.folder / "reports/metrics.json").write_text(json_text(metrics(results)))
    compared = {name: result.as_json() for name, result in results.items()}
    (project.folder / "reports/comparison.json").write_text(json_text(compared))
    for name, table in learning_curves(runs).items():
        table.to_csv(project.folder / f"reports/learning_curves/{name}.csv", index=False)


@pytest.fixture
def changed(project: Project) -> Project:
    """A project whose last commit made the tuned LSTM better."""
    save_results(project, 0.86, 0.86)
    (project.folder / "reports/figures").mkdir()
    for name, content in (("accuracy", "old"), ("roc", "the same")):
        (project.folder / f"reports/figures/{name}.png").write_text(content)
    project.commit("before")
    (project.folder / "reports/figures/accuracy.png").write_text("new")
    project.params["tuned"]["lstm"]["learning_rate"] = 0.002
    project.save_params()
    save_results(project, 0.86, 0.87)
    project.commit("a faster LSTM")
    return project


def test_metrics_and_parameters_tell_the_change_and_nothing_else(changed: Project) -> None:
    said = json.loads(changed.run("dvc", "metrics", "diff", "HEAD~1", "HEAD", "--json").stdout)
    moved = said["reports/metrics.json"]
    assert moved["tuned.lstm.accuracy"] == {"old": 0.86, "new": 0.87, "diff": pytest.approx(0.01)}
    assert moved["tuned.difference.accuracy"]["new"] == 0.01
    assert moved["tuned.lstm.validation_accuracy"]["new"] == 0.87
    assert not any(name.startswith("tuned.rnn") for name in moved)
    said = json.loads(changed.run("dvc", "params", "diff", "HEAD~1", "HEAD", "--json").stdout)
    assert {name for file in said.values() for name in file} == {"tuned.lstm.learning_rate"}


def test_the_learning_curves_of_both_revisions_are_in_one_plot(changed: Project) -> None:
    said = json.loads(changed.run("dvc", "plots", "diff", "HEAD~1", "HEAD", "--json").stdout)["data"]
    (plot,) = said["reports/learning_curves/tuned-lstm.csv"]
    values = plot["content"]["data"]["values"]
    assert {row["rev"] for row in values} == {"HEAD~1", "HEAD"}
    assert {row["seed"] for row in values} == {"0", "1"}
    encoding = plot["content"]["encoding"]
    assert encoding["detail"]["field"] == "seed"  # a line per seed
    assert (encoding["x"]["title"], encoding["y"]["title"]) == ("epoch", "validation accuracy")
    assert encoding["color"]["scale"]["domain"] == ["HEAD~1", "HEAD"]


def test_the_summary_of_a_pull_request(changed: Project) -> None:
    addresses = ("https://example.org/raw/old", "https://example.org/raw/new")
    text = changed.run(".ci/summary", "HEAD~1", *addresses).stdout
    assert "tuned.lstm.learning_rate" in text
    assert "tuned.lstm.accuracy" in text and "tuned.rnn" not in text
    assert re.search(r"\| tuned +\| LSTM \| 86.00 % +\| 87.00 % +\| \+1.00 .*\| higher +\|", text)
    assert re.search(r"\| tuned +\| RNN .* the same in each run", text)
    sides = " | ".join(
        f"![reports/figures/accuracy.png]({each}/reports/figures/accuracy.png)" for each in addresses
    )
    assert f"\n| {sides} |\n" in text and "roc.png" not in text
    nothing = changed.run(".ci/summary", "HEAD").stdout
    assert nothing.count("Nothing changed.") == 2 and "## Figures" not in nothing
    assert changed.run(".ci/summary", "HEAD", *addresses).stdout.count("Nothing changed.") == 3


def test_a_branch_that_cannot_be_merged_is_refused(changed: Project) -> None:
    changed.run("git", "branch", "base")
    changed.run("git", "reset", "--quiet", "--hard", "HEAD~1")
    changed.commit("elsewhere")
    refused = changed.run(".ci/ready", "base", check=False)
    how = "git merge --no-commit base, make merged, commit, push"
    assert refused.returncode == 1
    assert refused.stderr == f"base has commits that this branch has not: {how}\n"
    # Stale results: here because nothing was run. tests/test_push.py has what is not pushed.
    refused = changed.run(".ci/ready", "HEAD~1", check=False)
    assert refused.returncode == 1 and refused.stderr.startswith("stale: ")


def test_a_revision_that_is_none_is_refused(changed: Project) -> None:
    result = changed.run(".ci/summary", "no-such", check=False)
    assert result.returncode == 1 and result.stderr == "no such revision: no-such\n"
    result = changed.run(".ci/ready", "no-such", check=False)
    assert result.returncode == 1 and result.stderr == "no such revision: no-such\n"
    assert changed.run(".ci/summary", check=False).returncode != 0
