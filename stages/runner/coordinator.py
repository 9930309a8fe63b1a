"""A pipeline brought up to date on the nodes of an engine, such as SLURM.

The coordinator says what is to be run, and when; it trains nothing. Each run is a task of `node.py`. Results
go through DVC's remote, and what dvc.lock says of them comes back with the task. What was finished is found
in the remote, so the coordinator may be ended and started again at any time. At the end it restores
everything, and runs what nodes cannot: the stages that read reports/, which DVC's remote does not have.
"""

import configparser
import re
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import networkx
from ruamel.yaml import YAML

from stages.networks.provenance import PACKAGES
from stages.runner.dvc import DVC, MAIN_STUDY, Outcome, dependencies, printed, stale_stages, studies, study_of
from stages.runner.engines import Engine, start_engine
from stages.runner.lock import entries, lock_text
from stages.runner.node import REFUSED, TRY_AGAIN, Task, run_task, versions
from stages.runner.one_stage import asked
from stages.runner.pipeline import DURATIONS, check_ended, load_durations, run, run_here, save_durations
from stages.runner.progress import Progress
from stages.runner.schedule import Schedule
from stages.runner.state import hashed_anew
from stages.runtime.errors import StageError
from stages.runtime.files import REPORTS, write_atomically, write_file

TRIES = 3  # of a run that was lost, or whose node could not reach the remote
UNLIMITED = 10**6  # stages at a time: the engine has a queue
EVERY = 30.0  # seconds between two times that dvc.lock is written
SHOWN = 15  # lines of a run that failed
CONFIG = Path(".dvc/config")
LOGS = Path(".dvc/tmp/logs")
LOCK = re.compile(r"(stages/\w+/)?dvc\.lock|reports/.*")  # what a run changes


@hashed_anew()
def bring_up_to_date_on(
    place: str,
    pipeline: Path,
    jobs: int,
    verbose: bool,
    lock: int,
    folder: str,
    start: Callable[[str], Engine] = start_engine,
) -> None:
    """Run the stages of a dvc.yaml that are not up to date, and those that they need, on an engine's nodes.

    jobs: at a time here; on nodes, the engine decides. lock: of `alone`. folder: of each node. start:
    connects to the engine at `place`. Raises `StageError` where nodes could not see what is to be run, and
    where a stage fails.
    """
    revision = committed_revision()
    check_remote(CONFIG.read_text(encoding="utf-8"))
    with start(place) as engine:
        graph = dependencies()
        restore(pipeline)
        stale, here = stale_stages(pipeline, graph), stages_here(graph)
        there = {stage: needs for stage, needs in stale.items() if stage not in here}
        ready = {need for stage in there for need in graph.predecessors(stage)} - stale.keys()
        if ready:
            asked(lambda: printed(*DVC, "push", "--quiet", *sorted(ready)))
        if there:
            print(
                f"{len(there)} stages to run on {place}; logs are in {folder}/logs on the nodes and, "
                f"of what has ended, in {LOGS}",
                flush=True,
            )
            durations = DURATIONS.with_stem(f"durations-{place}")
            schedule, began = Schedule(there, UNLIMITED, load_durations(durations)), time.monotonic()
            try:
                run_there(engine, schedule, Study(graph, revision, folder), verbose)
            finally:
                save_durations(durations, schedule.known)
            print(f"Restoring the results of {len(schedule.done)} stages", flush=True)
            restore(pipeline)
            check_ended(schedule, began)
    left = stale_stages(pipeline, graph)
    if missing := sorted(left.keys() - here):
        lack = "the remote lacks their results; the same command runs them again"
        raise StageError(f"{', '.join(missing)}: {lack}")
    run_here(left, jobs, verbose, lock)


def run_there(engine: Engine, schedule: Schedule, study: "Study", verbose: bool) -> None:
    """Run a schedule's stages on an engine's nodes, and write what dvc.lock says of them."""
    with Progress(schedule, time.monotonic()) as progress:

        def submit(stage: str) -> Future[Outcome]:
            return engine.submit(run_task, study.task(stage))

        def judge(stage: str, outcome: Outcome) -> Outcome | None:
            if verbose:
                progress.show(outcome.output.rstrip("\n"))
            if outcome.status == REFUSED:
                engine.exclude(outcome.node)
            judged = study.judge(stage, outcome)
            if not judged:
                progress.show(f"{stage}: {last_line(outcome)}; trying again")
            return judged

        try:
            run(schedule, submit, progress, judge)
        finally:
            study.save()


def restore(pipeline: Path) -> None:
    """Take from the remote what it has of the results that dvc.lock names, here and in the main study."""
    named = sorted({str(MAIN_STUDY), str(pipeline)})
    asked(lambda: printed(*DVC, "pull", "--quiet", "--allow-missing", *named))


