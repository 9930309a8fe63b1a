"""Training side by side: what it says where something is wrong. That it trains is seen in test_pipeline."""

import pytest

from tests.conftest import Project


def test_a_run_that_fails_is_named_and_the_others_still_run(project: Project) -> None:
    project.params["recipes"] = ["notebook", "tuned"]
    project.save_params()
    for cell in ("rnn", "lstm"):
        stage = project.folder / f"stages/train_{cell}.py"
        stage.write_text(f'import sys\n\nsys.exit("no {cell} today")\n')
    result = project.run("python", "-m", "stages.train_all", "--jobs", "3", check=False)
    assert result.returncode == 1
    assert result.stdout.count("no lstm today") == result.stdout.count("no rnn today") == 2
    said = (
        "train_all: train_lstm@notebook-0, train_lstm@tuned-0, train_rnn@notebook-0, train_rnn@tuned-0 failed"
    )
    assert result.stderr.splitlines()[-1] == said
    assert (project.folder / "reports/probe/0.json").exists() and (
        project.folder / "reports/bag_of_words.json"
    ).exists()


def test_wrong_parameters_are_told_before_anything_is_trained(project: Project) -> None:
    project.params["tuned"]["pad"]["length"] = 0
    project.save_params()
    result = project.run("python", "-m", "stages.train_all", check=False)
    assert result.returncode == 1
    assert "params.yaml: tuned.pad.length = 0: should be greater than or equal to 1" in result.stderr
    assert "to run" not in result.stdout


@pytest.mark.parametrize("jobs", ["0", "-1", "two", "1.5", ""])
def test_jobs_are_a_number_from_one(project: Project, jobs: str) -> None:
    result = project.run("python", "-m", "stages.train_all", f"--jobs={jobs}", check=False)
    assert result.returncode == 2
    assert f"{jobs!r} is not a number from 1" in result.stderr
