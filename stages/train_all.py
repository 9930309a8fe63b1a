"""Every run that is not up to date, several side by side: `dvc repro` alone trains them one after another.

No stage of its own: it calls `dvc repro --single-item` for each training stage, on one thread each,
because two threads make one run hardly faster. `dvc repro` gives the same bytes, only later.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

# A process that wants DVC's lock while another has it waits.
DVC = ("dvc", "--wait-for-lock")
# What TensorFlow says of itself at every start, whatever TF_CPP_MIN_LOG_LEVEL is.
NOTES = re.compile(r"I\d{4} |WARNING: All log messages before absl|To enable the following instructions")
ONE_THREAD = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}


def main() -> None:
    """Bring `pad` up to date, then train what is stale; exit with 1 where a stage fails."""
    parser = argparse.ArgumentParser(prog="python -m stages.train_all", description=__doc__)
    parser.add_argument("--jobs", type=_at_least_one, default=os.cpu_count() or 1, help="runs at a time")
    jobs = parser.parse_args().jobs
    if subprocess.run([*DVC, "repro", "pad"], check=False).returncode:
        sys.exit(1)
    stale = stale_runs()
    print(f"{len(stale)} runs to train, {min(jobs, len(stale))} at a time", flush=True)
    with ThreadPoolExecutor(jobs) as pool:
        runs = [pool.submit(train, stage) for stage in stale]
        failed = [stage for stage, run in zip(stale, runs, strict=True) if not run.result()]
    if failed:
        print(f"train_all: {', '.join(failed)} failed", file=sys.stderr)
        sys.exit(1)


def stale_runs() -> list[str]:
    """Return the training stages that are not up to date, those that take longest first."""
    status = [*DVC, "status", "--json", "train_lstm", "train_rnn"]
    changed = json.loads(subprocess.run(status, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return sorted(stage for stage in changed if stage.startswith(("train_lstm", "train_rnn")))


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


def _at_least_one(text: str) -> int:
    if not (text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1")
    return int(text)


if __name__ == "__main__":
    main()
