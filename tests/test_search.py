"""The side study that chooses a recipe's settings: its variants, how they are compared, and how it runs."""

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd
import pytest

from stages.choose import Best, Run, best_epoch, chosen, common_settings, grid, rows, run_of
from stages.params.recipe import setting
from stages.params.study import Params, Search, load_params
from stages.runtime.errors import StageError
from stages.train_variant import check_variant
from tests.conftest import Project
from tests.examples import PARAMS

GRID = Search(
    recipe="tuned", seeds=(0, 1), learning_rate=(0.1, 0.2), pooling=("last", "mean"), epsilon=(1e-07,)
)
# (cell, pooling, learning rate) → what the seeds reach
REACHED = {
    ("rnn", "last", 0.1): [0.80, 0.70],
    ("rnn", "last", 0.2): [0.70, 0.60],
    ("rnn", "mean", 0.1): [0.75, 0.75],
    ("rnn", "mean", 0.2): [0.84, 0.82],  # 0.83
    ("lstm", "last", 0.1): [0.90, 0.90],  # the LSTM's best, but 0.75 + 0.9 is less than 0.83 + 0.86
    ("lstm", "last", 0.2): [0.80, 0.80],
    ("lstm", "mean", 0.1): [0.85, 0.87],  # 0.86
    ("lstm", "mean", 0.2): [0.99, 0.70],
}


@pytest.fixture(scope="module")
def params() -> Params:
    return load_params(PARAMS)


def results(reached: Mapping[tuple[str, str, float], list[float]]) -> dict[Run, Best]:
    return {
        Run(cell, pooling, 1e-07, rate, str(seed)): Best(3 + seed, accuracy)
        for (cell, pooling, rate), each in reached.items()
        for seed, accuracy in enumerate(each)
    }


def test_both_cells_get_the_same_grid_and_all_seeds() -> None:
    runs = grid(GRID)
    assert len(runs) == len(set(runs)) == 2 * 2 * 2 * 2
    rnn, lstm = ({run[1:] for run in runs if run.cell == cell} for cell in ("rnn", "lstm"))
    assert rnn == lstm
    assert set(runs) == set(results(REACHED))


def test_a_row_has_a_candidates_seeds_and_their_mean() -> None:
    row = rows(results(REACHED))[3]
    assert row == {
        "cell": "rnn",
        "learning_rate": 0.2,
        "settings": {"model.pooling": "mean", "train.epsilon": 1e-07},
        "seeds": {"0": 0.84, "1": 0.82},
        "epochs": {"0": 3, "1": 4},
        "mean": 0.83,
    }


def test_cells_share_the_settings_with_the_best_sum_and_have_their_own_rates() -> None:
    assert chosen(rows(results(REACHED))) == {
        "settings": {"model.pooling": "mean", "train.epsilon": 1e-07},
        "learning_rates": {"rnn": 0.2, "lstm": 0.1},
    }


@pytest.mark.parametrize(("last", "expected"), [(0.9, "last"), (0.89, "mean")])
def test_of_equals_the_first_is_chosen(last: float, expected: str) -> None:
    """0.8 + 0.9 and 0.85 + 0.85 are not the same number in floating point."""
    reached = {
        ("rnn", "last", 0.1): [0.8],
        ("rnn", "mean", 0.1): [0.85],
        ("rnn", "mean", 0.2): [0.85],
        ("lstm", "last", 0.1): [last],
        ("lstm", "mean", 0.1): [0.85],
    }
    found = chosen(rows(results(reached)))
    assert found["settings"]["model.pooling"] == expected
    assert found["learning_rates"] == {"rnn": 0.1, "lstm": 0.1}


def test_a_run_counts_with_its_best_epoch() -> None:
    history = pd.DataFrame({"epoch": [1, 2, 3, 4], "validation_accuracy": [0.5, 0.875, 0.75, 0.875]})
    assert best_epoch(history) == Best(2, 0.875)  # of equals, the first


def settings(
    pooling: str = "mean", rate: float = 0.1, epochs: int = 5, **own: dict[str, Any]
) -> dict[str, Any]:
    """Return a run's settings; own: its cell, and what that has of its own beside the learning rate."""
    return {
        "pad": {"maxlen": 20},
        "model": {"pooling": pooling, "units": 8},
        "train": {"epsilon": 1e-07, "epochs": epochs},
        **{cell: {"learning_rate": rate, **each} for cell, each in (own or {"rnn": {}}).items()},
    }


def test_a_run_is_known_by_its_provenance_and_the_seed_in_its_name() -> None:
    assert run_of("rnn-mean-1e-07-0.1-12", settings()) == Run("rnn", "mean", 1e-07, 0.1, "12")


