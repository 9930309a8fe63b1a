"""The side study of learning rates: how it runs, and its table."""

import json
from pathlib import Path

import numpy as np
import pytest

from stages.scoring.variants import reached
from tests.conftest import Project

PIPELINE = "stages/learning_rates/dvc.yaml"


def test_what_a_run_reached(tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text("epoch,validation_accuracy\n1,0.5\n2,0.875\n3,0.75\n")
    (tmp_path / "summary.json").write_text(json.dumps({"kept_epoch": 2}))
    np.save(tmp_path / "test_probabilities.npy", np.array([0.9, 0.5, 0.4, 0.6, 0.2], np.float32))
    labels = np.array([1, 0, 1, 0, 0], np.uint8)  # one half counts as negative
    assert reached(tmp_path, labels) == {
        "kept_epoch": 2,
        "validation_accuracy": 0.875,
        "test_accuracy": 0.6,
    }


@pytest.mark.parametrize(
    ("study", "runs", "first"),
    [("learning_rates", 24, "prepadded-rnn-0.0001-0"), ("best_rates", 8, "prepadded-rnn-2")],
)
def test_missing_runs_are_counted_and_one_is_named(
    project: Project, study: str, runs: int, first: str
) -> None:
    result = project.stage(f"tabulate_{study}")
    assert result.returncode == 1
    assert result.stderr == (
        f"tabulate_{study}: data/{study}/runs lacks {runs} of {runs} runs, such as {first}: "
        f"`dvc repro stages/{study}/dvc.yaml` trains them\n"
    )


@pytest.mark.slow
def test_the_study_trains_recipes_with_each_rate_and_no_run_twice(trained: Project) -> None:
    project = trained
    project.params["learning_rates"] = {
        "recipes": ["prepadded"],
        "seeds": [0, 1],
        "learning_rate": [0.00003],
    }
    project.params["best_rates"] = {
        "seeds": [5, 6],
        "rates": [{"recipe": "prepadded", "rnn": 0.00003, "lstm": 0.00003}],
    }
    project.save_params()
    project.make("learning_rates", "JOBS=2")
    table = json.loads(project.text("data/learning_rates/table.json"))
    assert json.loads(project.text("reports/learning_rates.json")) == table
    assert "| `prepadded` |" in project.text("reports/report.md")
    names = [f"{run['recipe']}-{run['cell']}-{run['learning_rate']}-{run['seed']}" for run in table["runs"]]
    expected = [f"prepadded-{cell}-3e-05-{seed}" for cell in ("rnn", "lstm") for seed in (0, 1)]
    assert names == expected
    assert all(0 <= run["test_accuracy"] <= 1 and run["kept_epoch"] == 2 for run in table["runs"])
    settings = {**project.params["prepadded"], "rnn": {"recurrent_initializer": "orthogonal"}}
    assert table["settings"] == {"prepadded": settings | {"lstm": {"chrono_t_max": None}}}
    assert "stages/train_variant.py" in table["provenance"]["code"]
    runs = project.folder / "data/learning_rates/runs"
    made = json.loads((runs / "prepadded-rnn-3e-05-1/provenance.json").read_text())
    assert made["settings"]["rnn"]["learning_rate"] == 0.00003

    # The recipe gets another rate: nothing runs again. Another number of epochs: everything.
    project.params["prepadded"]["rnn"]["learning_rate"] = 0.5
    project.save_params()
    assert stale(project) == set()
    project.params["prepadded"]["train"]["epochs"] = 3
    project.save_params()
    assert stale(project) == {f"{PIPELINE}:train_variant@{name}" for name in expected}
    refused = project.stage("tabulate_learning_rates").stderr
    assert "prepadded-rnn-3e-05-0 was trained with train.epochs = 2, but params.yaml now has 3" in refused
    project.params["prepadded"]["train"]["epochs"] = 2
    project.save_params()

    # A left-over goes; a lack is named.
    (runs / "other").mkdir()
    assert project.stage("tabulate_learning_rates").returncode == 0
    assert {run.name for run in runs.iterdir()} == set(expected)
    project.params["learning_rates"]["seeds"] = [0, 1, 2]
    project.save_params()
    refused = project.stage("tabulate_learning_rates").stderr
    assert "lacks 2 of 6 runs, such as prepadded-rnn-3e-05-2: " in refused


@pytest.mark.slow
def test_the_best_rates_are_trained_with_fresh_seeds(trained: Project) -> None:
    project = trained
    project.params["best_rates"]["rates"] = [{"recipe": "prepadded", "rnn": 0.00003, "lstm": 0.01}]
    project.save_params()
    project.make("best_rates", "JOBS=2")
    table = json.loads(project.text("reports/best_rates.json"))
    found = [(run["recipe"], run["cell"], run["learning_rate"], run["seed"]) for run in table["runs"]]
    assert found == [
        ("prepadded", cell, rate, seed)
        for cell, rate in (("rnn", 0.00003), ("lstm", 0.01))
        for seed in (2, 3)
    ]
    made = json.loads(project.text("data/best_rates/runs/prepadded-lstm-3/provenance.json"))
    assert made["settings"]["lstm"]["learning_rate"] == 0.01


def stale(project: Project) -> set[str]:
    """Return the stages of the study that are not up to date, but for the last one."""
    status = json.loads(project.run("dvc", "status", "--json", PIPELINE).stdout)
    return {stage for stage in status if ":train_variant" in stage}
