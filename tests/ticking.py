"""A small pipeline without data and models, whose stages can take as long as a test needs."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT, made_once, run_in

# first ─► tick@0, tick@1, tick@2 ─► last, and `fail`, which needs nothing.
STAGES = """
stages:
  first:
    cmd: echo 1 > first
    deps: [run.py]
    outs: [first]
  tick:
    matrix:
      number: [0, 1, 2]
    cmd: python tick.py ${item.number}
    deps: [first]
    outs: ["tick-${item.number}"]
  last:
    cmd: cat tick-* > last
    deps: [tick-0, tick-1, tick-2]
    outs: [last]
"""
# Number 1 is deaf to Ctrl-C.
TICK = """
import signal, sys, time
from pathlib import Path
if sys.argv[1] == "1":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
for number in range({}):
    Path("ticks-" + sys.argv[1]).write_text(str(number))
    time.sleep(0.1)
print("ticked", sys.argv[1], flush=True)
Path("tick-" + sys.argv[1]).write_text("done")
"""
RUN = """
import sys
from pathlib import Path
from stages.runner.alone import alone
from stages.runner.pipeline import INTERRUPTED, bring_up_to_date
from stages.runner.state import check_state
from stages.runtime.command_line import protocol
from stages.tools.run import copy_table

pipeline = Path(next((each for each in sys.argv if each.endswith(".yaml")), "dvc.yaml"))
with protocol("run", INTERRUPTED), alone() as lock:
    check_state()
    bring_up_to_date(pipeline, 2, "--verbose" in sys.argv, lock)
    if pipeline.parent.name:
        copy_table(pipeline.parent.name)
"""
IDENTITY = ("-c", "user.name=test", "-c", "user.email=test@localhost")
ENVIRONMENT = os.environ | {
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "PYTHONPATH": str(ROOT),
}


@pytest.fixture
def ticks(tmp_path: Path) -> Path:
    """A folder with a small pipeline under DVC."""
    prepare(tmp_path)
    return tmp_path


def prepare(folder: Path) -> None:
    """Write the pipeline to a folder."""
    (folder / "dvc.yaml").write_text(STAGES)
    (folder / "tick.py").write_text(TICK.format(2))
    (folder / "run.py").write_text(RUN)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    (folder / ".dvc").mkdir()
    (folder / ".dvc/config").write_text((ROOT / ".dvc/config").read_text())
    (folder / ".dvc/.gitignore").write_text("/config.local\n/tmp\n/cache\n")


def run(ticks: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "run.py", *arguments]
    return subprocess.run(command, cwd=ticks, env=ENVIRONMENT, check=False, capture_output=True, text=True)


def ticking(ticks: Path, numbers: str) -> list[bool]:
    """Return which of the ticking stages are alive."""
    files = [ticks / f"ticks-{number}" for number in numbers]
    before = [file.read_text() if file.is_file() else "" for file in files]
    time.sleep(0.5)
    return [file.is_file() and file.read_text() != old for file, old in zip(files, before, strict=True)]


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the pipeline has run and was committed; nobody may change it."""

    def make(folder: Path) -> None:
        prepare(folder)
        result = run(folder)
        assert result.returncode == 0, result.stderr
        run_in(folder, "git", "add", "--all")
        run_in(folder, "git", *IDENTITY, "commit", "--quiet", "--message", "results")

    return made_once(tmp_path_factory, "undisturbed", make)
