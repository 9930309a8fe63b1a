"""Stages and runs that are stopped, edited or diverge: the pipeline on the generated archive."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from stages.runner.pipeline import INTERRUPTED
from tests.changed import RATE, Changed, listing, results
from tests.conftest import Project, eventually

# Runs a stage that gets a signal when all that it writes first is written, and has not got its name.
AT_WRITING = """
import os, runpy, sys
from stages.runtime import files
number, flush = int(sys.argv[1]), files._flush
def stop(path):
    os.kill(os.getpid(), number)
    flush(path)
files._flush = stop
sys.argv = sys.argv[2:]
runpy.run_module(f"stages.{sys.argv[0]}", run_name="__main__", alter_sys=True)
"""
STAGES = [
    "download",
    "film_groups",
    "pad tuned",
    "word_vectors tuned",
    "train_rnn tuned 0",
    "train_lstm tuned 0",
    "score tuned 0",
    "inspect_models tuned",
    "release",
    "audit",
    "bag_of_words",
    "evaluate",
    "page",
    "demo",
]
SIGNALS = ["SIGINT", "SIGTERM"]  # the handler is one


@pytest.mark.fault(
    "{number} while `{stage}` writes its results",
    "it says that it was interrupted, in one line, exit status 130 or 143",
    "the former results, all bytes",
)
@pytest.mark.parametrize(
    ("stage", "number"), [(stage, SIGNALS[place % 2]) for place, stage in enumerate(STAGES)]
)
def test_a_stage_is_stopped(trained: Project, stage: str, number: str) -> None:
    before = results(trained)
    sent = signal.Signals[number]
    command = ("python", "-c", AT_WRITING, str(int(sent)), *stage.split())
    result = trained.run(*command, check=False)
    assert result.returncode == 128 + sent
    # TensorFlow may have said something before.
    assert result.stderr.splitlines()[-1] == f"{stage.split()[0]}: interrupted"
    assert "Traceback" not in result.stderr
    assert results(trained) == before


# Python runs this at its start: Ctrl-C comes when NumPy is about to be imported.
AT_IMPORT = """
import os, signal, sys
class Stop:
    def find_spec(self, name, *_):
        if name == "numpy":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Stop())
"""


@pytest.mark.fault(
    "Ctrl-C while `{module}` imports libraries",
    "it says that it was interrupted, in one line, exit status 130",
    "everything",
)
@pytest.mark.parametrize("module", ["audit", "tools.run", "tools.predict", "tools.quick"])
def test_ctrl_c_during_imports(project: Project, tmp_path: Path, module: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(AT_IMPORT)
    command = ["env", f"PYTHONPATH={tmp_path}", "python", "-m", f"stages.{module}"]
    result = project.run(*command, check=False)
    assert result.returncode == 130
    assert result.stderr == f"{module.rpartition('.')[2]}: interrupted\n"


@contextmanager
def training(project: Project) -> Iterator[subprocess.Popen[str]]:
    """Run the pipeline; begin when the changed run is being trained."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    with subprocess.Popen(
        [sys.executable, "-m", "stages.tools.run", "--jobs", "2"],
        cwd=project.folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert eventually((project.folder / "data/models/tuned/.rnn-0.draft").is_dir, 300)
            yield process
        finally:
            process.kill()


@pytest.mark.slow
@pytest.mark.fault(
    "Ctrl-C at `make report` during a training",
    "all that it started ends; it says what was kept, in one line, exit status 130",
    "`dvc.lock` and all other results; `dvc repro` ends with the undisturbed run's `dvc.lock`",
)
@pytest.mark.fault(
    "SIGKILL of `make report` during a training",
    "all that it started ends within seconds",
    "`dvc.lock` and all other results; `dvc repro` ends with the undisturbed run's `dvc.lock`",
)
@pytest.mark.fault(
    "an edit of `params.yaml` during a training",
    "the stage fails, and names the parameter with its old and new value, exit status 1",
    "`dvc.lock` and all other results; `dvc repro` ends with the undisturbed run's `dvc.lock`",
)
def test_runs_that_are_stopped_or_edited_go_on(trained: Project, changed: Changed) -> None:
    project = trained
    project.params["tuned"]["rnn"]["learning_rate"] = RATE
    project.save_params()
    lock, others = project.text("dvc.lock"), results(project)
    others = {path: digest for path, digest in others.items() if not path.startswith("models/tuned/rnn-0/")}

    def check_kept() -> None:
        assert project.text("dvc.lock") == lock
        assert {path: results(project).get(path) for path in others} == others
        assert not (project.folder / "data/models/tuned/rnn-0").exists()

    with training(project) as process:
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
    assert (process.returncode, said) == (130, f"run: {INTERRUPTED}\n")
    check_kept()

    with training(project) as process:
        started = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait()
        assert eventually(lambda: not any(each.is_running() for each in started), 30)
    check_kept()

    with training(project) as process:
        project.params["tuned"]["rnn"]["learning_rate"] = 0.003
        project.save_params()
        printed, said = process.communicate(timeout=300)
    assert process.returncode == 1
    assert f"was trained with rnn.learning_rate = {RATE}, but params.yaml now has 0.003" in printed
    assert said.startswith("run: train_rnn@tuned-0 failed; ") and len(said.splitlines()) == 1
    check_kept()

    project.params["tuned"]["rnn"]["learning_rate"] = RATE
    project.save_params()
    project.repro()
    undisturbed = Project(changed.folder).run("git", "show", "changed:dvc.lock").stdout
    assert project.text("dvc.lock") == undisturbed
    assert listing(project.folder / "data") == changed.after


@pytest.mark.fault(
    "a loss that is not a number, under `make report`",
    "the stage fails, and names epoch, step and what to lower; no other stage is started, exit status 1",
    "all other results; no NaN gets into a file",
)
def test_a_run_that_diverges(trained: Project) -> None:
    project, lock = trained, trained.text("dvc.lock")
    before = results(project)
    recipe = json.loads(json.dumps(project.params["prepadded"]))
    project.params["prepadded"]["model"]["activation"] = "relu"
    project.params["prepadded"]["train"]["optimizer"] = "sgd"
    project.params["prepadded"]["rnn"]["learning_rate"] = 10.0  # the LSTM's stays what it is
    project.save_params()
    result = project.run("python", "-m", "stages.tools.run", check=False)
    assert result.returncode == 1
    assert re.search(
        r"the (validation )?loss is (nan|inf)\. Lower the learning rate \(10\), or", result.stdout
    )
    assert re.fullmatch(r"run: train_rnn@prepadded-0 failed; \d+ were not started\n", result.stderr)
    assert not (project.folder / "data/models/prepadded/rnn-0").exists()
    project.params["prepadded"] = recipe
    project.save_params()
    assert project.repro() == set()
    assert (project.text("dvc.lock"), results(project)) == (lock, before)
