"""All of the pipeline that is not up to date, several stages side by side.

`dvc repro` runs one stage after another and gives the same bytes, only later. This is no stage: it calls
`dvc repro --single-item` for each stage whose inputs are ready, and tells how far it is and how long the rest
takes: in a bar at the bottom of a terminal, elsewhere with each stage that ends. Where a stage fails, nothing
more is started. Ctrl-C ends everything within seconds; what was finished is kept.
"""

import argparse
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import (
    FIRST_COMPLETED,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    as_completed,
    wait,
)
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import IO, Any, NamedTuple

import networkx
from tqdm import tqdm

from stages import StageError
from stages.runtime.command_line import Parser
from stages.runtime.files import new_file
from stages.runner.jobs import default_jobs
from stages.params.study import load_params
from stages.provenance import load_reached, save_reached
from stages.runner.schedule import Study, duration

# A process that wants DVC's lock while another has it waits.
DVC = ("dvc", "--wait-for-lock")
# What TensorFlow says of itself at every start, whatever TF_CPP_MIN_LOG_LEVEL is.
NOTES = re.compile(r"I\d{4} |WARNING: All log messages before absl|To enable the following instructions")
# How long each kind of stage last took on this machine, in seconds: for the time left, and for nothing else.
DURATIONS = Path(".dvc/tmp/durations.json")


