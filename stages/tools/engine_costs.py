"""What it costs to run stages elsewhere, measured with stages that do nothing: writes reports/engines.md.

Times are of processors, in seconds, so that what else the machine does counts little. Stages, results and
remote are made up in a folder of their own. The last table is simulated from these figures.
"""

import hashlib
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

from stages.runner.alone import alone
from stages.runner.coordinator import bring_up_to_date_on, committed_revision
from stages.runner.dvc import Outcome
from stages.runner.engines import Engine
from stages.runner.lock import entries, lock_text
from stages.runner.node import Task, run_task, versions
from stages.runtime.command_line import Parser, protocol
from stages.runtime.files import REPORTS, write_atomically

NUMBERS = (10, 100, 1000)
PIPELINE = """
stages:
  run:
    matrix: {{number: [{numbers}]}}
    cmd: mkdir -p out; echo ${{item.number}} > out/${{item.number}}
    deps: [dep]
    outs: ["out/${{item.number}}"]
"""
ENTRY = """  run@{number}:
    cmd: mkdir -p out; echo {number} > out/{number}
    deps:
    - path: dep
      hash: md5
      md5: d41d8cd98f00b204e9800998ecf8427e
      size: 0
    outs:
    - path: out/{number}
      hash: md5
      md5: {md5}
      size: {size}
"""
NODES = (1, 10, 100)
RUNS, TRAINING = 1000, 120.0  # a study to simulate: runs, and seconds of each
SENT, SENDS = 5.8e6, 3  # bytes of a run's results; pushed, pulled to be scored, pulled by the coordinator
ASKED = 75e6  # bytes that a node asks for once: reviews, word vectors, the repository
LINE = 125e6  # bytes per second to and from the remote: 1 Gbit/s


class Costs(NamedTuple):
    """Seconds of a processor, with some number of stages."""

    coordinator: float  # for all of them
    node: float  # for one of them, trained
    restored: float  # for one that the remote has
    dvc: float  # for one with `dvc repro --pull` and `dvc push --run-cache`


class Instant(Engine):
    """An engine whose nodes take no time: it knows what each stage makes."""

    def __init__(self, remote: Path) -> None:
        """Take the folder of DVC's remote."""
        self.remote = remote

    def submit(self, fn: Callable[..., Outcome], /, *args: Any, **_: Any) -> Future[Outcome]:  # type: ignore[override]
        """Put the result into the remote and return what a node would."""
        future: Future[Outcome] = Future()
        entry = made(args[0].stage.rpartition("@")[2], self.remote)
        future.set_result(Outcome(0, True, "", "node", entry))
        return future


def made(number: str, remote: Path) -> str:
    """Put what a stage makes into the remote; return its entry in dvc.lock."""
    content = f"{number}\n".encode()
    digest = hashlib.md5(content).hexdigest()
    file = remote / "files/md5" / digest[:2] / digest[2:]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return ENTRY.format(number=number, md5=digest, size=len(content))


def main() -> None:
    """Measure and write the tables."""
    Parser(prog="python -m stages.tools.engine_costs", description=__doc__).parse_args()
    os.environ["PYTHONPATH"] = str(Path.cwd())  # for clones of a project that does not have this code
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with protocol("engine_costs"):
        report = (REPORTS / "engines.md").absolute()
        with tempfile.TemporaryDirectory() as folder:
            costs = {number: measured(Path(folder) / str(number), number) for number in NUMBERS}
        write_atomically(report, page(costs))


