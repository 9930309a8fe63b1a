"""How far the runner is and how long the rest takes: a bar on a terminal, and a line per finished stage."""

import sys
import time

from tqdm import tqdm

from stages.runner.dvc import Outcome
from stages.runner.schedule import Schedule, duration


class Progress:
    """Shows how far a schedule is."""

    def __init__(self, schedule: Schedule, began: float) -> None:
        """Take a schedule that began at `began`, of `time.monotonic`; nothing of it has run yet."""
        self.schedule, self.began = schedule, began
        self.stages = len(schedule.waiting)
        self.bar = tqdm(bar_format="{bar:20} {desc}", disable=None, dynamic_ncols=True, leave=False)

    def __enter__(self) -> "Progress":
        """Show the bar."""
        self.update()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the bar."""
        self.bar.close()

    def show(self, line: str) -> None:
        """Print a line above the bar."""
        tqdm.write(line)
        sys.stdout.flush()

    def finished(self, stage: str, seconds: float, outcome: Outcome) -> None:
        """Print that a stage has ended, how long it took, and what is left."""
        if outcome.status:
            self.show(outcome.output.rstrip("\n"))
            how = f"failed after {duration(seconds)}"
        else:
            how = f"done in {duration(seconds)}" if outcome.ran else "up to date, or taken from the cache"
        how += f" on {outcome.node}" if outcome.node else ""
        self.show(f"[{len(self.schedule.done)}/{self.stages}] {stage}: {how}; {self.left()}")

    def update(self) -> None:
        """Draw the bar anew."""
        if self.bar.disable:
            return
        now = time.monotonic()
        self.bar.n, self.bar.total = now - self.began, now - self.began + self.schedule.time_left(now)
        running = ", ".join(stage for stage in self.schedule.running if stage not in self.schedule.queued)
        self.bar.set_description_str(
            f"{len(self.schedule.done)} of {self.stages} done, {self.left()}: {running}"
        )

    def left(self) -> str:
        """Return how many stages are running and waiting, and for how long."""
        schedule = self.schedule
        numbers = {
            "running": len(schedule.running) - len(schedule.queued),
            "waiting": len(schedule.waiting) + len(schedule.queued),
        }
        if schedule.failed:
            numbers["failed"] = len(schedule.failed)
        numbers_said = ", ".join(f"{number} {state}" for state, number in numbers.items())
        return f"{numbers_said}, about {duration(schedule.time_left(time.monotonic()))} left"
