"""The engines that can run stages on other machines, behind the interface of concurrent.futures."""

from concurrent.futures import Executor
from importlib import import_module

from stages.runner.dvc import Outcome
from stages.runner.node import TRY_AGAIN
from stages.runtime.errors import StageError

PLACES = ("local", "slurm", "ray")


class Engine(Executor):
    """Runs tasks on nodes, a core and `MEMORY` bytes each.

    `submit` takes what returns an `Outcome`. The future is running when a node has begun. A task that the
    engine loses, with its node or before it ended, has the outcome `lost`. `shutdown` ends all tasks.
    """

    def exclude(self, node: str) -> None:
        """Send no more tasks to a node, by the name in its outcomes."""
        raise NotImplementedError


def lost(reason: str, node: str = "") -> Outcome:
    """Return the outcome of a task that the engine lost."""
    return Outcome(TRY_AGAIN, False, f"{reason}\n", node)


def start_engine(place: str) -> Engine:
    """Connect to the engine of that name; raise `StageError` where it is not there, or not its package."""
    try:
        return import_module(f"stages.runner.on_{place}").start()
    except ImportError as error:
        raise StageError(
            f"--on {place} needs the package {error.name}: run "
            f"`python -m pip install --require-hashes --requirement requirements-{place}.txt`"
        ) from None
    except Exception as error:  # whatever the engine's library raises
        raise StageError(f"--on {place}: {' '.join(str(error).split())}") from error
