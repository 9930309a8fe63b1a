"""Which runs are released: the best on validation reviews, of one recipe and of seeds that it has."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from stages.release import release
from stages.runtime.errors import StageError
from stages.runtime.files import json_text, run_folder, write_atomically
from tests.examples import PARAMS

ACCURACIES = {"rnn": [0.81, 0.83, 0.83], "lstm": [0.87, 0.86, 0.85]}  # by seed


def save_run(recipe: str, cell: str, seed: int, accuracy: float, kept: int = 2) -> None:
    """Write what a training stage would: a run whose kept epoch has this validation accuracy."""
    folder = run_folder(recipe, cell, seed)
    history = ["epoch,train_loss,validation_accuracy", "1,0.5,0.4", "2,0.4,0.4", "3,0.3,0.99"]
    history[kept] = f"{kept},0.4,{accuracy}"
    write_atomically(folder / "history.csv", "\n".join(history) + "\n")
    write_atomically(folder / "summary.json", json_text({"kept_epoch": kept, "weights": 1}))
    write_atomically(folder / "provenance.json", json_text({"settings": {"seed": seed}}))
    write_atomically(folder / "model.keras", f"{recipe} {cell} {seed}")


@pytest.fixture
def params(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Parameters, and a folder with every run of the released recipe, in which one of another is better."""
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(PARAMS, "params.yaml")
    params: dict[str, Any] = YAML(typ="safe", pure=True).load(PARAMS)
    for cell, accuracies in ACCURACIES.items():
        for seed, accuracy in zip(params["seeds"], accuracies, strict=True):
            save_run("tuned", cell, seed, accuracy)
        save_run("notebook", cell, 0, 0.98)
    return params


def released(params: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Release with changed parameters, and return what reports/released.json says."""
    with Path("params.yaml").open("w") as file:
        YAML(typ="safe", pure=True).dump(params | changes, file)
    release()
    return dict(json.loads(Path("reports/released.json").read_text()))


def test_the_best_run_of_each_cell_is_released(
    params: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    found = released(params)
    runs = {
        "rnn": {
            "recipe": "tuned",
            "cell": "rnn",
            "seed": 1,
            "validation_accuracy": 0.83,
        },  # of equals the first
        "lstm": {"recipe": "tuned", "cell": "lstm", "seed": 0, "validation_accuracy": 0.87},
    }
    assert found == runs
    for cell, run in runs.items():
        folder = Path("data/released") / cell
        assert sorted(path.name for path in folder.iterdir()) == [
            "model.keras",
            "provenance.json",
            "run.json",
        ]
        assert (folder / "model.keras").read_text() == f"tuned {cell} {run['seed']}"
        assert json.loads((folder / "run.json").read_text()) == run
        assert json.loads((folder / "provenance.json").read_text()) == {"settings": {"seed": run["seed"]}}
    assert "release: tuned rnn seed 1, validation accuracy 0.8300\n" in capsys.readouterr().out


def test_the_order_of_seeds_does_not_matter(params: dict[str, Any]) -> None:
    assert released(params, seeds=[2, 1, 0])["rnn"]["seed"] == 1


def test_a_recipe_that_is_added_moves_no_released_model(params: dict[str, Any]) -> None:
    before = released(params)
    for cell in ACCURACIES:
        save_run("mine", cell, 0, 0.99)
    added = {"recipes": [*params["recipes"], "mine"], "mine": params["notebook"]}
    assert released(params, **added) == before
    assert released(params, release={"recipe": "notebook"}, seeds=[0])["rnn"]["recipe"] == "notebook"


def test_the_epoch_that_was_kept_counts(params: dict[str, Any]) -> None:
    save_run("tuned", "lstm", 2, 0.9, kept=1)
    release()
    assert json.loads(Path("data/released/lstm/run.json").read_text())["validation_accuracy"] == 0.9


def test_a_run_that_was_left_behind_is_not_released_but_deleted(
    params: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    save_run("tuned", "lstm", 9, 0.99)
    Path("data/models/tuned/draft").touch()
    assert released(params, seeds=[1, 2])["lstm"]["seed"] == 1
    left = sorted(path.name for path in Path("data/models/tuned").iterdir())
    assert left == ["lstm-1", "lstm-2", "rnn-1", "rnn-2"]
    assert run_folder("notebook", "lstm", 0).is_dir()
    said = capsys.readouterr().out
    assert "data/models/tuned/lstm-9 belongs to nothing that params.yaml names: deleted\n" in said


@pytest.mark.fault(
    "a run that lacks its `{name}`",
    "`release` names the file and the command that makes it",
    "the former release, all runs",
)
@pytest.mark.parametrize("name", ["summary.json", "history.csv", "model.keras", "provenance.json"])
def test_a_run_that_does_not_exist(params: dict[str, Any], name: str) -> None:
    release()
    before = Path("reports/released.json").read_text()
    (run_folder("tuned", "lstm", 0) / name).unlink()
    save_run("tuned", "lstm", 9, 0.99)
    with pytest.raises(StageError) as error:
        release()
    assert str(error.value) == (
        f"data/models/tuned/lstm-0/{name} does not exist: "
        "run the stages before this one, `dvc repro` runs all"
    )
    # Nothing is half-written, and nothing deleted.
    assert Path("data/released/lstm/model.keras").read_text() == "tuned lstm 0"
    assert Path("reports/released.json").read_text() == before
    assert run_folder("tuned", "lstm", 9).is_dir()
