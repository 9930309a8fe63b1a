"""The whole pipeline under DVC, on the generated archive, as users run and change it."""

import hashlib
import json
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest

from stages.runner.state import load_lock
from tests.conftest import Project, run_in

RECIPES = ("prepadded", "tuned")
TRAINED = {f"train_{cell}@{recipe}-0" for cell in ("rnn", "lstm") for recipe in RECIPES}
SCORED = {f"score@{recipe}-0" for recipe in RECIPES} | {f"inspect_models@{recipe}" for recipe in RECIPES}
ALL = {"download", "audit", "bag_of_words", "film_groups"}
ALL |= {f"{stage}@{recipe}" for stage in ("pad", "word_vectors") for recipe in RECIPES}
ALL |= {*TRAINED, *SCORED, "release", "demo", "evaluate", "page"}


def snapshot(project: Project) -> dict[str, str]:
    """Return path → digest of dvc.lock and everything under reports/."""
    paths = [project.folder / "dvc.lock", *sorted((project.folder / "reports").rglob("*"))]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths if path.is_file()}


def stale(project: Project, folder: Path) -> tuple[int, str]:
    """Run the check for stale results in a clone without data."""
    shutil.rmtree(folder, ignore_errors=True)
    project.run("git", "clone", "--quiet", ".", str(folder))
    result = run_in(folder, "python", "-m", "stages.tools.stale", check=False)
    return result.returncode, result.stderr


@pytest.mark.slow
def test_a_forced_run_makes_the_same_bytes(pipeline: Path, trained: Project, tmp_path: Path) -> None:
    # Side by side; nothing is left for `dvc repro`.
    said, project = (pipeline / "said.txt").read_text(), trained
    assert f"{len(ALL)} stages to run, 2 at a time" in said
    assert all(f"{run} seed 0: kept epoch" in said for run in ("prepadded lstm", "tuned rnn"))
    assert project.repro() == set()
    names = list(load_lock(project.folder / "dvc.lock"))
    assert names == sorted(names)  # whichever ended first
    first = snapshot(project)
    check_outputs(project)

    # Again: nothing runs. By force: everything runs, in turn, and every byte is the same.
    assert project.run("python", "-m", "stages.tools.run").stdout == "Everything is up to date\n"
    assert project.repro("--force") == ALL
    assert snapshot(project) == first
    project.run("python", "-m", "stages.tools.quote")
    project.commit("results")
    assert project.run("git", "status", "--porcelain").stdout == ""
    assert stale(project, tmp_path / "fresh") == (0, "")

    # Where the bytes come from is no parameter.
    project.params["download"]["mirrors"].append("another/folder")
    project.save_params()
    assert project.repro() == set()


@pytest.mark.slow
def test_a_changed_number_runs_what_depends_on_it(trained: Project, tmp_path: Path) -> None:
    project = trained
    project.params["tuned"]["lstm"]["learning_rate"] = 0.002
    project.save_params()
    project.commit("parameters without their results")
    status, said = stale(project, tmp_path / "stale")
    assert status == 1
    assert "stale: train_lstm@tuned-0: changed deps: params.yaml" in said
    assert "train_rnn" not in said and "prepadded-0: " not in said
    check_quick(project)
    # The copy has trained it: here it comes from the cache.
    assert project.repro() == {
        "score@tuned-0",
        "inspect_models@tuned",
        "release",
        "demo",
        "evaluate",
        "page",
    }
    project.run("python", "-m", "stages.tools.quote")
    project.commit("results")
    assert stale(project, tmp_path / "current") == (0, "")


@pytest.mark.slow
def test_a_recipe_is_added_by_its_block_and_name_and_others_dropped(trained: Project, tmp_path: Path) -> None:
    project = trained
    project.params["mine"] = json.loads(json.dumps(project.params["tuned"]))
    project.params["mine"]["pad"]["padding"] = "post"
    project.params["recipes"] = project.params["learning_rates"]["recipes"] = ["mine"]
    project.params["best_rates"]["rates"] = [{"recipe": "mine", "rnn": 0.001, "lstm": 0.001}]
    for block in ("release", "demo"):
        project.params[block]["recipe"] = "mine"
    project.params["comparison"]["headline"] = "mine"
    project.save_params()
    assert project.repro() == {
        "pad@mine",
        "word_vectors@mine",
        "train_rnn@mine-0",
        "train_lstm@mine-0",
        "score@mine-0",
        "inspect_models@mine",
        "release",
        "demo",
        "evaluate",
        "page",
    }
    assert list(json.loads(project.text("reports/metrics.json"))) == ["mine"]
    assert [path.name for path in (project.folder / "reports/runs").iterdir()] == ["mine-0.json"]
    assert [path.name for path in (project.folder / "reports/inspection").iterdir()] == ["mine.json"]

    # A run that was left behind changes nothing.
    left_over = snapshot(project)
    (project.folder / "data/models/mine/rnn-99").mkdir()
    assert project.repro() == set()
    assert snapshot(project) == left_over
    project.commit("dropped")
    status, said = stale(project, tmp_path / "dropped")
    assert status == 1
    assert "stale: train_rnn@tuned-0: in dvc.lock, but params.yaml names no such run" in said


