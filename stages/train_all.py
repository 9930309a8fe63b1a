"""All that trains and is not up to date, several side by side: `dvc repro` alone goes one after another.

No stage of its own: it calls `dvc repro --single-item` for each training stage, on one thread each,
because two threads make one run hardly faster. `dvc repro` gives the same bytes, only later.
"""

import argparse
import json
import multiprocessing
import os
import re
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from typing import Any

# A process that wants DVC's lock while another has it waits.
DVC = ("dvc", "--wait-for-lock")
# What TensorFlow says of itself at every start, whatever TF_CPP_MIN_LOG_LEVEL is.
NOTES = re.compile(r"I\d{4} |WARNING: All log messages before absl|To enable the following instructions")
STAGES = ("train_lstm", "probe", "train_rnn", "bag_of_words")  # those that take longest first
ONE_THREAD = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}


def main() -> None:
    """Bring `pad` up to date, then run what is stale; exit with 1 where a stage fails."""
    jobs = parse_jobs("stages.train_all", __doc__)
    if subprocess.run([*DVC, "repro", "pad"], check=False).returncode:
        sys.exit(1)
    stale = stale_runs()
    print(f"{len(stale)} stages to run, {min(jobs, len(stale))} at a time", flush=True)
    with ThreadPoolExecutor(jobs) as pool:
        runs = [pool.submit(train, stage) for stage in stale]
        failed = [stage for stage, run in zip(stale, runs, strict=True) if not run.result()]
    if failed:
        print(f"train_all: {', '.join(failed)} failed", file=sys.stderr)
        sys.exit(1)


def stale_runs() -> list[str]:
    """Return the training stages that are not up to date, those that take longest first."""
    status = [*DVC, "status", "--json", *STAGES]
    changed = json.loads(subprocess.run(status, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return [stage for name in STAGES for stage in sorted(changed) if stage.split("@")[0] == name]


def train(stage: str) -> bool:
    """Run one stage, print its lines as they come, and return whether it succeeded."""
    command = [*DVC, "repro", "--quiet", "--single-item", stage]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ | ONE_THREAD
    ) as process:
        for line in process.stdout or ():
            if not NOTES.match(line):
                print(line, end="", flush=True)
    return process.returncode == 0


def side_by_side(
    function: Callable[..., Any], calls: Collection[tuple[Any, ...]], jobs: int
) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Call `function` with each of `calls`, in processes of one thread; yield each call with its result."""
    os.environ |= ONE_THREAD
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        runs = {pool.submit(function, *call): call for call in calls}
        for done in as_completed(runs):
            yield runs[done], done.result()


def parse_jobs(module: str, description: str | None) -> int:
    """Return how many nets are to be trained at a time, of the command line's `--jobs`."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    add_jobs(parser)
    return int(parser.parse_args().jobs)


def add_jobs(parser: argparse.ArgumentParser) -> None:
    """Let a command take `--jobs`."""
    parser.add_argument("--jobs", type=_at_least_one, default=os.cpu_count() or 1, help="runs at a time")


def _at_least_one(text: str) -> int:
    if not (text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1")
    return int(text)


if __name__ == "__main__":
    main()
