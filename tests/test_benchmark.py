"""What the benchmark counts, and that its engines do the same."""

import importlib.util
import os
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import pytest

from stages import StageError, benchmark, figures
from stages.benchmark import ENGINES, PARTS, Setting, Worker, operations, summarise
from stages.params import Recipe, load_params
from stages.report import template
from tests.conftest import ROOT, Project


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return load_params(ROOT / "params.yaml").blocks["notebook"]


def test_operations_are_those_the_algorithm_needs(recipe: Recipe) -> None:
    lstm = operations(Setting("lstm", 32, 200), 1300, recipe)
    assert lstm == pytest.approx(6 * (32 * 200 * 128 * 512 + 1300 * 128 * 512) / 1e9)
    assert operations(Setting("rnn", 32, 200), 1300, recipe) == pytest.approx(lstm / 4)


def learn(connection: Connection, engine: str, recipe: Recipe) -> None:
    """Train on one batch again and again; send first and last loss, and how many are answered right."""
    small = recipe.model_copy(
        update={
            "pad": recipe.pad.model_copy(update={"vocabulary": 20}),
            "model": recipe.model.model_copy(update={"units": 8, "embedding_width": 8}),
        }
    )
    tokens = np.random.default_rng(0).integers(1, 20, (16, 6), dtype=np.int32)
    labels = (tokens[:, -1] > 10).astype(np.float32)
    for cell in ("rnn", "lstm"):
        step, answer = ENGINES[engine](small, cell, [tokens])
        losses = [step(tokens, labels) for _ in range(400)]
        connection.send((losses[0], losses[-1], int(((answer(tokens) > 0.5) == labels).sum())))


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_learns_the_same_batch(engine: str, recipe: Recipe) -> None:
    """In processes of their own, as they are timed: TensorFlow and PyTorch in one can crash."""
    if engine == "pytorch" and importlib.util.find_spec("torch") is None:
        pytest.skip("torch==2.13.0 is not installed: `make bench` does that")
    worker = Worker(learn, engine, recipe)
    for _ in ("rnn", "lstm"):
        first, last, right = worker.receive()
        assert first == pytest.approx(np.log(2), abs=0.15)
        assert last < 0.1
        assert right == 16


def fail(connection: Connection) -> None:
    raise SystemExit(1)


def test_a_worker_that_ends_is_an_error() -> None:
    with pytest.raises(StageError, match="has ended"):
        Worker(fail).receive()


class FewReviews:
    """Instead of the real ones: one batch of reviews with ten distinct tokens."""

    def __init__(self, recipe: Recipe) -> None:
        pass

    def batches(self, setting: Setting) -> list[tuple[np.ndarray, np.ndarray]]:
        return [(np.arange(10), np.zeros(1))]


def made_up(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(benchmark, "Reviews", FewReviews)
    monkeypatch.setattr(benchmark, "version", lambda name: "1.0")
    times: dict[Any, float] = {("matmul", 1): 160.0, ("matmul", 2): 80.0}
    fresh: dict[tuple[str, str], list[Any]] = {}
    for cell, cost in (("rnn", 10.0), ("lstm", 40.0)):
        for length in (100, 200):
            setting = Setting(cell, 32, length)
            for threads in (1, 2):
                for engine, factor in (("keras", 6), ("pytorch", 4), ("fused", 2), ("summed", 1)):
                    times[engine, threads, setting] = cost * factor / threads * length / 200
        shares = {"keras": 4, "pytorch": 3, "fused": 2, "summed": 2}
        times |= {("side by side", engine, setting): cost * share for engine, share in shares.items()}
        times |= {("answer", engine, setting): cost for engine in ENGINES}
        times |= {
            ("part", part, setting): cost * share
            for part, share in zip(PARTS, (0.1, 0.2, 0.4, 0.7, 1), strict=True)
        }
        fresh |= {(engine, cell): [(5, 2, 900), (6, 3, 1000), (9, 9, 950)] for engine in ENGINES}
    return summarise(times, fresh, recipe)


def test_ratios_shares_and_the_study(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = made_up(recipe, monkeypatch)
    row = next(each for each in measured["steps"] if list(each.values())[:4] == ["lstm", 32, 200, 1])
    assert row["keras_to_fused"] == 3 and row["pytorch_to_summed"] == 4
    assert measured["matmul_gflop_per_second"]["1"] == pytest.approx(2 * 2048**3 / 0.160 / 1e9, abs=0.1)
    share = row["gflop"] / 0.080 / measured["matmul_gflop_per_second"]["1"]
    assert row["share_of_matmul_rate"]["fused"] == pytest.approx(share, abs=0.001)
    # Keras: 30 + 120 ms for a step of each cell, on both cores, two of each in 40 + 160; here in 20 + 80 ms.
    after, beside, twelve = (
        measured["study"][name] for name in ("one_after_another", "side_by_side", "twelve_runs_to_keras_two")
    )
    assert after["reviews_per_second"] == {"fused": 1280, "summed": 2560, "keras": 427, "pytorch": 640}
    assert beside["reviews_per_second"] == {"fused": 1280, "summed": 1280, "keras": 640, "pytorch": 853}
    assert (after["keras_to_fused"], after["pytorch_to_summed"]) == (3, 2)
    assert (beside["keras_to_fused"], beside["pytorch_to_summed"]) == (2, 1.5)
    assert twelve == {"fused": 2, "summed": 2}
    assert measured["fresh_process"]["rnn"]["keras"]["peak_megabytes"] == 950
    assert list(measured["parts_of_a_step"]["rnn"].values()) == [1, 2, 2, 3, 2]


def test_the_benchmarks_words_and_figure_hold_its_numbers(
    recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = made_up(recipe, monkeypatch)
    text = template("benchmark.md").render(measured=measured)
    assert "| LSTM, 2 threads | 120 ms | 40 ms | 3.0 | 80 ms | 20 ms | 4.0 |" in text
    assert "| RNN | 32 | 100 | 1 | 30.0 (" in text
    assert "| all backward | 3.0 | 12.0 |" in text
    assert "| here, summed, LSTM | 6.0 | 3.0 | 950 | 40 |" in text
    assert "here 1,280 (3.0 and 2.0 times Keras), 1,280 summed" in text
    assert [axes.get_title() for axes in figures.benchmark(measured).axes][:2] == [
        "RNN, batch 32, one thread",
        "LSTM, batch 32, one thread",
    ]


def test_what_is_missing_is_told_before_anything_is_timed(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.folder)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(StageError, match=r"pip install torch==2\.13\.0"):
        benchmark.main()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    with pytest.raises(StageError, match="2 cores are needed"):
        benchmark.main()
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    with pytest.raises(StageError, match=r"data/raw/train_tokens\.npy is not there"):
        benchmark.main()
    project.params |= {"mine": project.params.pop("notebook"), "recipes": ["mine"]}
    project.save_params()
    with pytest.raises(StageError, match="no block 'notebook'"):
        benchmark.main()
