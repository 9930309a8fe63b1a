"""Training side by side: what it says where something is wrong. That it trains is seen in test_pipeline."""

import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from stages.train_all import resumed
from tests.conftest import ROOT, Project


def test_a_run_that_fails_is_named_and_the_others_still_run(project: Project) -> None:
    project.params["recipes"] = ["notebook", "tuned"]
    project.save_params()
    for cell in ("rnn", "lstm"):
        stage = project.folder / f"stages/train_{cell}.py"
        stage.write_text(f'import sys\n\nsys.exit("no {cell} today")\n')
    result = project.run("python", "-m", "stages.train_all", "--jobs", "3", check=False)
    assert result.returncode == 1
    assert result.stdout.count("no lstm today") == result.stdout.count("no rnn today") == 2
    said = (
        "train_all: train_lstm@notebook-0, train_lstm@tuned-0, train_rnn@notebook-0, train_rnn@tuned-0 failed"
    )
    assert result.stderr.splitlines()[-1] == said
    assert (project.folder / "reports/probe/0.json").exists() and (
        project.folder / "reports/bag_of_words.json"
    ).exists()


def test_wrong_parameters_are_told_before_anything_is_trained(project: Project) -> None:
    project.params["tuned"]["pad"]["length"] = 0
    project.save_params()
    result = project.run("python", "-m", "stages.train_all", check=False)
    assert result.returncode == 1
    assert "params.yaml: tuned.pad.length = 0: should be greater than or equal to 1" in result.stderr
    assert "to run" not in result.stdout


@pytest.mark.parametrize("jobs", ["0", "-1", "two", "1.5", ""])
def test_jobs_are_a_number_from_one(project: Project, jobs: str) -> None:
    result = project.run("python", "-m", "stages.train_all", f"--jobs={jobs}", check=False)
    assert result.returncode == 2
    assert f"{jobs!r} is not a number from 1" in result.stderr


def double(folder: Path, number: int) -> int:
    """Return twice `number`, and leave a file that says so; 3 fails while a file says that it shall."""
    if number == 3 and (folder / "fail").exists():
        raise ArithmeticError
    (folder / str(number)).touch()
    return 2 * number


def test_what_was_stopped_goes_on_where_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, calls = tmp_path / "reached.json", {name: (tmp_path, int(name)) for name in "1234"}
    doubled = partial(resumed, double, calls, file)
    (tmp_path / "fail").touch()
    with pytest.raises(ArithmeticError):
        doubled("settings", 1)
    assert "1 of 4 nets trained: 1\n2 of 4 nets trained: 2\n" in capsys.readouterr().out
    (tmp_path / "fail").unlink()
    for name in "12":
        (tmp_path / name).unlink()
    assert doubled("settings", 2) == {"1": 2, "2": 4, "3": 6, "4": 8}
    assert "4 nets to train, 2 of them known from before, 2 at a time\n" in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == {"reached.json", "3", "4"}

    # What came of a call may have been lost; other settings make all of it another thing.
    assert len(doubled("settings", 1, lambda name: (tmp_path / name).exists())) == 4
    assert "4 nets to train, 2 of them known from before" in capsys.readouterr().out
    doubled("other settings", 1)
    assert "4 nets to train, 1 at a time" in capsys.readouterr().out


TICKS = """
import time
from pathlib import Path
from stages.train_all import resumed

def tick(name):
    for number in range(600):
        Path(name).write_text(str(number))
        time.sleep(0.1)

if __name__ == "__main__":
    resumed(tick, {name: (name,) for name in "ab"}, Path("reached.json"), None, 2)
"""


def test_no_net_is_trained_on_when_its_command_was_killed(tmp_path: Path) -> None:
    (tmp_path / "ticks.py").write_text(TICKS)
    files = [tmp_path / name for name in "ab"]

    def ticking() -> list[bool]:
        before = [file.read_text() if file.is_file() else "" for file in files]
        time.sleep(1)
        return [file.is_file() and file.read_text() != old for file, old in zip(files, before, strict=True)]

    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "ticks.py"], cwd=tmp_path, env=environment) as parent:
        try:
            assert any(all(ticking()) for _ in range(50))
        finally:
            parent.kill()
    assert any(not any(ticking()) for _ in range(10))
