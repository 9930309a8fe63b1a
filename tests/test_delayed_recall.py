"""The side study of delayed recall: its sequences, a delay that is learned, its runs and their table."""

import json
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from ruamel.yaml import YAML

from stages.networks.models import Network, build_model
from stages.networks.training import fit
from stages.params.delayed_recall import STARTS, DelayedRecall
from stages.params.recipe import Lstm, Rnn, Train
from stages.runtime.errors import StageError
from stages.runtime.files import PADDING, Split, json_text, write_atomically
from stages.tabulate_delayed_recall import chosen, grid, tabulate_delayed_recall, tried
from stages.train_delayed_recall import DECIDING, measured, own, sequences, train_delayed_recall
from tests.conftest import ROOT, SMALL, Project

TINY = DelayedRecall(
    seeds=(0,),
    learning_rate=(0.03,),
    delays=(2, 3),
    sequences=48,
    num_tokens=8,
    model=SMALL,
    train=Train(
        optimizer="adam",
        epsilon=1e-7,
        global_clipnorm=1.0,
        embedding_gradients="coalesced",
        batch_size=16,
        bucketing=False,
        epochs=2,
        ema_momentum=None,
        checkpoint="best",
        implementation="keras",  # without XLA, which takes seconds to compile each model
    ),
)


def drawn(seed: int, number: int = 400, delay: int = 30, num_tokens: int = TINY.num_tokens) -> Split:
    return sequences(np.random.default_rng(seed), number, delay, num_tokens)


def test_the_first_token_decides() -> None:
    tokens, labels = drawn(0)
    assert tokens.shape == (400, 31) and tokens.dtype == np.int32
    assert labels.shape == (400,) and labels.dtype == np.uint8
    assert (tokens[:, 0] == np.array(DECIDING)[labels]).all()


@pytest.mark.parametrize(("number", "ones"), [(2, 1), (400, 200), (7, 3)])
def test_as_many_of_each_label(number: int, ones: int) -> None:
    tokens, labels = drawn(0, number)
    assert len(tokens) == len(labels) == number
    assert labels.sum() == ones


def test_the_noise_tells_nothing() -> None:
    tokens, labels = drawn(0, number=4000)
    noise = tokens[:, 1:]
    assert set(np.unique(noise)) == set(range(TINY.num_tokens)) - {PADDING, *DECIDING}
    for label in (0, 1):  # 60,000 tokens: each share, 1/5, has a standard error of 0.0016
        shares = np.bincount(noise[labels == label].ravel())[3:] / noise[labels == label].size
        assert shares == pytest.approx(np.full(5, 0.2), abs=0.01)


def test_the_fewest_tokens_leave_one_token_of_noise() -> None:
    assert (drawn(0, num_tokens=4).tokens[:, 1:] == 3).all()


def test_the_seed_gives_the_sequences() -> None:
    first, again, other = drawn(0), drawn(0), drawn(1)
    assert np.array_equal(first.tokens, again.tokens) and np.array_equal(first.labels, again.labels)
    assert not np.array_equal(first.tokens, other.tokens)


@pytest.mark.parametrize("cell", ["rnn", "lstm"])
def test_a_delay_of_one_is_learned(cell: str) -> None:
    train, validation, test = (drawn(seed, delay=1) for seed in (0, 1, 2))
    keras.utils.set_random_seed(0)
    network = Network(build_model(cell, TINY.num_tokens, TINY.model), TINY.train.implementation)
    fit(network, train, validation, TINY.train, 0.03, 0, "test")
    assert np.array_equal(network.probabilities(test.tokens) > 0.5, test.labels)


def trained(
    monkeypatch: pytest.MonkeyPatch, start: str, settings: DelayedRecall, seed: int = 0, rate: float = 0.03
) -> Path:
    """Run the training stage with these settings and return the folder that it writes."""
    monkeypatch.setattr("stages.train_delayed_recall.load_delayed_recall", lambda: settings)
    folder = Path(f"data/delayed_recall/runs/{start}-{rate}-{seed}")
    train_delayed_recall(start, rate, seed, out=folder)
    return folder


def with_settings(delays: tuple[int, ...], **train: Any) -> DelayedRecall:
    return TINY.model_copy(update={"delays": delays, "train": TINY.train.model_copy(update=train)})