def main() -> None:
    """Run what is not up to date; exit with 1 where a stage fails, with 130 after Ctrl-C."""
    parser = Parser(
        prog="python -m stages.runner.pipeline",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_jobs(parser)
    add_verbose(parser)
    arguments = parser.parse_args()
    with stoppable("train_all", "make report"):
        try:
            load_params()
            bring_up_to_date(arguments.jobs, arguments.verbose)
        except StageError as error:
            sys.exit(f"train_all: {error}")


def bring_up_to_date(jobs: int, verbose: bool, durations: Path = DURATIONS) -> None:
    """Run the stages of dvc.yaml that are not up to date, `jobs` at a time.

    durations: a file that remembers how long they took. Raises `StageError` where a stage fails.
    """
    began = time.monotonic()
    study = Study(stale_stages(), jobs, remembered(durations))
    if not study.waiting:
        print("Everything is up to date", flush=True)
        return
    print(
        f"{len(study.waiting)} stages to run, {min(jobs, len(study.waiting))} at a time, "
        f"about {duration(study.time_left(began))}",
        flush=True,
    )
    # What is run ends when this pipe does: at the end of the block or of this process, however that comes.
    readable, writable = os.pipe()
    with (
        os.fdopen(readable) as line,
        ThreadPoolExecutor(jobs) as pool,
        os.fdopen(writable, "w"),
        Progress(study, began) as progress,
    ):
        try:
            work = partial(run_stage, line=line, show=progress.show if verbose else None)
            failed = run(study, pool, work, progress)
        finally:
            remember(durations, study.known)
    if failed:
        left = f"; {len(study.waiting)} were not started" if study.waiting else ""
        raise StageError(f"{', '.join(failed)} failed{left}")
    print(f"{len(study.done)} stages done in {duration(time.monotonic() - began)}", flush=True)


class Outcome(NamedTuple):
    """How running a stage ended."""

    status: int  # 0 where all went well
    ran: bool  # whether its command ran: DVC restores what it knows
    said: str  # its own lines and DVC's


def run(study: Study, pool: Executor, work: Callable[[str], Outcome], progress: "Progress") -> list[str]:
    """Run a study's stages in `pool`, each by `work(stage)`, and return those that failed.

    Where one fails those that are running finish, and no other is started.
    """
    futures: dict[Future[Outcome], str] = {}
    ended: list[tuple[str, float, Outcome]] = []
    failed: list[str] = []
    while True:
        while stage := study.start(time.monotonic()):
            futures[pool.submit(work, stage)] = stage
        for each in ended:
            progress.finished(*each)
        progress.update()
        if not futures:
            return failed
        ended = []
        for future in wait(futures, timeout=1, return_when=FIRST_COMPLETED).done:
            stage, outcome = futures.pop(future), future.result()
            ran = outcome.ran and outcome.status == 0
            ended.append((stage, study.finish(stage, time.monotonic(), ran), outcome))
            if outcome.status:
                failed.append(stage)
                study.stopped = True


def run_stage(stage: str, line: IO[str], show: Callable[[str], None] | None = None) -> Outcome:
    """Bring one stage up to date through DVC.

    line: a pipe; when its other end closes, DVC and all that it started end. `show` gets the stage's lines as
    they come.
    """
    command = [sys.executable, "-m", "stages.runner.guard", *DVC, "repro", "--single-item", stage]
    said: list[str] = []
    ran = recording = False
    with subprocess.Popen(
        command,
        stdin=line,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,  # Ctrl-C is for this process, which ends the others
    ) as process:
        for text in process.stdout or ():
            if NOTES.match(text):
                continue
            said.append(text)
            ran |= text.startswith("Running stage ")
            recording |= text.startswith(("Generating lock file", "Updating lock file"))
            if show and not recording:  # what follows are DVC's hints on git
                show(text.rstrip("\n"))
    return Outcome(process.returncode, ran, "".join(said))


@contextmanager
def stoppable(name: str, again: str) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM leave the block as `SystemExit`, and say which command goes on."""

    def leave(number: int, _: FrameType | None) -> None:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)  # it is on its way
        sys.exit(128 + number)

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, leave)
    try:
        yield
    except SystemExit as end:
        if end.code in (128 + signal.SIGINT, 128 + signal.SIGTERM):
            print(
                f"{name}: stopped. What was finished is kept: `{again}` goes on from there", file=sys.stderr
            )
        raise


def stale_stages() -> dict[str, set[str]]:
    """Return the stages of dvc.yaml that are not up to date and those below them, each with what it needs."""
    graph = networkx.DiGraph(re.findall(r'^"(.+)" -> "(.+)";$', printed(*DVC, "dag", "--dot"), re.MULTILINE))
    changed = set(json.loads(printed(*DVC, "status", "--json")))
    graph.add_nodes_from(changed)
    stale = changed.union(*(networkx.descendants(graph, stage) for stage in changed))
    # "FOLDER/dvc.yaml:STAGE" is of another pipeline.
    return {stage: set(graph.predecessors(stage)) & stale for stage in sorted(stale) if ":" not in stage}


def printed(*command: str) -> str:
    """Return what a command prints."""
    ended = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    if ended.returncode:
        raise StageError(f"`{' '.join(command)}` failed")
    return ended.stdout


def remembered(file: Path) -> dict[str, float]:
    """Return what `remember` wrote, nothing where that cannot be read."""
    try:
        return {str(kind): float(seconds) for kind, seconds in json.loads(file.read_text()).items()}
    except (OSError, ValueError, AttributeError):
        return {}


def remember(file: Path, known: Mapping[str, float]) -> None:
    """Write down kinds of stages and their seconds."""
    new_file(file, json.dumps(known, indent=1, sort_keys=True) + "\n")


class Progress:
    """Tells how far a study is: in a bar at the bottom of a terminal, and with a line per stage that ends."""

    def __init__(self, study: Study, began: float) -> None:
        """Start at `began`."""
        self.study, self.began = study, began
        self.stages = len(study.waiting)
        self.bar = tqdm(bar_format="{bar:20} {desc}", disable=None, dynamic_ncols=True, leave=False)

    def __enter__(self) -> "Progress":
        """Show the bar."""
        self.update()
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        self.bar.close()

    def show(self, line: str) -> None:
        """Print a line above the bar."""
        tqdm.write(line)
        sys.stdout.flush()

    def finished(self, stage: str, seconds: float, outcome: Outcome) -> None:
        """Say that a stage has ended, how long it took, and what is left."""
        if outcome.status:
            self.show(outcome.said.rstrip("\n"))
            how = f"failed after {duration(seconds)}"
        else:
            how = f"done in {duration(seconds)}" if outcome.ran else "up to date, or taken from the cache"
        self.show(f"[{len(self.study.done)}/{self.stages}] {stage}: {how}; {self.left()}")

    def update(self) -> None:
        """Draw the bar as things are now."""
        if self.bar.disable:
            return
        now = time.monotonic()
        self.bar.n, self.bar.total = now - self.began, now - self.began + self.study.time_left(now)
        running = ", ".join(self.study.running)
        self.bar.set_description_str(
            f"{len(self.study.done)} of {self.stages} done, {self.left()}: {running}"
        )

    def left(self) -> str:
        """Return how many stages are running and waiting, and for how long."""
        left = duration(self.study.time_left(time.monotonic()))
        return f"{len(self.study.running)} running, {len(self.study.waiting)} waiting, about {left} left"


def resumed(
    function: Callable[..., Any],
    calls: Mapping[str, tuple[Any, ...]],
    file: Path,
    origin: Any,
    jobs: int,
    exists: Callable[[str], bool] = lambda _: True,
) -> dict[str, Any]:
    """Return what `function` makes of each of `calls` (name → arguments); call it where that is not known.

    `file` holds what a command with the same `origin` (see `load_reached`) had reached when it was stopped,
    and is written after each call; what `exists` denies does not count. Calls run in processes of one thread.
    """
    reached = {name: value for name, value in load_reached(file, origin).items() if exists(name)}
    left = [name for name in calls if name not in reached]
    known = f", {len(calls) - len(left)} of them known from before" if len(left) < len(calls) else ""
    print(f"{len(calls)} nets to train{known}, {min(jobs, len(calls))} at a time", flush=True)
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _end_with_parent) as pool:
        names = {pool.submit(function, *calls[name]): name for name in left}
        try:
            for number, done in enumerate(as_completed(names), 1):
                reached[names[done]] = done.result()
                save_reached(file, origin, reached)
                print(f"{number} of {len(left)} nets trained: {names[done]}", flush=True)
        finally:
            pool.shutdown(cancel_futures=True)  # where one fails, those that wait are not trained for nothing
    return {name: reached[name] for name in calls}


def _end_with_parent() -> None:
    """Let this process end when the one that started it does, even by force, and not train on for nothing."""

    def wait() -> None:
        if parent := multiprocessing.parent_process():
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def parse_jobs(module: str, description: str | None) -> int:
    """Return how many runs are to be trained at a time, of the command line's `--jobs`."""
    parser = Parser(
        prog=f"python -m {module}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_jobs(parser)
    return int(parser.parse_args().jobs)


def add_jobs(parser: argparse.ArgumentParser) -> None:
    """Let a command take `--jobs`."""
    parser.add_argument(
        "--jobs",
        type=_at_least_one,
        default=default_jobs(),
        help="runs at a time, of one thread and up to 1.5 GB each (default: what fits here, %(default)s)",
    )


def add_verbose(parser: argparse.ArgumentParser) -> None:
    """Let a command take `--verbose`."""
    parser.add_argument(
        "--verbose", action="store_true", help="print each stage's own lines too, as a line per epoch"
    )


def _at_least_one(text: str) -> int:
    if not (text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1")
    return int(text)


if __name__ == "__main__":
    main()