def test_runs_that_differ_in_what_is_searched_alone_are_compared() -> None:
    orthogonal, chrono = {"recurrent_initializer": "orthogonal"}, {"chrono_t_max": 100}
    runs = {
        "a": settings(rnn=orthogonal),
        "b": settings("last", 0.2, rnn=orthogonal),
        "c": settings(lstm=chrono),
    }
    assert common_settings(runs) == {
        "pad": {"maxlen": 20},
        "model": {"units": 8},
        "train": {"epochs": 5},
        "rnn": orthogonal,
        "lstm": chrono,
    }
    with pytest.raises(StageError, match=r"a and d cannot be compared: train\.epochs is 5 and 6; "):
        common_settings(runs | {"d": settings(epochs=6, lstm=chrono)})
    with pytest.raises(StageError, match=r"c and d cannot be compared: lstm\.chrono_t_max is 100 and None; "):
        common_settings(runs | {"d": settings(lstm={"chrono_t_max": None})})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("model.pooling=max", ("model.pooling", "max")),
        ("train.epsilon=1e-05", ("train.epsilon", 1e-05)),  # as DVC writes 0.00001
        ("train.bucketing=false", ("train.bucketing", False)),
        ("train.global_clipnorm=null", ("train.global_clipnorm", None)),
    ],
)
def test_a_setting_is_yaml(text: str, expected: tuple[str, Any]) -> None:
    assert setting(text) == expected


@pytest.mark.parametrize("text", ["model.pooling", "model.pooling=["])
def test_what_is_no_setting_is_refused(text: str) -> None:
    with pytest.raises(StageError) as error:
        setting(text)
    assert str(error.value) == f"--set {text}: should be NAME=VALUE, such as model.pooling=max"


def test_a_variant_may_do_without_word_vectors(params: Params) -> None:
    tuned = params.blocks["tuned"]
    check_variant(
        "tuned",
        tuned,
        [("model.ppmi_window", None), ("model.pooling", "max"), ("pad.maxlen", 200)],
        own_reviews=True,
    )


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("model.ppmi_window", 4, "model.ppmi_window = 4: should be null or as in params.yaml (5), because "),
        (
            "model.embedding_dim",
            64,
            "model.embedding_dim = 64: should be as in params.yaml (128), because a ",
        ),
        (
            "pad.maxlen",
            100,
            "pad.maxlen = 100: should be as in params.yaml (200), because a variant reads the ",
        ),
        ("model.pooling", "min", "tuned.model.pooling = 'min': should be 'last', 'mean' or 'max'"),
        (
            "model.dropout",
            0.5,
            "'model.dropout' is not a setting of recipe 'tuned', which has ",
        ),
    ],
)
def test_a_variant_that_cannot_be_trained_is_refused(
    params: Params, name: str, value: Any, said: str
) -> None:
    with pytest.raises(StageError) as error:
        check_variant("tuned", params.blocks["tuned"], [(name, value)], own_reviews=True)
    assert str(error.value).startswith(said)


def test_mistakes_are_one_line(project: Project) -> None:
    result = project.stage(
        "train_variant", "tuned", "gru", "0", "--out", "data/gru", "--set", "model.pooling=max"
    )
    assert (result.returncode, result.stderr) == (1, "train_variant: cell = 'gru': should be rnn or lstm\n")
    result = project.stage("choose")
    assert result.returncode == 1
    assert result.stderr == (
        "choose: data/search/runs lacks 48 of the grid's 48 runs, such as rnn last 1e-07 0.001 0: "
        "`dvc repro stages/search/dvc.yaml` trains them\n"
    )


@pytest.mark.slow
def test_the_search_trains_its_grid_and_nothing_twice(trained: Project) -> None:
    trained.params["search"] |= {
        "seeds": [0],
        "learning_rate": [0.001, 0.01],
        "pooling": ["max"],
        "epsilon": [1e-05],
    }
    trained.save_params()
    trained.make("search")
    table = json.loads(trained.text("data/search/table.json"))
    assert json.loads(trained.text("reports/search.json")) == table
    assert [(row["cell"], row["learning_rate"]) for row in table["rows"]].count(("rnn", 0.01)) == 1
    assert len(table["rows"]) == 4
    assert table["settings"]["train"].items() < trained.params["tuned"]["train"].items()
    means = [row["mean"] for row in table["rows"] if row["cell"] == "lstm"]
    assert means == sorted(means, reverse=True)

    # What it chose is put into the recipe: nothing of it runs again.
    pipeline = "stages/search/dvc.yaml"
    trained.params["tuned"]["model"]["pooling"] = "max"
    for cell, rate in table["chosen"]["learning_rates"].items():
        trained.params["tuned"][cell]["learning_rate"] = rate
    trained.save_params()
    assert not {stage for stage in stale(trained) if stage.startswith(pipeline)}

    # A smaller grid: nothing is trained, and what was left over is gone.
    trained.params["search"]["learning_rate"] = [0.001]
    trained.save_params()
    assert trained.repro("--single-item", f"{pipeline}:choose") == {f"{pipeline}:choose"}
    runs = trained.folder / "data/search/runs"
    assert {run.name for run in runs.iterdir()} == {"lstm-max-1e-05-0.001-0", "rnn-max-1e-05-0.001-0"}

    # A larger one: what was trained is restored, one candidate is new.
    trained.params["search"] |= {"learning_rate": [0.001, 0.01], "pooling": ["max", "last"]}
    trained.save_params()
    new = {
        f"{pipeline}:train_variant@{cell}-last-1e-05-{rate}-0"
        for cell in ("lstm", "rnn")
        for rate in (0.001, 0.01)
    }
    assert {stage for stage in stale(trained) if "last" in stage} == new


def stale(project: Project) -> set[str]:
    """Return the stages that are not up to date."""
    return set(json.loads(project.run("dvc", "status", "--json").stdout))