def test_every_delay_is_written_and_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = trained(monkeypatch, "lstm-chrono", with_settings((2, 3)), seed=5)
    result: dict[str, Any] = json.loads((folder / "results.json").read_text())
    made = json.loads((folder / "provenance.json").read_text())
    assert (result["start"], result["learning_rate"], result["seed"]) == ("lstm-chrono", 0.03, 5)
    assert "stages/networks/training.py" in made["code"] and made["settings"]["delays"] == [2, 3]
    assert not made["settings"].keys() & {"seeds", "learning_rate"}
    assert result["test_sequences"] == 24
    assert [row["delay"] for row in result["delays"]] == [2, 3]
    expected = []
    for row in result["delays"]:
        assert row.keys() == {"delay", "kept_epoch", "test", "transferred", "validation_accuracy"}
        shares = [round(correct / 24, 6) for correct in range(25)]
        assert row["test"]["accuracy"] in shares and row["transferred"]["accuracy"] in shares
        assert len(row["validation_accuracy"]) == TINY.train.epochs
        expected.append(
            f"delayed recall lstm-chrono 0.03 seed 5 delay {row['delay']}: kept epoch {row['kept_epoch']}, "
            f"test accuracy {row['test']['accuracy']:.4f}"
        )
    printed = [line for line in capsys.readouterr().out.splitlines() if "kept epoch" in line]
    assert printed == expected


def test_the_first_model_answers_after_all_delays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = trained(monkeypatch, "rnn-orthogonal", with_settings((3, 2), epochs=8))
    first, other = json.loads((folder / "results.json").read_text())["delays"]
    assert first["delay"] == 3 and first["transferred"] == first["test"]
    assert first["test"]["accuracy"] == 1.0
    assert other["transferred"] != other["test"]


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first, again, other = (
        (trained(monkeypatch, "rnn-identity", with_settings((3,)), seed) / "results.json").read_text()
        for seed in (0, 0, 1)
    )
    assert first == again
    assert first.replace('"seed": 0', "") != other.replace('"seed": 1', "")


def test_a_start_is_what_its_cell_has_of_its_own() -> None:
    assert own("rnn-orthogonal", 0.1, 40) == Rnn(learning_rate=0.1, recurrent_initializer="orthogonal")
    assert own("rnn-identity", 0.1, 40) == Rnn(learning_rate=0.1, recurrent_initializer="identity")
    assert own("lstm-unit", 0.1, 40) == Lstm(learning_rate=0.1, chrono_t_max=None)
    assert own("lstm-chrono", 0.1, 40) == Lstm(learning_rate=0.1, chrono_t_max=40)
    assert own("lstm-chrono", 0.1, 2) == Lstm(learning_rate=0.1, chrono_t_max=3)


def test_the_roc_curve_tells_what_the_threshold_hides() -> None:
    labels = np.array([0, 0, 1, 1], np.uint8)
    for probabilities, accuracy, auc in (
        ([0.1, 0.2, 0.8, 0.9], 1.0, 1.0),
        ([0.9, 0.8, 0.2, 0.1], 0.0, 0.0),  # the sign is flipped
        ([0.6, 0.7, 0.8, 0.9], 0.5, 1.0),
        ([0.7, 0.7, 0.7, 0.7], 0.5, 0.5),
    ):
        assert measured(np.array(probabilities), labels) == {"accuracy": accuracy, "auc": auc}


def test_dvc_tracks_what_shapes_a_run_and_trains_every_start() -> None:
    path = ROOT / "stages/delayed_recall/dvc.yaml"
    stage = YAML(typ="safe", pure=True).load(path.read_text())["stages"]["train_delayed_recall"]
    assert stage["matrix"]["start"] == list(STARTS)
    assert set(stage["params"]) == {f"delayed_recall.{name}" for name in TINY.shaping()}


def run(start: str, rate: float, seed: int, accuracies: Sequence[float]) -> dict[str, Any]:
    """Return results of a run that kept epoch 2 of 3 at each delay."""
    delays = [{"kept_epoch": 2, "validation_accuracy": [0.5, each, 0.5]} for each in accuracies]
    return {"start": start, "learning_rate": rate, "seed": seed, "delays": delays}