def committed_revision() -> str:
    """Return the commit that is checked out; raise `StageError` where files here are not those of it."""
    lines = printed("git", "status", "--porcelain", "--untracked-files=all", "-z").split("\0")
    changed = [line[3:] for line in lines if line and not LOCK.fullmatch(line[3:])]
    if changed:
        more = f" and {len(changed) - 1} more" if changed[1:] else ""
        raise StageError(
            f"{changed[0]}{more} not committed, and nodes see only what is committed: run "
            "`git add --all && git commit`, or `git stash --include-untracked`"
        )
    return printed("git", "rev-parse", "HEAD").strip()


def check_remote(text: str) -> None:
    """Raise `StageError` where .dvc/config, of that text, names no remote that serves all nodes."""
    config = configparser.ConfigParser(interpolation=None)
    config.read_string(text)
    name = config.get("core", "remote", fallback="")
    url = config.get(f"'remote \"{name}\"'", "url", fallback="")
    add = "`dvc remote add --force --default NAME URL`, then `git commit .dvc/config`"
    if not url:
        raise StageError(f"{CONFIG} names no remote, through which nodes share results: run {add}")
    if "://" not in url and not Path(url).is_absolute():
        raise StageError(
            f"the remote {name} is {url}, a relative path, which is elsewhere on a node: run {add}"
        )
    if url.startswith(("http://", "https://")):
        raise StageError(
            f"the remote {name} is {url}: DVC's run cache needs another kind than HTTP: run {add}"
        )


def stages_here(graph: networkx.DiGraph) -> set[str]:
    """Return the stages that the coordinator runs: those that read reports/, and what needs them."""
    reading = {
        name if study == MAIN_STUDY else f"{study}:{name}"
        for study in studies()
        for name, stage in YAML(typ="safe", pure=True).load(study)["stages"].items()
        if any(str(dep).startswith(f"{REPORTS}/") for dep in stage.get("deps", ()))
    }
    return reading.union(*(networkx.descendants(graph, each) for each in reading if each in graph))


class Study:
    """What is known of the stages while they run: their entries in dvc.lock."""

    def __init__(self, graph: networkx.DiGraph, revision: str, folder: str) -> None:
        """Read every dvc.lock. graph: of `dependencies`; revision and folder: of `Task`."""
        self.graph, self.revision, self.folder = graph, revision, folder
        self.packages = versions(("python", "dvc", *PACKAGES))
        self.sources = (str(Path.cwd()), *git("remote", "get-url", "origin").split())
        self.found = {study: read(study.with_suffix(".lock")) for study in studies()}
        self.tries: dict[str, int] = {}
        self.changed: set[Path] = set()
        self.saved = time.monotonic()

    def task(self, stage: str) -> Task:
        """Return what a node has to know to run a stage."""
        parts: dict[Path, dict[str, str]] = {}
        for each in (stage, *sorted(self.graph.predecessors(stage))):
            study, name = study_of(each), each.rpartition(":")[2]
            if name in self.found[study]:
                parts.setdefault(study, {})[name] = self.found[study][name]
        locks = {str(study.with_suffix(".lock")): lock_text(found) for study, found in parts.items()}
        return Task(stage, locks, self.revision, self.sources, self.folder, self.packages)

    def judge(self, stage: str, outcome: Outcome) -> Outcome | None:
        """Take over what a run has brought; return what to show, or None where it is to be tried again."""
        if outcome.status != REFUSED:  # by its node, which is not the run's fault
            self.tries[stage] = self.tries.get(stage, 0) + 1
        log = LOGS / f"{re.sub('[^@.a-zA-Z0-9_-]+', '-', stage)}.log"
        write_atomically(log, outcome.output)
        if outcome.status == REFUSED or (outcome.status == TRY_AGAIN and self.tries[stage] < TRIES):
            return None
        if outcome.status:
            lines = [*outcome.output.splitlines()[-SHOWN:], f"{stage}: more of what it printed is in {log}"]
            return outcome._replace(output="\n".join(lines))
        study = study_of(stage)
        self.found[study][stage.rpartition(":")[2]] = outcome.entry
        self.changed.add(study)
        for path, content in outcome.files:
            with write_file(Path(path)) as draft:
                draft.write_bytes(content)
        if time.monotonic() > self.saved + EVERY:
            self.save()
        return outcome

    def save(self) -> None:
        """Write each dvc.lock that has changed."""
        for study in self.changed:
            write_atomically(study.with_suffix(".lock"), lock_text(self.found[study]))
        self.changed.clear()
        self.saved = time.monotonic()


def git(*arguments: str) -> str:
    """Return what git prints, nothing where it fails."""
    return subprocess.run(("git", *arguments), check=False, capture_output=True, text=True).stdout


def read(lock: Path) -> dict[str, str]:
    """Return the entries of a dvc.lock, none where there is no such file."""
    return entries(lock.read_text(encoding="utf-8")) if lock.is_file() else {}


def last_line(outcome: Outcome) -> str:
    """Return the last line of an outcome's output that says something."""
    return next((line.strip() for line in reversed(outcome.output.splitlines()) if line.strip()), "no output")
