"""Two nodes of an engine, played by this machine: a folder each, and a process for each task."""

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from queue import Queue
from typing import Any

from stages.runner.dvc import Outcome
from stages.runner.engines import Engine, lost
from tests.conftest import ROOT

# What a node runs: a task from standard input, its outcome to a file.
RUN = """
import pickle, sys
run, task = pickle.load(sys.stdin.buffer)
outcome = run(task)
with open(sys.argv[1], "wb") as file:
    pickle.dump(outcome, file)
"""


class TwoNodes(Engine):
    """An engine with a queue, whose nodes take what comes next as soon as they are idle."""

    def __init__(self, folder: Path, extra: Mapping[str, Mapping[str, str]] | None = None) -> None:
        """Take where outcomes are written, and node → what its environment has that others do not."""
        self.folder, self.queue = folder, Queue[Any]()
        self.tasks: list[tuple[str, str]] = []  # node, stage
        self.processes: dict[str, subprocess.Popen[bytes]] = {}  # node → what it runs
        self.excluded: set[str] = set()
        for node in ("n1", "n2"):
            threading.Thread(target=self._work, args=(node, (extra or {}).get(node, {})), daemon=True).start()

    def submit(self, fn: Callable[..., Outcome], /, *args: Any, **_: Any) -> Future[Outcome]:  # type: ignore[override]
        future: Future[Outcome] = Future()
        self.queue.put((future, fn, *args))
        return future

    def exclude(self, node: str) -> None:
        self.excluded.add(node)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        for process in self.processes.values():
            process.kill()

    def _work(self, node: str, extra: Mapping[str, str]) -> None:
        environment = os.environ | {"SLURMD_NODENAME": node, "NODE": node, "PYTHONPATH": str(ROOT)} | extra
        while node not in self.excluded:
            future, fn, task = self.queue.get()
            if node in self.excluded:
                self.queue.put((future, fn, task))
                return
            future.set_running_or_notify_cancel()
            self.tasks.append((node, task.stage))
            result = self.folder / f"{node}-{len(self.tasks)}.pkl"
            command = [sys.executable, "-c", RUN, str(result)]
            with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE) as process:
                self.processes[node] = process
                process.communicate(pickle.dumps((fn, task)))
            if process.returncode:
                future.set_result(lost(f"its process ended with status {process.returncode}", node))
            else:
                future.set_result(pickle.loads(result.read_bytes()))
