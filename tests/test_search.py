"""The search: which nets are tried, how they are judged, and what is refused. One net is trained."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages import StageError, files, search
from stages.params import Params, Search, load_params
from stages.search import Candidate, candidates, changed, table
from tests.conftest import ROOT, Project

GRID = Search(
    recipe="tuned",
    seeds=(0, 1),
    learning_rates=(0.1, 0.2),
    settings={"model.embedding_dropout": (0.0, 0.5), "train.clip_norm": (None, 1.0)},
)


@pytest.fixture(scope="module")
def params() -> Params:
    return load_params(ROOT / "params.yaml")


def test_both_cells_get_the_same_grid_and_seeds() -> None:
    nets = candidates(GRID)
    assert len(nets) == len(set(nets)) == 2 * 2 * 2 * 2 * 2
    rnn, lstm = ({net[1:] for net in nets if net.cell == cell} for cell in ("rnn", "lstm"))
    assert rnn == lstm
    assert nets[0].cell == "lstm"  # which takes longest


def test_settings_go_into_the_recipe(params: Params) -> None:
    tuned = params.blocks["tuned"]
    other = changed("tuned", tuned, [("model.embedding_dropout", 0.25), ("train.clip_norm", None)])
    assert other.model.embedding_dropout == 0.25 and other.train.clip_norm is None
    assert other.pad == tuned.pad and other.rnn == tuned.rnn


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "model.dropout",
            0.5,
            "search.settings names 'model.dropout', which is none of tuned's: model.masking, ",
        ),
        ("pad.length", 100, "search.settings names 'pad.length', which is none of tuned's: "),
        ("epochs", 3, "search.settings names 'epochs', which is none of tuned's: "),
        ("train.epochs", 0, "search.settings: train.epochs = 0: should be greater than or equal to 1"),
        ("train.keep", "all", "search.settings: train.keep = 'all': should be 'last' or 'best'"),
    ],
)
def test_what_cannot_be_searched_is_refused(params: Params, name: str, value: Any, said: str) -> None:
    with pytest.raises(StageError) as error:
        changed("tuned", params.blocks["tuned"], [(name, value)])
    assert str(error.value).startswith(said)


def reached(scores: dict[tuple[str, float, float], list[float]]) -> dict[Candidate, list[float]]:
    """Return what nets reached, given (cell, learning rate, dropout) → best accuracy per seed."""
    return {
        Candidate(cell, rate, (("model.embedding_dropout", dropout),), seed): [0.5, best, 0.6]
        for (cell, rate, dropout), row in scores.items()
        for seed, best in enumerate(row)
    }


def test_each_cell_takes_its_learning_rate_and_both_the_same_settings() -> None:
    grid = GRID.model_copy(update={"settings": {"model.embedding_dropout": (0.0, 0.5)}})
    found = table(
        grid,
        reached(
            {
                ("rnn", 0.1, 0.0): [0.80, 0.82],
                ("rnn", 0.2, 0.0): [0.70, 0.70],
                ("rnn", 0.1, 0.5): [0.75, 0.75],
                ("rnn", 0.2, 0.5): [0.84, 0.82],  # the RNN's best
                ("lstm", 0.1, 0.0): [0.90, 0.92],  # the LSTM's best, and 0.81 + 0.91 the best sum
                ("lstm", 0.2, 0.0): [0.80, 0.80],
                ("lstm", 0.1, 0.5): [0.88, 0.88],
                ("lstm", 0.2, 0.5): [0.70, 0.70],
            }
        ),
    )
    assert found["chosen"] == {
        "settings": {"model.embedding_dropout": 0.0},
        "learning_rates": {"rnn": 0.1, "lstm": 0.1},
    }
    assert found["best_alone"]["rnn"]["mean"] == 0.83
    assert [row["mean"] for row in found["rows"] if row["cell"] == "lstm"] == [0.91, 0.88, 0.8, 0.7]
    assert found["rows"][0]["seeds"] == {"0": 0.9, "1": 0.92}


def test_a_trial_gives_the_validation_accuracy_of_every_epoch(
    params: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder, random = files.PADDED / "tuned", np.random.default_rng(0)
    folder.mkdir(parents=True)
    for split in ("train", "validation", "test"):
        tokens = random.integers(3, 10, (32, 5)).astype(np.int32)
        np.save(folder / f"{split}_tokens.npy", tokens)
        np.save(folder / f"{split}_labels.npy", (tokens[:, 4] > 6).astype(np.uint8))
    block = params.blocks["tuned"].model_dump()
    block["pad"]["vocabulary"] = 10
    block["model"] |= {"units": 4, "embedding_width": 3}
    block["train"] |= {"epochs": 2, "batch_size": 8}
    small = type(params.blocks["tuned"]).model_validate(block)
    scores = search.trial("tuned", small, Candidate("rnn", 0.05, (("train.epochs", 3),), 0))
    assert len(scores) == 3 and all(0 <= score <= 1 for score in scores)


def test_mistakes_are_told_before_anything_is_trained(project: Project) -> None:
    result = project.run("python", "-m", "stages.search", check=False)
    assert result.returncode == 1
    assert result.stderr.startswith("search: data/padded/tuned/train_tokens.npy is not there")
    assert "to train" not in result.stdout
    result = project.run("python", "-m", "stages.search", "--jobs", "0", check=False)
    assert result.returncode == 2 and "'0' is not a number from 1" in result.stderr


def test_the_committed_search_is_that_of_the_parameters(params: Params) -> None:
    found = json.loads((ROOT / "reports/search.json").read_text())
    assert found["recipe"] == params.search.recipe
    tried = {(row["cell"], row["learning_rate"], *row["settings"].values()) for row in found["rows"]}
    assert tried == {(c.cell, c.learning_rate, *dict(c.settings).values()) for c in candidates(params.search)}
    assert {seed for row in found["rows"] for seed in row["seeds"]} == {str(s) for s in params.search.seeds}
