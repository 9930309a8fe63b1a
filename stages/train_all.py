"""All that trains and is not up to date, several side by side: `dvc repro` alone goes one after another.

No stage of its own: it calls `dvc repro --single-item` for each training stage, which runs on one thread.
`dvc repro` gives the same bytes, only later.
"""

import argparse
import json
import multiprocessing
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from stages.provenance import load_reached, save_reached

# A process that wants DVC's lock while another has it waits.
DVC = ("dvc", "--wait-for-lock")
# What TensorFlow says of itself at every start, whatever TF_CPP_MIN_LOG_LEVEL is.
NOTES = re.compile(r"I\d{4} |WARNING: All log messages before absl|To enable the following instructions")
STAGES = ("train_lstm", "probe", "train_rnn", "bag_of_words")  # those that take longest first


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
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in process.stdout or ():
            if not NOTES.match(line):
                print(line, end="", flush=True)
    return process.returncode == 0


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
