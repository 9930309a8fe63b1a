"""The search: which nets are tried, how they are judged, and what is refused. One net is trained."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages import StageError, search
from stages.runtime import files
from stages.params.study import Params, Search, load_params
from stages.provenance import code_digest
from stages.search import Candidate, candidates, changed, finalists, origin, table
from tests.conftest import Project
from tests.examples import PARAMS

GRID = Search(
    recipe="tuned",
    seeds=(0, 1),
    finalists=2,
    learning_rates=(0.1, 0.2),
    settings={"model.embedding_dropout": (0.0, 0.5), "train.clip_norm": (None, 1.0)},
)


@pytest.fixture(scope="module")
def params() -> Params:
    return load_params(PARAMS)


def test_both_cells_get_the_same_grid_with_the_first_seed() -> None:
    nets = candidates(GRID)
    assert len(nets) == len(set(nets)) == 2 * 2 * 2 * 2
    rnn, lstm = ({net[1:] for net in nets if net.cell == cell} for cell in ("rnn", "lstm"))
    assert rnn == lstm
    assert {net.seed for net in nets} == {0}
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


ONE = GRID.model_copy(update={"finalists": 1, "settings": {"model.embedding_dropout": (0.0, 0.5)}})


def reached(scores: dict[tuple[str, float, float], list[float]]) -> dict[Candidate, list[float]]:
    """Return what nets reached, given (cell, learning rate, dropout) → best accuracy per seed."""
    return {
        Candidate(cell, rate, (("model.embedding_dropout", dropout),), seed): [0.5, best, 0.6]
        for (cell, rate, dropout), row in scores.items()
        for seed, best in enumerate(row)
    }


FIRST_SEED = {
    ("rnn", 0.1, 0.0): [0.80],
    ("rnn", 0.2, 0.0): [0.70],
    ("rnn", 0.1, 0.5): [0.75],
    ("rnn", 0.2, 0.5): [0.84],  # the RNN's best
    ("lstm", 0.1, 0.0): [0.90],  # the LSTM's best, and 0.80 + 0.90 the best sum
    ("lstm", 0.2, 0.0): [0.80],
    ("lstm", 0.1, 0.5): [0.85],
    ("lstm", 0.2, 0.5): [0.70],
}


def test_the_finalists_are_each_cells_best_under_the_best_settings() -> None:
    none, half = ((("model.embedding_dropout", dropout),) for dropout in (0.0, 0.5))
    assert set(finalists(ONE, reached(FIRST_SEED))) == {
        Candidate("rnn", 0.1, none, 1),
        Candidate("lstm", 0.1, none, 1),
    }
    both = ONE.model_copy(update={"finalists": 2, "seeds": (0, 1, 2)})
    found = finalists(both, reached(FIRST_SEED))
    assert found[0].cell == "lstm" and len(found) == len(set(found)) == 8
    assert {net for net in found if net.settings == half} == {
        Candidate(cell, rate, half, seed) for cell, rate in (("rnn", 0.2), ("lstm", 0.1)) for seed in (1, 2)
    }


def test_of_the_finalists_those_are_chosen_that_are_best_over_all_seeds() -> None:
    scores = FIRST_SEED | {
        ("rnn", 0.1, 0.0): [0.80, 0.70],
        ("lstm", 0.1, 0.0): [0.90, 0.80],
        ("rnn", 0.2, 0.5): [0.84, 0.82],
        ("lstm", 0.1, 0.5): [0.85, 0.87],  # 0.83 + 0.86 is more than 0.75 + 0.85
    }
    found = table(ONE, reached(scores))
    assert found["chosen"] == {
        "settings": {"model.embedding_dropout": 0.5},
        "learning_rates": {"rnn": 0.2, "lstm": 0.1},
    }
    assert found["first_seed"] == {
        "rnn": {"best": 0.84, "chosen": 0.84},
        "lstm": {"best": 0.9, "chosen": 0.85},
    }
    lstm = [row for row in found["rows"] if row["cell"] == "lstm"]
    assert [row["mean"] for row in lstm] == [0.86, 0.85, 0.8, 0.7]  # the finalists before the others
    assert lstm[0]["seeds"] == {"0": 0.85, "1": 0.87} and lstm[3]["seeds"] == {"0": 0.7}
    assert found["code"] == code_digest()


def test_with_one_seed_all_are_finalists() -> None:
    one = ONE.model_copy(update={"seeds": (0,)})
    assert finalists(one, reached(FIRST_SEED)) == []
    assert table(one, reached(FIRST_SEED))["chosen"] == {
        "settings": {"model.embedding_dropout": 0.0},
        "learning_rates": {"rnn": 0.1, "lstm": 0.1},
    }


def test_a_search_whose_choice_was_applied_is_still_the_same_search(params: Params) -> None:
    tuned = params.blocks["tuned"]
    block = tuned.model_dump()
    block["rnn"]["learning_rate"] = block["lstm"]["learning_rate"] = 0.5
    block["model"]["embedding_dropout"], block["train"]["clip_norm"] = 0.9, 9.0
    assert origin(GRID, type(tuned).model_validate(block)) == origin(GRID, tuned)
    block["train"]["epochs"] = 50
    assert origin(GRID, type(tuned).model_validate(block)) != origin(GRID, tuned)


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
