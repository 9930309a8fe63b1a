"""Side by side under DVC: order, progress, failure, and that nothing outlives the command that started it.

That the whole pipeline runs so is seen in test_pipeline, that `make` does in test_makefile.
"""

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from contextlib import suppress
from pathlib import Path

import pytest

from stages.runner.pipeline import INTERRUPTED
from tests.conftest import Project, eventually
from tests.ticking import ENVIRONMENT, STAGES, TICK, run, ticking

FAIL = """
  fail:
    cmd: echo the reason >&2; exit 3
"""
# In a folder of its own; it needs `first`, and nothing needs it.
SIDE_STUDY = """
stages:
  train:
    wdir: ../..
    matrix:
      number: [0, 1]
    cmd: mkdir -p data; cp first data/${item.number}
    deps: [first]
    outs: ["data/${item.number}"]
  choose:
    wdir: ../..
    cmd: mkdir -p data/side; cat data/0 data/1 > data/side/table.json
    deps: [data/0, data/1]
    outs: [data/side/table.json]
"""


def test_stages_run_side_by_side_when_their_inputs_are_ready(ticks: Path) -> None:
    result = run(ticks, "--verbose")
    assert result.returncode == 0, result.stderr
    first, *lines, end = [
        line for line in result.stdout.splitlines() if "waiting" in line or "stages" in line
    ]
    assert re.fullmatch(r"5 stages to run, 2 at a time, about \d+ (s|min)", first)
    assert [line.partition(":")[0] for line in lines[::4]] == ["[1/5] first", "[5/5] last"]
    shape = r"\[\d/5\] [a-z@\d]+: done in \d+ s; \d running, \d waiting, about \d+ (s|min) left"
    assert all(re.fullmatch(shape, line) for line in lines)
    assert " 2 running, 2 waiting" in lines[0] and " 0 running, 0 waiting, about 0 s left" in lines[-1]
    assert end.startswith("5 stages done in ")
    assert result.stdout.count("ticked") == 3 and "git add" not in result.stdout
    assert (ticks / "last").read_text() == 3 * "done"
    assert set(json.loads((ticks / ".dvc/tmp/durations.json").read_text())) == {"first", "tick", "last"}

    assert run(ticks).stdout == "Everything is up to date\n"

    # Only what is gone, and what depends on it; what DVC knows is not run again.
    (ticks / "tick-2").unlink()
    said = run(ticks).stdout
    assert "2 stages to run" in said and "ticked" not in said
    assert "tick@2: up to date, or taken from the cache" in said and "last: up to date" in said


def test_a_side_study_runs_with_what_it_needs_of_the_main_study_and_nothing_else(ticks: Path) -> None:
    side = ticks / "stages/side/dvc.yaml"
    side.parent.mkdir(parents=True)
    side.write_text(SIDE_STUDY)
    result = run(ticks, "stages/side/dvc.yaml")
    assert result.returncode == 0, result.stderr
    assert "4 stages to run, 2 at a time" in result.stdout
    stages = re.findall(r"^\[\d/4\] (.*): done in", result.stdout, re.MULTILINE)
    assert (stages[0], stages[-1]) == ("first", "stages/side/dvc.yaml:choose")
    assert not list(ticks.glob("tick-*"))
    # The report finds its results in git, where a second run puts them again.
    copy = ticks / "reports/side.json"
    assert copy.read_text() == "1\n1\n"
    copy.unlink()
    assert run(ticks, "stages/side/dvc.yaml").stdout.startswith("Everything is up to date\n")
    assert copy.is_file()

    # The main study leaves it alone, up to date or not.
    side.write_text(SIDE_STUDY.replace("cp first", "cp -f first"))
    said = run(ticks).stdout
    assert "4 stages to run" in said and "side" not in said
    said = run(ticks, "stages/side/dvc.yaml").stdout
    assert "3 stages to run" in said and "first" not in said

    # Should the main study ever depend on it, nothing is run.
    main = STAGES.replace("[tick-0, tick-1, tick-2]", "[tick-0, tick-1, tick-2, data/0]")
    (ticks / "dvc.yaml").write_text(main)
    (ticks / "first").unlink()
    result = run(ticks)
    assert result.returncode == 1 and result.stdout == ""
    assert result.stderr == (
        "run: dvc.yaml should need no stage of a side study: stages/side/dvc.yaml:train@0\n"
    )