def test_the_grid_is_the_same_for_every_start() -> None:
    settings = TINY.model_copy(update={"seeds": (0, 4), "learning_rate": (0.1, 0.2, 0.3)})
    runs = grid(settings)
    assert len(runs) == len(set(runs)) == 4 * 2 * 3
    assert len({frozenset(each[1:] for each in runs if each.start == start) for start in STARTS}) == 1


def test_a_rate_counts_with_the_mean_over_seeds_and_delays_of_the_kept_epochs() -> None:
    rows = []
    for start in STARTS:
        rows += [run(start, 0.1, 0, [1.0, 0.6]), run(start, 0.1, 1, [0.9, 0.5])]  # 0.75
        rows += [run(start, 0.2, 0, [0.8, 0.8]), run(start, 0.2, 1, [0.8, 0.8])]  # 0.8
        rows += [run(start, 0.3, 0, [0.8, 0.8]), run(start, 0.3, 1, [0.8, 0.8])]
    rows += [run("lstm-unit", 0.1, 2, [1.0, 1.0, 1.0])]  # and more
    means = tried(rows)
    assert means[0] == {"start": "rnn-orthogonal", "learning_rate": 0.1, "validation_accuracy": 0.75}
    assert chosen(means) == dict.fromkeys(STARTS, 0.2) | {"lstm-unit": 0.1}  # of equals the first


def test_the_table_has_all_runs_and_refuses_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = TINY.model_copy(update={"seeds": (0, 1)})
    monkeypatch.setattr("stages.tabulate_delayed_recall.load_delayed_recall", lambda: settings)
    made = {"settings": settings.shaping(), "code": {}, "packages": {"keras": "3"}, "python": "3.11"}
    runs = tmp_path / "data/delayed_recall/runs"

    def write(name: str, result: dict[str, Any], made: dict[str, Any]) -> None:
        write_atomically(runs / name / "results.json", json_text(result))
        write_atomically(runs / name / "provenance.json", json_text(made))

    for start, seed in product(STARTS, (0, 1, 2)):  # seed 2 is no longer asked for
        write(f"{start}-0.03-{seed}", run(start, 0.03, seed, [1.0, 1.0]), made)
    tabulate_delayed_recall()
    table = json.loads((tmp_path / "data/delayed_recall/table.json").read_text())
    assert [(row["start"], row["seed"]) for row in table["rows"]] == list(product(STARTS, (0, 1)))
    assert table["chosen"] == dict.fromkeys(STARTS, 0.03)
    assert table["provenance"] == {"code": {}, "packages": {"keras": "3"}, "python": "3.11"}
    assert sorted(path.name for path in runs.iterdir()) == sorted(
        f"{start}-0.03-{seed}" for start, seed in product(STARTS, (0, 1))
    )

    last = "lstm-chrono-0.03-1"
    result = run("lstm-chrono", 0.03, 1, [1.0, 1.0])
    write(last, result, made | {"settings": settings.shaping() | {"sequences": 9}})
    with pytest.raises(StageError, match=rf"{last} was trained with sequences = 9, but params\.yaml now"):
        tabulate_delayed_recall()
    write(last, result, made | {"python": "3.10"})
    with pytest.raises(StageError, match=rf"{last} were trained with different versions: Python 3\.11 and"):
        tabulate_delayed_recall()
    (runs / last / "results.json").unlink()
    with pytest.raises(
        StageError, match=r"lacks 1 of the grid's 8 runs, such as lstm-chrono 0\.03 1: `dvc repro stages/del"
    ):
        tabulate_delayed_recall()


@pytest.mark.slow
def test_the_study_trains_every_start_and_copies_its_table(trained: Project) -> None:
    project = trained
    project.make("delayed_recall")
    table = json.loads(project.text("data/delayed_recall/table.json"))
    assert json.loads(project.text("reports/delayed_recall.json")) == table
    assert [row["start"] for row in table["rows"]] == list(STARTS)
    assert table["settings"]["delays"] == project.params["delayed_recall"]["delays"]
    assert "## Do LSTMs keep long-term dependencies?" in project.text("reports/report.md")
    # Another seed trains that seed alone; another learning rate as well.
    project.params["delayed_recall"]["seeds"] = [0, 1]
    project.save_params()
    changed = json.loads(project.run("dvc", "status", "--json", "stages/delayed_recall/dvc.yaml").stdout)
    training = {name.partition("@")[2] for name in changed if ":train_" in name}
    assert training == {f"{start}-0.003-1" for start in STARTS}
