"""What the benchmark counts, that all implementations do the same, and how its processes start and end."""

import importlib.util
import json
import os
import platform
import signal
import subprocess
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from stages.benchmarking import dvc_costs, processes, summary, timing
from stages.benchmarking.implementations import IMPLEMENTATIONS, PARTS
from stages.benchmarking.processes import Took, Worker
from stages.benchmarking.speed import speed_figure, speed_text
from stages.benchmarking.summary import operations
from stages.benchmarking.timing import Reviews, Setting, Timing
from stages.params.recipe import CELLS, Recipe
from stages.params.study import load_params
from stages.runtime import processor
from stages.runtime.errors import StageError
from stages.runtime.files import json_text
from stages.tools import benchmark
from tests.conftest import ROOT, Project, run_in
from tests.examples import PARAMS, made_up_benchmark


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return load_params(PARAMS).blocks["notebook"]


def small(recipe: Recipe) -> Recipe:
    return recipe.model_copy(
        update={
            "pad": recipe.pad.model_copy(update={"num_words": 20}),
            "model": recipe.model.model_copy(update={"units": 8, "embedding_dim": 8}),
        }
    )


def test_operations_are_those_the_algorithm_needs(recipe: Recipe) -> None:
    lstm = operations(Setting("lstm", 32, 200), 1300, recipe)
    assert lstm == pytest.approx(6 * (32 * 200 * 128 * 512 + 1300 * 128 * 512) / 1e9)
    assert operations(Setting("rnn", 32, 200), 1300, recipe) == pytest.approx(lstm / 4)


def learn(connection: Connection, implementation: str, recipe: Recipe) -> None:
    """Train on one batch again and again; send first and last loss, and the number of correct ones."""
    tokens = np.random.default_rng(0).integers(1, 20, (16, 6), dtype=np.int32)
    labels = (tokens[:, -1] > 10).astype(np.float32)
    for cell in CELLS:
        step, predict = IMPLEMENTATIONS[implementation](small(recipe), cell, [tokens])
        losses = [step(tokens, labels) for _ in range(400)]
        connection.send((losses[0], losses[-1], int(((predict(tokens) > 0.5) == labels).sum())))


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_every_implementation_learns_the_same_batch(implementation: str, recipe: Recipe) -> None:
    """In processes of their own, as they are timed: TensorFlow and PyTorch in one can crash."""
    if implementation == "pytorch" and importlib.util.find_spec("torch") is None:
        pytest.skip("torch==2.13.0 is not installed: `make bench` does that")
    worker = Worker(learn, implementation, recipe)
    for _ in CELLS:
        first, last, correct = worker.receive()
        assert first == pytest.approx(np.log(2), abs=0.15)
        assert last < 0.1
        assert correct == 16


def test_a_worker_answers_all_that_is_asked(recipe: Recipe) -> None:
    tokens = np.random.default_rng(0).integers(1, 20, (16, 6), dtype=np.int32)
    reviews = Reviews({6: tokens}, (tokens[:, -1] > 10).astype(np.float32))
    worker = Worker(timing.work, "fixed", processes.usable_cores()[:1], small(recipe), reviews)
    for what in ("import", "step", "predict", "matmul", *PARTS):
        name = "coalesced" if what in PARTS else "fused"
        worker.ask(Timing(name, "fixed", 1, Setting("lstm", 4, 6), what), 0)
        took = worker.receive()
        assert took.milliseconds > 0 and took.faults >= 0 and took.megabytes > 50, what
    worker.end()
    assert worker.process.exitcode == 0


def settled(connection: Connection, how: str) -> None:
    """Send the environment, the libraries that were loaded before, and the faults that 48 MB cost anew."""
    assert signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])  # for the parent to hear alone
    loaded = {"tensorflow", "torch", "keras"} & sys.modules.keys()
    processes.settle(how, processes.usable_cores()[:2])
    np.ones(6_000_000)
    connection.send((dict(os.environ), loaded, processes.repeat(lambda _: np.ones(6_000_000), 0.1).faults))