def check_quick(project: Project) -> None:
    """Check that `make quick` trains in a copy what is new, and leaves all else as it is."""
    project.params["tuned"]["lstm"]["learning_rate"] = 0.004  # not committed
    project.save_params()
    before = snapshot(project)
    said = project.run("python", "-m", "stages.tools.quick").stdout
    assert "Running recipe 'tuned' with seed 0 in .quick" in said
    assert "train_lstm@tuned-0: done in" in said and "train_rnn@tuned-0: up to date, or taken" in said
    assert "prepadded" not in said
    metrics = json.loads(project.text(".quick/reports/metrics.json"))
    assert list(metrics) == ["tuned"]
    assert f"| plain RNN | 58.2 % | {100 * metrics['tuned']['rnn']['accuracy']:.1f} % |" in said
    assert ".quick/reports/report.html" in said and "**One seed" in project.text(".quick/reports/report.md")
    assert snapshot(project) == before
    assert project.run("git", "status", "--porcelain").stdout == " M params.yaml\n"


def check_outputs(project: Project) -> None:
    """Check what the first run has left: models, probabilities, histories, numbers and figures."""
    labels = np.load(project.folder / "data/padded/tuned/test_labels.npy")
    tokens = np.load(project.folder / "data/padded/tuned/test_tokens.npy")
    metrics = json.loads(project.text("reports/metrics.json"))
    released = json.loads(project.text("reports/released.json"))
    card = project.text("reports/model_card.md")
    for cell, layer, weights in (("rnn", "SimpleRNN", 32896), ("lstm", "LSTM", 131584)):
        run = project.folder / f"data/models/tuned/{cell}-0"
        model = keras.models.load_model(run / "model.keras")
        assert type(model.get_layer(cell)).__name__ == layer
        assert model.get_layer(cell).count_params() == weights
        saved = np.load(run / "test_probabilities.npy")
        np.testing.assert_allclose(model.predict(tokens, verbose=0)[:, 0], saved, atol=1e-5)
        accuracy = ((saved > 0.5) == labels).mean()
        assert metrics["tuned"][cell]["accuracy"] == round(accuracy, 3)
        history = (run / "history.csv").read_text().splitlines()
        assert history[0] == "epoch,train_loss,train_accuracy,validation_loss,validation_accuracy"
        assert len(history) == 3
        assert len(np.load(run / "validation_probabilities.npy")) == 24
        copy = project.folder / f"data/released/{cell}"
        assert (copy / "model.keras").read_bytes() == (run / "model.keras").read_bytes()
        assert json.loads((copy / "run.json").read_text()) == released[cell]
        assert f"| {100 * released[cell]['validation_accuracy']:.1f} % |" in card

    report = project.text("reports/report.md")
    figures = (
        "accuracy",
        "learning_curves",
        "roc",
        "confusion",
        "by_length",
        "gradients",
        "gates",
    )
    for name in (*figures, "gradients", "lengths"):
        assert f"](figures/{name}.png)" in report
        assert (project.folder / f"reports/figures/{name}.png").stat().st_size > 10_000
    assert project.text("reports/report.html").count("data:image/png;base64,") == report.count("](figures/")
    shown = json.loads(project.run("dvc", "metrics", "show", "--json").stdout)
    shown = shown[""]["data"]["reports/metrics.json"]["data"]
    assert shown["tuned"]["lstm"]["auc"] == metrics["tuned"]["lstm"]["auc"]
    plots = json.loads(project.run("dvc", "plots", "show", "--json").stdout)["data"]
    for plot in ("learning_curves/prepadded-lstm.csv", "roc/tuned.csv", "figures/accuracy.png"):
        assert any(name.endswith(plot) for name in plots), plots.keys()
    project.run("dvc", "exp", "show", "--json")
