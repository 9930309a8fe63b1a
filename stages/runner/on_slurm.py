"""SLURM: tasks as job arrays, through submitit.

submitit hands tasks and outcomes over in files, so SLURM's nodes must see the folder of the coordinator, and
its Python. What a site asks for, such as a partition, is told in sbatch's variables: SBATCH_PARTITION.
"""

import hashlib
import os
import shutil
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import submitit

from stages.runner.dvc import Outcome
from stages.runner.engines import Engine, lost
from stages.runner.jobs import MEMORY

FOLDER = Path(".dvc/tmp/slurm")
MINUTES = 240  # that a run may take, unless SBATCH_TIMELIMIT says otherwise
ARRAY = 1000  # tasks of one array, at most: SLURM's default
ASK = 5.0  # seconds between two questions to SLURM's controller
LATE = 60.0  # seconds after the end of a job until its outcome must be here: NFS may take that long
REFUSALS = 10  # of sbatch, one after another, before runs are given up; each waits for `PAUSE` seconds
PAUSE = 30.0


def start() -> Engine:
    """Return SLURM's engine."""
    return Slurm()


class Slurm(Engine):
    """Submits what has come together since the last array as the next one."""

    def __init__(self) -> None:
        """Cancel what a coordinator that was killed has left, and start the thread that speaks with SLURM."""
        name = f"imdb-rnn-lstm-{hashlib.md5(os.fsencode(Path.cwd())).hexdigest()[:8]}"
        subprocess.run(("scancel", "--me", f"--name={name}"), check=False, capture_output=True)
        shutil.rmtree(FOLDER, ignore_errors=True)
        self.executor = submitit.SlurmExecutor(FOLDER.absolute())
        self.executor.update_parameters(
            job_name=name,
            cpus_per_task=1,
            mem=f"{MEMORY // 1_000_000}M",
            time=MINUTES,
            array_parallelism=ARRAY,
            stderr_to_stdout=True,
            use_srun=False,
            additional_parameters={"requeue": True},  # where a node leaves
        )
        self.new: deque[tuple[Future[Outcome], Callable[..., Outcome], tuple[Any, ...]]] = deque()
        self.jobs: dict[Future[Outcome], submitit.Job[Outcome]] = {}
        self.gone: dict[Future[Outcome], float] = {}  # since when SLURM no longer knows the job
        self.excluded: set[str] = set()
        self.refusals, self.pause_until = 0, 0.0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def submit(self, fn: Callable[..., Outcome], /, *args: Any, **_: Any) -> Future[Outcome]:  # type: ignore[override]
        """Queue a task for the next array."""
        future: Future[Outcome] = Future()
        self.new.append((future, fn, args))
        return future

    def exclude(self, node: str) -> None:
        """Name a node that later arrays exclude."""
        self.excluded.add(node)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Cancel all jobs."""
        self.ended.set()
        self.thread.join()
        if jobs := [job.job_id for job in self.jobs.values()]:
            subprocess.run(("scancel", *jobs), check=False)

    def _work(self) -> None:
        asked = 0.0
        while not self.ended.wait(0.5):
            self._submit()
            states = None
            if self.jobs and time.monotonic() > asked + ASK:
                states, asked = queue(), time.monotonic()
                os.utime(FOLDER)  # which has NFS look again
            for future, job in list(self.jobs.items()):
                if not job.paths.result_pickle.exists():
                    if states is not None:
                        self._note(future, states.get(job.job_id))
                    if time.monotonic() < self.gone.get(future, float("inf")) + LATE:
                        continue
                del self.jobs[future]
                future.set_result(outcome(job))

    def _note(self, future: Future[Outcome], state: str | None) -> None:
        """Note what SLURM says of a job: its state; None where it does not know it."""
        if state is None:
            self.gone.setdefault(future, time.monotonic())
        else:
            self.gone.pop(future, None)
            if state == "R" and not future.running():
                future.set_running_or_notify_cancel()

    def _submit(self) -> None:
        if not self.new or time.monotonic() < self.pause_until:
            return
        if self.excluded:
            self.executor.update_parameters(exclude=",".join(sorted(self.excluded)))
        # Where SLURM refuses, it may be the size of the array.
        size = max(1, ARRAY >> self.refusals)
        new = [self.new.popleft() for _ in range(min(len(self.new), size))]
        try:
            with self.executor.batch():
                jobs = [self.executor.submit(fn, *args) for _, fn, args in new]
        except Exception as error:  # whatever it is, nobody must wait for these for ever
            self.refusals += 1
            self.pause_until = time.monotonic() + PAUSE
            said = f"SLURM takes no job: {' '.join(str(error).split())}"
            if self.refusals < REFUSALS:
                print(f"{said}; trying again in {PAUSE:.0f} s", flush=True)
                self.new.extendleft(reversed(new))
                return
            for future, *_ in new:
                future.set_result(lost(said))
        else:
            self.refusals = 0
            self.jobs |= {future: job for (future, *_), job in zip(new, jobs, strict=True)}


def queue() -> dict[str, str] | None:
    """Return this user's jobs that have not ended, each with its state; None where SLURM does not answer."""
    command = ("squeue", "--me", "--all", "--noheader", "--array", "--format=%i %t")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SQUEUE_")}
    result = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    if result.returncode:
        return None
    return dict(line.split(maxsplit=1) for line in result.stdout.splitlines() if " " in line)


def outcome(job: submitit.Job[Outcome]) -> Outcome:
    """Return what a job that has ended has brought."""
    if not job.paths.result_pickle.exists():
        return lost(f"SLURM's job {job.job_id} ended before its task did: {job.paths.stdout}")
    try:
        return job.result()
    except Exception as error:  # of the task, of its file, of SLURM
        said, *_ = str(error).partition("You can check full logs")
        said = said.rstrip(" -\n")
        return lost(f"see {job.paths.stdout}\n{said}")
    finally:
        for file in (job.paths.submitted_pickle, job.paths.result_pickle):
            file.unlink(missing_ok=True)