def measured(folder: Path, number: int) -> Costs:
    """Return the costs with a number of stages."""
    project, remote, node = folder / "project", folder / "remote", folder / "node"
    project.mkdir(parents=True)
    os.chdir(project)
    Path("dvc.yaml").write_text(PIPELINE.format(numbers=", ".join(map(str, range(number)))))
    Path(".gitignore").write_text("/out\n")
    Path("dep").touch()
    for command in (
        "git init --quiet",
        "dvc init --quiet",
        f"dvc remote add --quiet --default team {remote}",
        "git add --all",
        "git -c user.name=none -c user.email=none@localhost commit --quiet --message start",
    ):
        subprocess.run(command.split(), check=True)

    def coordinate() -> None:
        bring_up_to_date_on(
            "none", Path("dvc.yaml"), 1, False, lock, str(node), lambda place: Instant(remote)
        )

    with alone() as lock, Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        whole = seconds(coordinate)
    found = entries(Path("dvc.lock").read_text())
    assert len(found) == number
    revision = committed_revision()
    task = Task("run@0", {}, revision, (str(project),), str(node), versions(("python", "dvc")))
    check(run_task(task))  # from now on the node is warm
    other = task._replace(stage="run@1")
    trained = seconds(lambda: check(run_task(other)))
    restored = seconds(lambda: check(run_task(other)))
    return Costs(whole, trained, restored, by_dvc(folder, number, found))


def by_dvc(folder: Path, number: int, found: dict[str, str]) -> float:
    """Return the costs of a run with DVC's own commands, once all others are finished."""
    clone, remote = folder / "clone", folder / "remote"
    records = remote / "runs"
    record = next(records.glob("*/*/*"))
    for each in range(number):
        name = hashlib.sha256(str(each).encode()).hexdigest()
        copy = records / name[:2] / name / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(record.read_bytes())
    subprocess.run(("git", "clone", "--quiet", str(folder / "project"), str(clone)), check=True)
    os.chdir(clone)
    Path("dvc.lock").write_text(lock_text({name: text for name, text in found.items() if name != "run@2"}))
    commands = ("dvc repro --pull --single-item run@2", "dvc push --run-cache run@2")
    return sum(
        seconds(lambda command=command: subprocess.run(command.split(), check=True, capture_output=True))  # type: ignore[misc]
        for command in commands
    )


def check(outcome: Outcome) -> None:
    """Raise where a task has failed."""
    if outcome.status:
        raise OSError(outcome.output)


def seconds(action: Callable[[], object]) -> float:
    """Return the processor's seconds that an action takes, in this process and in those that it starts."""

    def used() -> float:
        who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, who))

    before = used()
    action()
    return used() - before


def simulated(nodes: int, costs: Costs) -> tuple[dict[str, float], float]:
    """Return for how many seconds the study keeps each part busy, and how long it takes.

    Nodes work side by side, the coordinator and the line to the remote beside them; the last run ends alone.
    """
    busy = {
        "nodes": RUNS * (TRAINING + costs.node) / nodes,
        "the coordinator": costs.coordinator,
        "the line to the remote": (SENDS * RUNS * SENT + nodes * ASKED) / LINE,
    }
    return busy, max(busy.values()) + TRAINING


def page(costs: dict[int, Costs]) -> str:
    """Return the tables as Markdown."""
    lines = [
        "| seconds of a processor, with … stages | " + " | ".join(f"{number:,}" for number in costs) + " |",
        "| --- |" + " ---: |" * len(costs),
    ]
    rows = {
        "a run on a node that is warm: clone, pull, push": [each.node for each in costs.values()],
        "a run that the remote has": [each.restored for each in costs.values()],
        "the same run by `dvc repro --pull` and `dvc push --run-cache`": [
            each.dvc for each in costs.values()
        ],
        "the coordinator, for all stages": [each.coordinator for each in costs.values()],
        "the coordinator, per stage": [each.coordinator / number for number, each in costs.items()],
    }
    lines += [
        f"| {name} | " + " | ".join(f"{value:.2f}" for value in row) + " |" for name, row in rows.items()
    ]
    largest = costs[max(costs)]
    parts, _ = simulated(1, largest)
    lines += [
        "",
        f"| {RUNS:,} runs of {TRAINING:.0f} s, simulated: nodes | hours | busy: {' | '.join(parts)} |",
        "| ---: |" + " ---: |" * (1 + len(parts)),
    ]
    for nodes in NODES:
        busy, seconds_in_all = simulated(nodes, largest)
        shares = " | ".join(f"{100 * value / seconds_in_all:.1f} %" for value in busy.values())
        lines.append(f"| {nodes} | {seconds_in_all / 3600:.2f} | {shares} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
