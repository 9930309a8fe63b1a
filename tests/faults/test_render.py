"""`benchmark --render`, a command that no stage runs: its input is damaged, or the disk is full."""

import resource
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stages.runtime.files import REPORTS
from stages.tools import benchmark
from tests.conftest import sha256
from tests.examples import example_params, no_stages


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a made-up benchmark, which is the present one, rendered once."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["benchmark", "--render"])
    REPORTS.mkdir()
    (REPORTS / "benchmark.json").write_text(no_stages(example_params())["benchmark.json"])
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    benchmark.main()
    yield REPORTS
    for number, handler in before.items():
        signal.signal(number, handler)


def check_refused(capsys: pytest.CaptureFixture[str], said: str) -> None:
    """Check that it ends with a line that has `said` in it, and changes no file."""
    before = {path.name: sha256(path) for path in REPORTS.iterdir()}
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:
        benchmark.main()
    line = capsys.readouterr().err
    assert end.value.code == 1
    assert line.startswith("benchmark: ") and said in line and line.count("\n") == 1
    assert {path.name: sha256(path) for path in REPORTS.iterdir()} == before


@pytest.mark.fault(
    "`benchmark --render` with a file that is cut off, or none",
    "a line names the file, and what restores it, exit status 1",
    "all reports",
)
@pytest.mark.parametrize("length", [0, 100])
def test_a_benchmark_that_is_cut_off(reports: Path, length: int, capsys: pytest.CaptureFixture[str]) -> None:
    file = reports / "benchmark.json"
    file.write_bytes(file.read_bytes()[:length])
    check_refused(capsys, "reports/benchmark.json is damaged (")


@pytest.mark.fault(
    "`benchmark --render` on a disk that is full", "it says so in one line, exit status 1", "all reports"
)
def test_a_benchmark_on_a_full_disk(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        check_refused(capsys, "File too large")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
