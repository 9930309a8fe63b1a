"""One stage, and what comes of it when its file operations fail, one after the other.

    python -m tests.faults.one_stage PROJECT RESULT --every 4 --outs data/raw -- download

PROJECT is a copy of this project, its pipeline up to date, that nobody else uses. At every fourth operation
below its data/ and reports/ the stage gets a fault; then it runs once more. What came of it is written to
RESULT, as JSON. No other module of the project's is imported than the stage needs: what it is made with is
noted in its results.
"""

import argparse
import hashlib
import importlib
import json
import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from tests.faults.injection import ATTEMPTS, FAULTS, KILL, Ended, Operation, run, run_module

T = TypeVar("T")
WATCHED = ("data", "reports")
FORMER = b"of before"  # ends the stage's files before it runs
# TensorFlow's; stages.runner has some of these, but must not be imported here.
NOTES = re.compile(r"[IWE]\d{4} |WARNING: All log messages before absl|To enable the following")


class Point(NamedTuple):
    """A fault in one operation."""

    fault: str
    operation: Operation


def points(operations: Sequence[Operation], every: int, sample: int | None = None) -> list[Point]:
    """Return every so many-th operation with each fault, each fault beginning at another; or a sample."""
    found = [
        Point(fault, operation)
        for shift, fault in enumerate(FAULTS)
        for operation in operations[shift * every // len(FAULTS) :: every]
    ]
    return found if sample is None else spread(found, sample)


def spread(found: Sequence[T], number: int) -> list[T]:
    """Return so many of a list, evenly spread."""
    return [found[(2 * i + 1) * len(found) // (2 * number)] for i in range(number)]


def contents() -> dict[str, str]:
    """Return path → digest of all results, as they are now."""
    files = [file for name in WATCHED for file in Path(name).rglob("*") if file.is_file()]
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


class Sweep:
    """A stage in a project's folder, which is the current one."""

    def __init__(self, stage: str, arguments: Sequence[str], outs: Sequence[str], notes: Path) -> None:
        """outs: what the stage writes. notes: an empty folder elsewhere."""
        self.stage, self.outs, self.notes = stage, outs, notes
        self.work = partial(run_module, f"stages.{stage}", *arguments)
        for name in WATCHED:
            shutil.copytree(name, notes / "kept" / name)
        self.new = contents()
        self.make_former()
        self.former = contents()

    def make_former(self) -> None:
        """Let the stage's outputs be those of a former run."""
        for path in filter(self.out_of, contents()):
            with Path(path).open("ab") as file:
                file.write(FORMER)

    def out_of(self, path: str) -> str | None:
        """Return the output that a file belongs to, None where it is no file of the stage's."""
        return next((out for out in self.outs if Path(path).is_relative_to(out)), None)

    def restore(self) -> None:
        """Undo what a stage has done."""
        for name in WATCHED:
            shutil.rmtree(name)
            shutil.copytree(self.notes / "kept" / name, name)

    def operations(self) -> list[Operation]:
        """Return what the stage does to files; it has to make the bytes that the pipeline made."""
        ended = run(self.work, self.notes, Path.cwd())
        assert ended.status == 0, ended.said
        assert contents() == self.new, "run by itself, the stage makes other bytes than in the pipeline"
        return [each for each in ended.operations if each.path.startswith(WATCHED)]

    def check(self, point: Point) -> str:
        """Let a fault happen and run the stage again; return what came of the fault.

        Raises `AssertionError` where that is not what should.
        """
        for _ in range(ATTEMPTS):
            self.make_former()
            ended = run(self.work, self.notes, Path.cwd(), point.operation.injection(point.fault))
            if ended.hit:
                break
        assert ended.hit, "the fault was injected elsewhere"
        outcome = self.outcome(point.fault, ended)
        again = run(self.work, self.notes)
        assert again.status == 0, f"run again: {again.said}"
        assert contents() == self.new, "run again, it does not end with the undisturbed run's bytes"
        return outcome

    def outcome(self, fault: str, ended: Ended) -> str:
        """Return how a stage ended and what it left."""
        left = self.left()
        assert "half" not in left, f"status {ended.status}, but outputs are {left}: {ended.said}"
        lines = [line for line in ended.said.splitlines() if not NOTES.match(line)]
        if fault == KILL:
            assert ended.status == -9, f"status {ended.status}: {ended.said}"
            return f"killed; outputs are {left}"
        if ended.status == 0:
            assert left == "new" and not lines, f"it ended well, but its outputs are {left}: {ended.said}"
            return "went on without"
        name = self.stage.rpartition(".")[2]
        assert (ended.status, len(lines)) == (1, 1), f"status {ended.status}: {ended.said}"
        assert lines[0].startswith(f"{name}: "), lines[0]
        return f"said so; outputs are {left}"

    def left(self) -> str:
        """Return what the outputs are, in words; drafts, which are hidden, do not count."""
        states = set()
        found = contents()
        for out in (*self.outs, None):
            now, former, new = (
                {path: digest for path, digest in each.items() if self.out_of(path) == out and shown(path)}
                for each in (found, self.former, self.new)
            )
            if out is None:
                assert now == new, "it changes what is not its own"
            else:
                known: list[tuple[str, dict[str, str]]]
                known = [("gone", {}), ("former", former), ("new", new)]
                states.update([word for word, each in known if now == each][:1] or ["half written"])
        return " or ".join(sorted(states))


def shown(path: str) -> bool:
    """Return whether a file is neither hidden nor in a hidden folder."""
    return not any(name.startswith(".") for name in Path(path).parts)


def main() -> None:
    """Sweep through a stage."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("project", type=Path)
    parser.add_argument("result", type=Path)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--sample", type=int, help="so many points in all")
    parser.add_argument("--outs", nargs="+", required=True)
    parser.add_argument("command", nargs="+", help="the stage and its arguments")
    arguments = parser.parse_args()
    stage, *rest = arguments.command
    importlib.import_module(f"stages.{stage}")
    if stage.startswith("train"):
        importlib.import_module("stages.networks.training")  # which a stage does later
    result = arguments.result.absolute()
    os.chdir(arguments.project)
    with tempfile.TemporaryDirectory() as notes:
        sweep = Sweep(stage, rest, arguments.outs, Path(notes))
        operations = sweep.operations()
        outcomes: Counter[str] = Counter()
        wrong: list[str] = []
        for point in points(operations, arguments.every, arguments.sample):
            try:
                outcome = sweep.check(point)
            except AssertionError as error:
                outcome = "wrong"
                fault, operation = point
                wrong.append(f"{fault} at {operation.call} of {operation.path}: {error}")
                sweep.restore()
            outcomes[f"{point.fault}: {outcome}"] += 1
    result.write_text(
        json.dumps({"operations": len(operations), "outcomes": outcomes, "wrong": wrong}, indent=1)
    )


if __name__ == "__main__":
    main()
