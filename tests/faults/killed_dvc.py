"""DVC, killed at its own file operations, one after the other, on a small pipeline without data.

    python -m tests.faults.killed_dvc FOLDER RESULT --every 6

Makes the pipeline in FOLDER, which must not exist. After each kill the runner's check says which command
puts DVC's files right, where one is needed; then `dvc repro` ends with the undisturbed run's dvc.lock. What
came of it is written to RESULT, as JSON.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from dvc.cli import main as dvc

from stages.runner.state import check_state, load_lock
from stages.runtime.errors import StageError
from tests.faults.injection import ATTEMPTS, KILL, Ended, Operation, run
from tests.faults.one_stage import spread
from tests.ticking import prepare

LOCK = Path("dvc.lock")


def reproduce() -> None:
    """Run `dvc repro` in this process and end it."""
    sys.exit(dvc(["repro", "--quiet"]))


def start(folder: Path, template: Path) -> None:
    """Go to a fresh copy of the pipeline."""
    os.chdir(template)
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(template, folder)
    os.chdir(folder)


def put_right() -> str:
    """Do what the runner's check says; return what that was."""
    try:
        check_state()
    except StageError as error:  # one line
        command = re.findall("`([^`]+)`", str(error))[0]
        subprocess.run(command.split(), check=True, capture_output=True)
        return f"`{command}` was needed"
    return "went on"


def killed(folder: Path, template: Path, notes: Path, operation: Operation) -> Ended:
    """Kill DVC at an operation; unless that is on dvc.lock, at one near it where DVC does more before."""
    for _ in range(ATTEMPTS):
        start(folder, template)
        ended = run(reproduce, notes, folder, operation.injection(KILL))
        if ended.hit and (ended.hit.path == operation.path or operation.path != str(LOCK)):
            return ended
    raise AssertionError("the fault was injected elsewhere")


def check(ended: Ended, notes: Path, lock: Any) -> str:
    """Go on after DVC was killed; return what that took."""
    assert ended.status == -9, ended.said
    took = put_right()
    again = run(reproduce, notes)
    assert again.status == 0, f"run again: {again.said}"
    assert load_lock(LOCK) == lock, "it does not end with the undisturbed run's dvc.lock"
    return took


def main() -> None:
    """Sweep through `dvc repro`."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("result", type=Path)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--sample", type=int, help="so many of the operations on dvc.lock alone")
    arguments = parser.parse_args()
    folder, result = arguments.folder.resolve(), arguments.result.resolve()
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with tempfile.TemporaryDirectory() as temporary:
        template, notes = Path(temporary, "template"), Path(temporary, "notes")
        for each in (template, notes):
            each.mkdir()
        prepare(template)
        start(folder, template)
        ended = run(reproduce, notes, folder)
        assert ended.status == 0, ended.said
        lock, operations = load_lock(LOCK), ended.operations
        chosen = operations[:: arguments.every]
        if arguments.sample:
            own = [each for each in operations if each.path == str(LOCK)]
            chosen = spread(own, arguments.sample)
        outcomes: Counter[str] = Counter()
        wrong: list[str] = []
        for operation in chosen:
            try:
                outcome = check(killed(folder, template, notes, operation), notes, lock)
            except (AssertionError, StageError) as error:
                outcome = "wrong"
                wrong.append(f"{KILL} at {operation.call} of {operation.path}: {error}")
            outcomes[f"{KILL}: {outcome}"] += 1
    result.write_text(
        json.dumps({"operations": len(operations), "outcomes": outcomes, "wrong": wrong}, indent=1)
    )


if __name__ == "__main__":
    main()
