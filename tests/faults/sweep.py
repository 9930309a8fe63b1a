"""Every stage that writes in a way of its own, and DVC, with each file operation failing in turn.

    python -m tests.faults.sweep              # make faults: some fifteen minutes on two cores
    python -m tests.faults.sweep --every 10   # a tenth of it

Runs the pipeline on the generated archive first. Prints a table, which is written to sweep.md unless
faults were left out. Exits with 1 where something does not end as it should.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

from tests.conftest import ROOT, Project, run_pipeline
from tests.faults.injection import available

TABLE = Path(__file__).with_name("sweep.md")
# Stage → of how many operations one fails with each fault. With 4, one fault or another meets each of them.
STAGES = {
    "train_rnn tuned 0": 4,  # these two take seconds …
    "evaluate": 8,
    "download": 1,
    "word_vectors tuned": 1,
    "pad tuned": 1,
    "score tuned 0": 1,
    "release": 1,
    "page": 1,
}
DVC = "dvc repro"
DVC_EVERY = 6
HEAD = f"""# Every file operation fails once

`make faults` made this: a stage of the pipeline on the generated archive, or `{DVC}` on a small one, runs
again and again. Each time another operation on a file (to open it for writing, write, flush, rename or delete
it, to make or delete a folder) is the last before SIGKILL, or fails with an error. Then the command runs once
more. In the end all files have an undisturbed run's bytes, and nothing else is there. After an error a stage
says so in one line, exit status 1, or does without that operation. An output is the former one, the new one
or, between a folder's two renamings, gone: never half of one.

| command | operations | fault | how often | what came of it |
| --- | --- | --- | --- | --- |
"""


class Result(NamedTuple):
    """What came of a command's faults."""

    operations: int
    outcomes: dict[str, int]  # "fault: what came of it" → how often
    wrong: list[str]  # what did not end as it should

    def rows(self, command: str) -> str:
        """Return a row of the table for each fault."""
        outcomes: dict[str, list[tuple[int, str]]] = {}
        for name, number in sorted(self.outcomes.items(), key=lambda item: -item[1]):
            fault, _, outcome = name.partition(": ")
            outcomes.setdefault(fault, []).append((number, outcome))
        return "".join(
            f"| `{command}` | {self.operations} | {fault} | {sum(number for number, _ in found)} | "
            + "; ".join(f"{number} × {outcome}" for number, outcome in found)
            + " |\n"
            for fault, found in sorted(outcomes.items())
        )


def sweep(project: Path, command: str, folder: Path, every: int = 1, sample: int | None = None) -> Result:
    """Sweep through a stage of a project whose pipeline has run; it is copied to `folder` first."""
    copy = Project(project).copy(folder / command.replace(" ", "_")).folder
    stage, *arguments = command.split()
    name = "@".join([stage, *(["-".join(arguments)] if arguments else [])])
    lock: dict[str, Any] = YAML(typ="safe").load(copy / "dvc.lock")
    outs = [out["path"] for out in lock["stages"][name]["outs"]]
    options = [f"--every={every}", *([f"--sample={sample}"] if sample else []), "--outs", *outs, "--"]
    return _result("one_stage", folder, str(copy), *options, *command.split())


def sweep_dvc(folder: Path, every: int, sample: int | None = None) -> Result:
    """Kill DVC at every so many-th operation on its own files, in a new folder below `folder`."""
    options = [f"--every={every}", *([f"--sample={sample}"] if sample else [])]
    return _result("killed_dvc", folder, str(folder / "dvc"), *options)


def _result(module: str, folder: Path, place: str, *arguments: str) -> Result:
    result = folder / f"{Path(place).name}.json"
    ended = subprocess.run(
        [sys.executable, "-m", f"tests.faults.{module}", place, str(result), *arguments],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    return Result(**json.loads(result.read_text()))


def main() -> None:
    """Sweep through all and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--every", type=int, default=1, help="so many times fewer faults")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    if not available():
        print("The sweep is left out: it needs strace, and the right to watch processes")
        return
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(arguments.jobs) as pool:
        folder = Path(temporary)
        run_pipeline(folder)
        futures = {
            command: pool.submit(sweep, folder / "project", command, folder, every * arguments.every)
            for command, every in STAGES.items()
        }
        futures[DVC] = pool.submit(sweep_dvc, folder, DVC_EVERY * arguments.every)
        results = {command: future.result() for command, future in futures.items()}
    wrong = [f"`{command}`, {each}" for command, result in results.items() for each in result.wrong]
    text = HEAD + "".join(result.rows(command) for command, result in results.items())
    if wrong:
        text += "\n## What does not end as it should\n\n" + "".join(f"- {each}\n" for each in wrong)
    if arguments.every == 1:
        TABLE.write_text(text)
    print(text)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