def test_processes_are_started_as_they_are_named() -> None:
    """The libraries would read the project's settings when they are loaded: nothing may have loaded them."""
    found = {how: Worker(settled, how).receive() for how in ("user", "allocator", "fixed")}
    threads = str(len(processes.usable_cores()[:2]))
    ours = {*processor.ANYWHERE, *processor.ON_X86}
    for how, (environment, loaded, _) in found.items():
        assert not loaded
        assert {environment[name] for name in processor.THREADS} == {threads}
        kept = {"KERAS_BACKEND", *processor.THREADS}
        if how == "fixed":
            kept = {*processor.ANYWHERE, *(processor.ON_X86 if processor.X86 else ())}
        assert ours & environment.keys() == kept, how
    if platform.libc_ver()[0] == "glibc":
        assert found["user"][2] > 10  # pages of 4 kB, or of 2 MB
        assert found["allocator"][2] < 2


def fail(connection: Connection) -> None:
    raise SystemExit(1)


def test_a_worker_that_ends_is_an_error() -> None:
    worker = Worker(fail)
    worker.process.join()
    worker.ask("anything")
    with pytest.raises(StageError, match="has ended"):
        worker.receive()


FACTORS = {"keras": 6, "pytorch": 4, "fused": 2, "coalesced": 1}


class Pretended:
    """Instead of a worker: it answers with made-up times, each repeat but one with the same."""

    asked: ClassVar[list[Timing]] = []  # of all of them

    def __init__(self, function: Any, how: str, cores: list[int], recipe: Recipe, reviews: Reviews) -> None:
        self.how, self.cores = how, cores
        self.waiting: list[Timing] = []

    def ask(self, asked: Timing, seconds: float) -> None:
        assert asked.how == self.how and len(self.cores) == asked.threads
        self.waiting.append(asked)
        self.asked.append(asked)

    def receive(self) -> Took:
        asked = self.waiting.pop(0)
        implementation, how, threads, (cell, batch, length), what = asked
        if what == "matmul":
            return Took((160 if how == "user" else 320) / threads, 0, 0)
        if what == "beside":
            return Took(
                {"rnn": 10, "lstm": 40}[cell] * {"keras": 4, "pytorch": 3}.get(implementation, 2), 0, 0
            )
        cost = {"rnn": 10, "lstm": 40}[cell] * batch / 32 * length / 200 / threads
        if what in PARTS:
            return Took(cost * dict(zip(PARTS, (0.1, 0.2, 0.4, 0.7, 1), strict=True))[what], 0, 0)
        if self.asked.count(asked) == 5:
            return Took(1e6, 1e6, 0)  # which a median leaves out
        faster = 1.25 if how == "allocator" else 1
        return Took(cost * FACTORS[implementation] / faster, 0 if how == "allocator" else 1234.5, 950)

    def end(self) -> None:
        assert not self.waiting


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to run in, with reviews, parameters and an old report."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data/raw").mkdir(parents=True)
    (tmp_path / "params.yaml").write_text(PARAMS.read_text())
    np.save("data/raw/train_tokens.npy", np.random.default_rng(0).integers(1, 30, 1200, dtype=np.int32))
    np.save("data/raw/train_offsets.npy", np.arange(0, 1201, 10))
    np.save("data/raw/train_labels.npy", np.arange(120, dtype=np.uint8) % 2)
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports/benchmark.json").write_text("old")
    return tmp_path


