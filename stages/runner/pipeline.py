"""A pipeline brought up to date, several of its stages at a time.

`dvc repro` runs one stage after another and gives the same bytes, only later. Here `dvc repro --single-item`
is called for each stage whose inputs are ready. Where a stage fails, no other is started; where the disk is
full, those that are running end, too. When the process ends, however that happens, all that it started ends
within seconds; what was finished is kept.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from functools import partial
from pathlib import Path

from stages.runner.disk import check_space, full_disk
from stages.runner.dvc import Outcome, run_stage, stale_stages
from stages.runner.jobs import default_jobs
from stages.runner.progress import Progress
from stages.runner.schedule import Schedule, duration
from stages.runner.state import hashed_anew
from stages.runtime.command_line import at_least_one
from stages.runtime.errors import StageError
from stages.runtime.files import write_atomically

# Seconds that each kind of stage last took on this machine: only for the estimate of the time left.
DURATIONS = Path(".dvc/tmp/durations.json")
INTERRUPTED = "stopped. What was finished is kept: the same command goes on from there"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Let a command take what `bring_up_to_date` takes: `--jobs` and `--verbose`."""
    parser.add_argument(
        "--jobs",
        type=at_least_one,
        default=default_jobs(),
        help="stages at a time, of one thread and up to 1.5 GB each (default: what fits here, %(default)s)",
    )
    parser.add_argument(
        "--verbose", action="store_true", help="print each stage's own output, a line per epoch"
    )


@hashed_anew()
def bring_up_to_date(
    pipeline: Path,
    jobs: int,
    verbose: bool,
    lock: int,
    durations: Path = DURATIONS,
    pulled: Collection[str] = (),
) -> None:
    """Run the stages of a dvc.yaml that are not up to date, and those that they need, `jobs` at a time.

    lock: of `alone`. durations: a file that remembers how long they took. pulled: stages that the remote may
    have runs of. Raises `StageError` where a stage fails, or where there is no room for results.
    """
    run_here(stale_stages(pipeline), jobs, verbose, lock, durations, pulled)


def run_here(
    stages: Mapping[str, Collection[str]],
    jobs: int,
    verbose: bool,
    lock: int,
    durations: Path = DURATIONS,
    pulled: Collection[str] = (),
) -> None:
    """Run stages, each with those of them that it needs, in this folder: see `bring_up_to_date`."""
    began = time.monotonic()
    schedule = Schedule(stages, jobs, load_durations(durations))
    if not schedule.waiting:
        print("Everything is up to date", flush=True)
        return
    check_space(len(schedule.waiting))
    print(
        f"{len(schedule.waiting)} stages to run, {min(jobs, len(schedule.waiting))} at a time, "
        f"about {duration(schedule.time_left(began))}",
        flush=True,
    )
    # What is run ends when this pipe does: at the end of the block or of this process, however that comes.
    readable, writable = os.pipe()
    with (
        os.fdopen(readable) as line,
        ThreadPoolExecutor(jobs) as pool,
        os.fdopen(writable, "w"),
        Progress(schedule, began) as progress,
    ):
        try:
            work = partial(run_stage, line=line, lock=lock, show=progress.show if verbose else None)
            run(schedule, lambda stage: pool.submit(work, stage, pull=stage in pulled), progress)
        finally:
            save_durations(durations, schedule.known)
    check_ended(schedule, began)


def check_ended(schedule: Schedule, began: float) -> None:
    """Say how many stages are done; raise `StageError` where some have failed."""
    if schedule.failed:
        left = f"; {len(schedule.waiting)} were not started" if schedule.waiting else ""
        raise StageError(f"{', '.join(schedule.failed)} failed{left}")
    print(f"{len(schedule.done)} stages done in {duration(time.monotonic() - began)}", flush=True)


def run(
    schedule: Schedule,
    submit: Callable[[str], Future[Outcome]],
    progress: Progress,
    judge: Callable[[str, Outcome], Outcome | None] | None = None,
) -> None:
    """Run a schedule's stages, each by `submit(stage)`.

    Where one fails those that are running finish, and no other is started. Raises `StageError` where one
    fails because the disk is full: those that are running could not write their results, either.

    judge: of an engine, on whose nodes stages fail for themselves. It gets each outcome, and returns what to
    show of it, or None where the stage is to be submitted again. Where one fails, others that do not need it
    go on.
    """
    futures: dict[Future[Outcome], str] = {}
    ended: list[tuple[str, float, Outcome]] = []
    while True:
        while stage := schedule.start(time.monotonic()):
            futures[submit(stage)] = stage
            if judge:
                schedule.queued.add(stage)
        for each in ended:
            progress.finished(*each)
        progress.update()
        if not futures:
            return
        ended = []
        for future in wait(futures, timeout=1, return_when=FIRST_COMPLETED).done:
            stage, outcome = futures.pop(future), future.result()
            if judge:
                judged = judge(stage, outcome)
                if not judged:
                    futures[submit(stage)] = stage
                    schedule.queued.add(stage)
                    continue
                outcome = judged
            now = time.monotonic()
            seconds = (
                schedule.fail(stage, now) if outcome.status else schedule.finish(stage, now, outcome.ran)
            )
            ended.append((stage, seconds, outcome))
            if outcome.status and not judge:
                schedule.stopped = True
                if reason := full_disk(outcome.output):
                    progress.finished(*ended[-1])
                    raise StageError(
                        f"{stage} failed, the disk is full ({reason}). What was finished is kept: make room, "
                        "and the same command goes on from there"
                    )
        for future, stage in futures.items():
            if stage in schedule.queued and future.running():
                schedule.begin(stage, time.monotonic())


def load_durations(file: Path) -> dict[str, float]:
    """Return what `save_durations` wrote; nothing where that cannot be read."""
    try:
        return {str(kind): float(seconds) for kind, seconds in json.loads(file.read_text()).items()}
    except (OSError, ValueError, AttributeError):
        return {}


def save_durations(file: Path, known: Mapping[str, float]) -> None:
    """Write down kinds of stages and their seconds; where that fails, the next estimate is worse."""
    with suppress(OSError):
        write_atomically(file, json.dumps(known, indent=1, sort_keys=True) + "\n")
