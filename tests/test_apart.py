"""A recipe that is trained apart from the pipeline: what `make long` writes, and what it refuses."""

import json
import shutil
from typing import Any

import pytest

from stages import StageError
from stages.evaluate import trained_apart
from stages.params import load_params
from stages.provenance import code_digest
from tests.conftest import Project
from tests.examples import PARAMS
from tests.test_report import made_up


def test_both_cells_are_trained_on_every_seed_and_measured(project: Project) -> None:
    long = project.params["long"]
    long["pad"] |= {"vocabulary": 40, "pairs": 8, "length": 25}
    long["model"] |= {"embedding_width": 8, "units": 4}
    long["train"] |= {"epochs": 2}
    project.params["seeds"] = [3]
    project.save_params()
    assert project.stage("download").returncode == 0
    (project.folder / "reports/apart.json").write_text('{"other": {}}\n')
    result = project.stage("apart", "long")
    assert result.returncode == 0, result.stderr
    assert "2 nets to train, " in result.stdout
    assert "long lstm seed 3: epoch 2/2" in result.stdout
    assert "2 of 2 nets trained: data/models/long/" in result.stdout
    written = json.loads(project.text("reports/apart.json"))
    assert written.keys() == {"other", "long"}
    assert written["long"]["code"] == code_digest()  # the copy's code is this code
    (run,) = written["long"]["runs"].values()
    assert run["settings"] == long
    for cell in ("rnn", "lstm"):
        assert 0 <= run[cell]["test"]["accuracy"] <= 1
        assert (project.folder / f"data/models/long/{cell}-3/model.keras").is_file()
    assert project.run("git", "status", "--porcelain").stdout.split("\n")[:-1] == [
        " M params.yaml",
        " M reports/apart.json",
    ]

    # Stopped and run again, it trains what is left; with other settings, all.
    results = project.text("reports/apart.json")
    shutil.rmtree(project.folder / "data/models/long/rnn-3")
    again = project.stage("apart", "long")
    assert "2 nets to train, 1 of them known from before, " in again.stdout
    assert (
        "1 of 1 nets trained: data/models/long/rnn-3" in again.stdout
        and "lstm seed 3: epoch" not in again.stdout
    )
    assert project.text("reports/apart.json") == results
    long["train"]["epochs"] = 1
    project.save_params()
    assert "2 of 2 nets trained" in project.stage("apart", "long").stdout


def test_only_a_recipe_that_the_pipeline_does_not_train(project: Project) -> None:
    unknown = project.stage("apart", "gru")
    assert unknown.returncode == 2 and "recipe 'gru' is not in params.yaml, which has" in unknown.stderr
    trained = project.stage("apart", "tuned")
    assert trained.returncode == 2 and "'tuned' is among the recipes in params.yaml" in trained.stderr
    early = project.stage("apart", "long")
    assert early.returncode == 1
    assert early.stderr.startswith("apart: data/raw/train_tokens.npy is not there: run the stages before")
    no_jobs = project.stage("apart", "long", "--jobs", "0")
    assert no_jobs.returncode == 2 and "'0' is not a number from 1" in no_jobs.stderr


def of(runs: dict[str, Any]) -> dict[str, Any]:
    """Return results as `apart` writes them for one recipe."""
    return {"code": code_digest(), "runs": runs}


def test_results_of_other_settings_are_refused() -> None:
    params = load_params(PARAMS)
    run = made_up(0.8, 0.9) | {"settings": params.blocks["long"].model_dump()}
    assert trained_apart(params, {"long": of({"1": run})}) == {"long": {1: run}}
    with pytest.raises(
        StageError, match=r"long was trained with other settings than params.yaml now has: `py"
    ):
        trained_apart(params, {"long": of({"1": made_up(0.8, 0.9)})})
    with pytest.raises(
        StageError, match=r"gru was trained with other settings .* or take gru out of that file"
    ):
        trained_apart(params, {"gru": of({"1": run})})
