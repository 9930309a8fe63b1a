"""A sample of the sweep over file operations; `make faults` runs all of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from stages.runner.state import delete_empty_records
from tests.conftest import ROOT
from tests.faults.injection import available
from tests.faults.sweep import sweep, sweep_dvc


@pytest.fixture
def tracing() -> None:
    if not available():
        pytest.skip("needs strace, and the right to watch processes")


@pytest.mark.fault(
    "SIGKILL at any file operation of a stage",
    "run again, it ends with an undisturbed run's bytes, and nothing else is left",
    "each output is the former or the new one, all bytes",
)
@pytest.mark.fault(
    "ENOSPC, EIO or EACCES at any file operation of a stage",
    "it says so in one line, exit status 1, or does without; run again, it ends as if undisturbed",
    "each output is the former or the new one, all bytes",
)
@pytest.mark.parametrize(("command", "sample"), [("score tuned 0", 5), ("release", 7)])
def test_a_file_operation_fails(
    tracing: None, pipeline: Path, tmp_path: Path, command: str, sample: int
) -> None:
    result = sweep(pipeline / "project", command, tmp_path, sample=sample)
    assert result.wrong == []
    assert sum(result.outcomes.values()) == sample


@pytest.mark.fault(
    "SIGKILL of DVC at any operation on its own files",
    "the runner mends them, or names the command that puts them right",
    "`dvc.lock` becomes the undisturbed run's",
)
def test_dvc_is_killed_while_it_writes_its_lock(tracing: None, tmp_path: Path) -> None:
    result = sweep_dvc(tmp_path, every=1, sample=2)
    assert result.wrong == []
    assert sum(result.outcomes.values()) == 2


def test_empty_records_are_deleted(tmp_path: Path) -> None:
    empty, record = tmp_path / "runs/ab/abc", tmp_path / "runs/ab/abd/record"
    for each in (empty, record.parent):
        each.mkdir(parents=True)
    record.touch()
    delete_empty_records(tmp_path)
    assert record.is_file() and not empty.exists()


# The first 4,096 bytes of numbers are written, the last 704 are not: more than the file may have.
TOO_LONG = """
import resource
import numpy as np
from pathlib import Path
from stages.runtime.files import write_array
resource.setrlimit(resource.RLIMIT_FSIZE, (128 + 4096, 128 + 4096))
write_array(Path("array.npy"), np.zeros(600))
"""


@pytest.mark.fault(
    "the disk is full when the last bytes of an array are written", "it says so", "the former array"
)
def test_the_end_of_an_array_cannot_be_written(tmp_path: Path) -> None:
    command = [sys.executable, "-c", TOO_LONG]
    ended = subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True)
    assert ended.returncode == 1
    assert list(tmp_path.iterdir()) == []
