"""Ray: tasks on the cluster of RAY_ADDRESS, on one that was started here, or on this machine alone.

The nodes need the packages of requirements.txt; the code that runs a task comes with it.
"""

import os
import platform
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError

from stages.runner.dvc import Outcome
from stages.runner.engines import Engine, lost
from stages.runner.jobs import MEMORY

CODE = Path(__file__).resolve().parent.parent
SHOWN = 8  # letters of a node's number that make its name
ASK = 1.0  # seconds between two questions on what has begun


def start() -> Engine:
    """Return Ray's engine."""
    return Ray()


class Begun:
    """An actor that knows which tasks have begun: Ray tells nobody else."""

    def __init__(self) -> None:
        """Start with none."""
        self.numbers: list[int] = []

    def add(self, number: int) -> None:
        """Note that a task has begun."""
        self.numbers.append(number)

    def take(self) -> list[int]:
        """Return those that have begun since the last time."""
        numbers, self.numbers = self.numbers, []
        return numbers


def run(begun: Any, number: int, fn: Callable[..., Outcome], *args: Any) -> Outcome:
    """Run a task on a node, whose name is Ray's and the machine's."""
    begun.add.remote(number)
    node = ray.get_runtime_context().get_node_id()
    return fn(*args)._replace(node=f"{platform.node()}-{node[:SHOWN]}")


class Ray(Engine):
    """Submits each task as one of Ray's, which is not to try it again by itself."""

    def __init__(self) -> None:
        """Connect to the cluster, or start one here."""
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        handler = signal.getsignal(signal.SIGTERM)  # Ray sets another one
        ray.init(runtime_env={"py_modules": [str(CODE)]}, log_to_driver=False, logging_level="WARNING")
        signal.signal(signal.SIGTERM, handler)
        self.begun = ray.remote(num_cpus=0, max_restarts=-1)(Begun).remote()
        self.run = ray.remote(num_cpus=1, memory=MEMORY, max_retries=0)(run)
        self.futures: list[Future[Outcome]] = []
        self.excluded: set[str] = set()
        self.lock, self.ended = threading.Lock(), threading.Event()
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def submit(self, fn: Callable[..., Outcome], /, *args: Any, **_: Any) -> Future[Outcome]:  # type: ignore[override]
        """Hand a task to Ray."""
        future: Future[Outcome] = Future()
        self.futures.append(future)
        nodes = {node["NodeID"] for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")}
        if nodes and not nodes - self.excluded:  # without nodes, the cluster may start some
            future.set_result(lost("every node of the cluster has refused"))
            return future
        selector = {"ray.io/node-id": f"!in({','.join(sorted(self.excluded))})"} if self.excluded else {}
        task = self.run.options(label_selector=selector)
        reference = task.remote(self.begun, len(self.futures) - 1, fn, *args)
        reference.future().add_done_callback(partial(self._finish, future))
        return future

    def exclude(self, node: str) -> None:
        """Name a node that later tasks leave out."""
        self.excluded |= {each["NodeID"] for each in ray.nodes() if node.endswith(each["NodeID"][:SHOWN])}

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster, which ends all that was started from here."""
        self.ended.set()
        self.thread.join()
        ray.shutdown()

    def _work(self) -> None:
        while not self.ended.wait(ASK):
            try:
                begun = ray.get(self.begun.take.remote())
            except RayError:  # its node is gone, and it starts again on another
                continue
            for number in begun:
                with self.lock:
                    if not self.futures[number].done():
                        self.futures[number].set_running_or_notify_cancel()

    def _finish(self, future: Future[Outcome], done: Future[Outcome]) -> None:
        error = done.exception()
        with self.lock:
            if isinstance(error, RayError):
                future.set_result(lost(f"{error}\nRay lost the run: {type(error).__name__}"))
            elif error:
                future.set_exception(error)
            else:
                future.set_result(done.result())
