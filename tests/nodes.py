"""An engine's nodes, played by this machine: a folder each, and a process for each task."""

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from queue import Queue
from typing import Any

from stages.runner.dvc import Outcome
from stages.runner.engines import Engine, lost
from tests.conftest import ROOT

# What a node runs: a task from standard input, its outcome to a file; it ends when the pipe does.
RUN = """
import pickle, sys
run, task = pickle.load(sys.stdin.buffer)
with open(sys.argv[1], "wb") as file:
    pickle.dump(run(task), file)
"""


class Nodes(Engine):
    """An engine with a queue, whose nodes take what comes next as soon as they are idle."""

    def __init__(self, folder: Path, *names: str) -> None:
        """Take where outcomes are written, and the nodes that are there from the start."""
        self.folder, self.queue = folder, Queue[Any]()
        self.tasks: list[tuple[str, str]] = []  # node, stage
        self.processes: dict[str, subprocess.Popen[bytes]] = {}  # node → what it runs
        self.gone: set[str] = set()
        self.ended = threading.Event()
        for name in names:
            self.join(name)

    def join(self, name: str, **extra: str) -> None:
        """Add a node whose environment has something of its own."""
        own = {"SLURMD_NODENAME": name, "PYTHONPATH": str(ROOT)} | extra
        threading.Thread(target=self._work, args=(name, own), daemon=True).start()

    def leave(self, name: str) -> None:
        """Let a node vanish with what it runs."""
        self.gone.add(name)
        self.processes[name].kill()

    def end(self) -> None:
        """Lose every task, those to come as well."""
        self.ended.set()
        self.join("end")
        self.shutdown()

    def submit(self, fn: Callable[..., Outcome], /, *args: Any, **_: Any) -> Future[Outcome]:  # type: ignore[override]
        future: Future[Outcome] = Future()
        self.queue.put((future, fn, *args))
        return future

    def exclude(self, node: str) -> None:
        self.gone.add(node)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        for process in self.processes.values():
            process.kill()

    def _work(self, node: str, own: dict[str, str]) -> None:
        while node not in self.gone:
            future, fn, task = self.queue.get()
            if node in self.gone:
                self.queue.put((future, fn, task))
                return
            future.set_running_or_notify_cancel()
            if self.ended.is_set():
                future.set_result(lost("the engine has ended"))
                continue
            self.tasks.append((node, task.stage))
            result = self.folder / f"{os.getpid()}-{node}-{len(self.tasks)}.pkl"
            command = [sys.executable, "-c", RUN, str(result)]
            with subprocess.Popen(command, env=os.environ | own, stdin=subprocess.PIPE) as process:
                self.processes[node] = process
                process.communicate(pickle.dumps((fn, task)))
            if process.returncode:
                future.set_result(lost(f"its process ended with status {process.returncode}", node))
            else:
                future.set_result(pickle.loads(result.read_bytes()))
