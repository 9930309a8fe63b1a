"""SLURM's engine, where SLURM refuses jobs or loses them: submitit and SLURM's commands are simulated."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from stages.runner.dvc import Outcome
from stages.runner.node import TRY_AGAIN

on_slurm = pytest.importorskip("stages.runner.on_slurm", reason="needs submitit: .ci/run installs it")


class Executor:
    """Takes arrays of so many tasks at most. Every other job ends and brings nothing."""

    def __init__(self, folder: Path, most: int) -> None:
        self.folder, self.most = folder, most
        self.sizes: list[int] = []
        self.parameters: dict[str, Any] = {}
        self.number = 0

    def update_parameters(self, **parameters: Any) -> None:
        self.parameters |= parameters

    @contextmanager
    def batch(self) -> Iterator[None]:
        self.jobs = 0
        yield
        self.sizes.append(self.jobs)
        if self.jobs > self.most:
            raise RuntimeError("sbatch: error:\ntoo many jobs")

    def submit(self, fn: Callable[..., Outcome], *arguments: Any) -> Any:
        self.jobs += 1
        self.number += 1
        files = {
            name: self.folder / f"{self.number}.{name}"
            for name in ("result_pickle", "submitted_pickle", "stdout")
        }
        if self.number % 2:
            files["result_pickle"].touch()
        result = lambda: fn(*arguments)  # noqa: E731
        return SimpleNamespace(job_id=str(self.number), paths=SimpleNamespace(**files), result=result)


def outcomes(
    most: int, tasks: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Executor, list[Outcome]]:
    """Return what comes of so many tasks, with one node excluded."""
    for command in ("scancel", "squeue"):
        program = tmp_path / "bin" / command
        program.parent.mkdir(exist_ok=True)
        program.write_text('#!/bin/sh\necho "$0 $*" >> "${0%/*}/../called"\n')
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    monkeypatch.chdir(tmp_path)
    on_slurm.FOLDER.mkdir(parents=True)
    executor = Executor(tmp_path, most)
    monkeypatch.setattr(on_slurm.submitit, "SlurmExecutor", lambda folder: executor)
    monkeypatch.setattr(on_slurm.shutil, "rmtree", lambda *_, **__: None)
    for name, value in {"ARRAY": 8, "ASK": 0.0, "LATE": 0.0, "PAUSE": 0.0, "REFUSALS": 4}.items():
        monkeypatch.setattr(on_slurm, name, value)
    with on_slurm.start() as engine:
        engine.exclude("n1")
        futures = [engine.submit(lambda k: Outcome(0, True, str(k)), k) for k in range(tasks)]
        return executor, [future.result(60) for future in futures]


def test_what_slurm_refuses_is_submitted_again_in_smaller_arrays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    executor, found = outcomes(2, 4, tmp_path, monkeypatch)
    assert [outcome.status for outcome in found] == [0, TRY_AGAIN, 0, TRY_AGAIN]
    assert found[0].output == "0"
    assert re.match(r"SLURM's job \d+ ended before its task did: /.*\.stdout$", found[1].output)
    assert executor.sizes[0] > 2 >= executor.sizes[-1] and executor.parameters["exclude"] == "n1"
    assert (
        "SLURM takes no job: sbatch: error: too many jobs; trying again in 0 s\n" in capsys.readouterr().out
    )
    called = (tmp_path / "called").read_text().splitlines()
    assert f"--name={executor.parameters['job_name']}" in called[0]  # of a coordinator that was killed
    assert "squeue --me --all" in called[1]


def test_what_slurm_refuses_for_good_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executor, found = outcomes(0, 1, tmp_path, monkeypatch)
    assert found == [Outcome(TRY_AGAIN, False, "SLURM takes no job: sbatch: error: too many jobs\n")]
    assert executor.sizes == [1] * 4