def test_a_pipeline_that_does_not_exist(ticks: Path) -> None:
    result = run(ticks, "stages/other/dvc.yaml")
    said = "run: stages/other/dvc.yaml is none of this project's pipelines: dvc.yaml\n"
    assert (result.returncode, result.stdout, result.stderr) == (1, "", said)


@pytest.mark.fault(
    "a stage that fails, under `make report`",
    "what runs finishes, no other stage is started; it names the stage, exit status 1",
    "all other results",
)
def test_after_a_failure_nothing_more_is_started(ticks: Path) -> None:
    # It fails at once, beside one that takes a while.
    (ticks / "dvc.yaml").write_text(STAGES.replace("echo 1", "sleep 2; echo 1") + FAIL)
    result = run(ticks)
    assert result.returncode == 1
    assert "the reason" in result.stdout and "exited with 3" in result.stdout
    assert result.stderr == "run: fail failed; 4 were not started\n"
    assert (ticks / "first").is_file() and not (ticks / "ticks-0").exists()


@pytest.mark.fault(
    "{number.name} of a run with two workers, one deaf to Ctrl-C",
    "all that it started ends within seconds",
    "what was finished",
)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_a_study_that_is_ended(ticks: Path, number: signal.Signals) -> None:
    (ticks / "tick.py").write_text(TICK.format(600))
    command = [sys.executable, "run.py"]
    with subprocess.Popen(command, cwd=ticks, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True) as study:
        try:
            assert eventually(lambda: all(ticking(ticks, "01")))
            study.send_signal(number)
            said = study.communicate(timeout=60)[1]
        finally:
            study.kill()
    if number == signal.SIGTERM:
        assert study.returncode == 128 + number
        assert said == f"run: {INTERRUPTED}\n"
    assert eventually(lambda: not any(ticking(ticks, "012")), 60)


@pytest.mark.fault(
    "Ctrl-C on a terminal",
    "all that it started ends within seconds; it says what was kept, in one line, exit status 130",
    "what was finished; the same command goes on from there",
)
def test_on_a_terminal_a_bar_stays_below_until_ctrl_c(ticks: Path) -> None:
    (ticks / "tick.py").write_text(TICK.format(600))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 160, 0, 0))
    said = ""
    with subprocess.Popen(
        [sys.executable, "run.py"],
        cwd=ticks,
        env=ENVIRONMENT,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # so that \x03 is Ctrl-C
    ) as study:
        os.close(theirs)
        try:
            assert eventually(lambda: all(ticking(ticks, "01")))
            os.write(ours, b"\x03")
            with suppress(OSError):  # at the end
                while text := os.read(ours, 10_000):
                    said += text.decode()
            assert study.wait(timeout=60) == 130
        finally:
            study.kill()
            os.close(ours)
    assert not any(ticking(ticks, "012"))
    assert re.search(r"\r.*1 of 5 done, 2 running, 2 waiting, about \d+ (s|min) left: tick@0, tick@1", said)
    # The bar is gone, and no other stage was started.
    assert said.splitlines()[-1].endswith(f"run: {INTERRUPTED}")
    assert not (ticks / "ticks-2").exists()

    # It does go on.
    (ticks / "tick.py").write_text(TICK.format(1))
    assert "4 stages to run" in run(ticks).stdout
    assert (ticks / "last").is_file()


def test_wrong_parameters_are_named_before_anything_is_trained(project: Project) -> None:
    project.params["tuned"]["pad"]["maxlen"] = 0
    project.save_params()
    result = project.run("python", "-m", "stages.tools.run", check=False)
    assert result.returncode == 1
    said = "run: params.yaml: tuned.pad.maxlen = 0: should be greater than or equal to 1\n"
    assert (result.stdout, result.stderr) == ("", said)


@pytest.mark.parametrize("jobs", ["0", "-1", "two", "1.5", ""])
def test_jobs_are_a_number_from_one(tmp_path: Path, jobs: str) -> None:
    command = [sys.executable, "-m", "stages.tools.run", f"--jobs={jobs}"]
    result = subprocess.run(
        command, cwd=tmp_path, env=ENVIRONMENT, check=False, capture_output=True, text=True
    )
    assert result.returncode == 2
    said = f"argument --jobs: {jobs!r} is not a number from 1; --help explains\n"
    assert result.stderr == f"python -m stages.tools.run: {said}"
