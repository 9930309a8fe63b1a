"""SLURM: tasks as job arrays, through submitit.

submitit hands tasks and outcomes over in files, so SLURM's nodes must see the folder of the coordinator, and
its Python. What a site asks for, such as a partition, is told in sbatch's variables: SBATCH_PARTITION.
"""

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


def start() -> Engine:
    """Return SLURM's engine."""
    return Slurm()


class Slurm(Engine):
    """Submits what has come together since the last array as the next one."""

    def __init__(self) -> None:
        """Start the thread that speaks with SLURM."""
        self.executor = submitit.SlurmExecutor(FOLDER.absolute())
        self.executor.update_parameters(
            job_name="imdb-rnn-lstm",
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
        self.excluded: set[str] = set()
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def submit(self, fn: Callable[..., Outcome], /, *args: Any, **_: Any) -> Future[Outcome]:  # type: ignore[override]
        """Queue a task for the next array."""
        future: Future[Outcome] = Future()
        self.new.append((future, fn, args))
        return future

    def exclude(self, node: str) -> None:
        """Name a node that later arrays leave out."""
        self.excluded.add(node)
        self.executor.update_parameters(exclude=",".join(sorted(self.excluded)))

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
            for future, job in list(self.jobs.items()):
                if not job.paths.result_pickle.exists():
                    state = states.get(job.job_id, "") if states is not None else None
                    if state == "R" and not future.running():
                        future.set_running_or_notify_cancel()
                    if state != "":
                        continue
                del self.jobs[future]
                future.set_result(outcome(job))

    def _submit(self) -> None:
        new = [self.new.popleft() for _ in range(min(len(self.new), ARRAY))]
        if not new:
            return
        try:
            with self.executor.batch():
                jobs = [self.executor.submit(fn, *args) for _, fn, args in new]
        except Exception as error:  # whatever it is, nobody must wait for these
            for future, *_ in new:
                future.set_result(lost(f"SLURM takes no job: {' '.join(str(error).split())}"))
        else:
            self.jobs |= {future: job for (future, *_), job in zip(new, jobs, strict=True)}


def queue() -> dict[str, str] | None:
    """Return this user's jobs that have not ended, each with its state; None where SLURM does not answer."""
    command = ("squeue", "--me", "--noheader", "--array", "--format=%i %t")
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    if result.returncode:
        return None
    return dict(line.split() for line in result.stdout.splitlines())


def outcome(job: submitit.Job[Outcome]) -> Outcome:
    """Return what a job that has ended has brought."""
    if not job.paths.result_pickle.exists():
        time.sleep(ASK)  # the folder may be another machine's
    if not job.paths.result_pickle.exists():
        return lost(f"SLURM's job {job.job_id} ended before its task did: {job.paths.stdout}")
    try:
        return job.result()
    except Exception as error:  # of the task, of its file, of SLURM
        return lost(str(error))
    finally:
        for file in (job.paths.submitted_pickle, job.paths.result_pickle):
            file.unlink(missing_ok=True)