def pretend(monkeypatch: pytest.MonkeyPatch, flags: set[str]) -> tuple[dict[str, Any], str]:
    """Run the benchmark with made-up times; return what it wrote as JSON, and its report."""
    Pretended.asked.clear()
    monkeypatch.setattr(timing, "Worker", Pretended)
    monkeypatch.setattr(summary, "version", lambda name: "1.0")
    for module in (timing, summary, benchmark):
        monkeypatch.setattr(module, "usable_cores", lambda: [2, 5])
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    monkeypatch.setattr(processor, "cpu_flags", lambda: flags)
    costs = {"check_all": 2.0, "check_one": 1.5, "rewrite_lock": 0.5, "stages": 60}
    monkeypatch.setattr(benchmark, "measure_dvc", lambda: costs)
    benchmark.write(benchmark.benchmark())
    return json.loads(Path("reports/benchmark.json").read_text()), Path("reports/benchmark.md").read_text()


def test_ratios_shares_and_the_study(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured, text = pretend(monkeypatch, {"avx2", "avx512f"})
    assert len(measured["steps"]) == 14 and len(measured["same_allocator"]) == 4
    row = next(each for each in measured["steps"] if each["cell"] == "lstm")
    assert (row["batch"], row["length"], row["threads"]) == (32, 200, 1)
    assert row["milliseconds"] == {"keras": 240, "pytorch": 160, "fused": 80, "coalesced": 40}
    assert measured["matmul_gflop_per_second"]["1"] == pytest.approx(2 * 2048**3 / 0.160 / 1e9, abs=0.1)
    assert measured["matmul_gflop_per_second_fixed"]["2"] == measured["matmul_gflop_per_second"]["1"]
    share = row["gflop"] / 0.080 / measured["matmul_gflop_per_second"]["1"]
    assert row["share_of_matmul_rate"]["fused"] == pytest.approx(share, abs=0.001)
    # Keras: 30 + 120 ms for a step of each cell, on both cores, two of each in 40 + 160; here in 20 + 80 ms.
    assert measured["reviews_per_second"] == {
        "one_after_another": {"fused": 1280, "coalesced": 2560, "keras": 427, "pytorch": 640},
        "same_allocator": {"fused": 1280, "coalesced": 2560, "keras": 533, "pytorch": 800},
        "side_by_side": {"fused": 1280, "coalesced": 1280, "keras": 640, "pytorch": 853},
    }
    assert [(row["part"], row["rnn"]) for row in measured["parts_of_a_step"]] == list(
        zip(PARTS, [1, 2, 2, 3, 2], strict=True)
    )
    assert "| as started | LSTM | 32 | 200 | 2 | 120.0 (" in text
    assert "| same allocator | LSTM | 32 | 200 | 2 | 96.0 (" in text
    assert "| same allocator and instructions | LSTM | 32 | 200 | 2 | 96.0 (" in text
    assert "| 3.0 | 4.0 | 1,234 / 1,234 / 1,234 / 1,234 |" in text
    assert "| 2.4 | 3.2 | 0 / 0 / 1,234 / 1,234 |" in text


def test_the_benchmarks_words_and_figure_hold_its_numbers(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured, text = pretend(monkeypatch, {"avx2", "avx512f"})
    assert "| LSTM, 2 threads | 120 ms | 40 ms | 3.0 | 80 ms | 20 ms | 4.0 |" in text
    assert "the ratios are 2.4, 2.4, 2.4 and 2.4 to Keras,\n3.2, 3.2, 3.2 and 3.2 to PyTorch" in text
    assert "here 1,280 (3.0 and 2.0 times Keras), 1,280 coalesced (2.0 and 1.5 times\nPyTorch)" in text
    assert "it: 1.25 (RNN) and 1.25 (LSTM) on 1 thread, 1.25 (RNN) and 1.25 (LSTM) on 2 threads." in text
    assert "| all backward | 3.0 | 12.0 |" in text
    assert "| here, LSTM | " in text and " | 950 | 80 |" in text
    assert "the 60 stages that were in it, each by a `dvc repro` of its own, that is 2.0\nminutes" in text
    assert [axes.get_title() for axes in speed_figure(measured).axes][:2] == [
        "RNN, batch 32, one thread",
        "LSTM, batch 32, one thread",
    ]
    assert (raw / "reports/benchmark.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(each.name for each in raw.glob("reports/.*")) == []


def test_without_avx512_there_is_no_price(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured, text = pretend(monkeypatch, {"avx2"})
    assert measured["same_instructions"] == [] and len(measured["same_allocator"]) == 4
    assert "this processor has no AVX-512" in text and "have a price" not in text
    assert not [
        each
        for each in Pretended.asked
        if each.how == "allocator" and each.implementation in ("fused", "coalesced")
    ]


def test_what_dvc_costs(raw: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("dvc.lock").write_text("schema: '2.0'\nstages:\n  download:\n    cmd: x\n  pad:\n    cmd: y\n")
    status, returncode = "{}", 0

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        assert command[1:3] == ["-m", "dvc"]
        if command[3] == "status":
            time.sleep(0.05)
        return subprocess.CompletedProcess(command, returncode, status, "it is busy\n")

    monkeypatch.setattr(subprocess, "run", run)
    costs = dvc_costs.measure_dvc()
    assert costs["check_all"] == pytest.approx(0.05, abs=0.04) and costs["check_one"] < 0.02
    assert costs["stages"] == 2
    status = '{"download": ["changed command"]}'
    with pytest.raises(StageError, match="dvc repro download"):
        dvc_costs.measure_dvc()
    returncode = 1
    with pytest.raises(StageError, match="dvc status --json download failed: it is busy"):
        dvc_costs.measure_dvc()


def test_ctrl_c_ends_every_process_and_leaves_the_old_report(raw: Path) -> None:
    """While a Keras is imported that takes for ever; beside it a DVC that says nothing has changed."""
    waiting = raw / "waiting"
    waiting.touch()
    wait = f"import os, pathlib\npathlib.Path({str(waiting)!r}).write_text(str(os.getpid()))\n"
    wait += "import time\ntime.sleep(600)"
    for package, text in (("keras", wait), ("torch", ""), ("dvc", "print('{}')")):
        (raw / "fake" / package).mkdir(parents=True)
        (raw / "fake" / package / "__init__.py").write_text(text)
        (raw / "fake" / package / "__main__.py").touch()
    (raw / "dvc.lock").write_text("stages: {}\n")
    with subprocess.Popen(
        [sys.executable, "-m", "stages.tools.benchmark"],
        cwd=raw,
        env=os.environ | {"PYTHONPATH": f"{raw / 'fake'}{os.pathsep}{ROOT}"},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            deadline = time.monotonic() + 60
            while not waiting.read_text():
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.1)
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does
            _, said = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 130
    assert "Traceback" not in said
    with pytest.raises(ProcessLookupError):
        os.kill(int(waiting.read_text()), 0)
    assert [(each.name, each.read_text()) for each in raw.glob("reports/*")] == [("benchmark.json", "old")]


def test_what_was_measured_is_written_again_without_timing(tmp_path: Path) -> None:
    report = tmp_path / "reports/benchmark.json"
    report.parent.mkdir()
    report.write_text(json_text(made_up_benchmark()))
    run_in(tmp_path, "env", f"PYTHONPATH={ROOT}", "python", "-m", "stages.tools.benchmark", "--render")
    assert report.with_suffix(".md").read_text() == speed_text(made_up_benchmark())
    assert report.read_text() == json_text(made_up_benchmark())
    assert report.with_suffix(".png").is_file()


def test_what_is_missing_is_said_before_anything_is_timed(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.folder)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(StageError, match=r"pip install torch==2\.13\.0"):
        benchmark.benchmark()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    monkeypatch.setattr(benchmark, "usable_cores", lambda: [0])
    with pytest.raises(StageError, match="2 cores are needed"):
        benchmark.benchmark()
    monkeypatch.setattr(benchmark, "usable_cores", lambda: [0, 1])
    with pytest.raises(StageError, match=r"data/raw/train_tokens\.npy does not exist"):
        benchmark.benchmark()
