"""reports/benchmark.json: medians, and what follows from them."""

import platform
import re
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from stages.benchmarking.implementations import IMPLEMENTATIONS, PARTS
from stages.benchmarking.processes import Took, usable_cores
from stages.benchmarking.timing import (
    MATRIX,
    SAME_ALLOCATOR,
    SAME_INSTRUCTIONS,
    THREADS,
    USUAL,
    Reviews,
    Setting,
    Timing,
)
from stages.params.recipe import Recipe
from stages.reporting.sections.costs import MATRICES


def operations(setting: Setting, unique: float, recipe: Recipe) -> float:
    """Return the GFLOP that a training step needs, multiplications and additions counted one each.

    The recurrent product of every review and step, and the input product of every *unique* token of a
    batch, each three times: forward, and backward once for what is multiplied and once for the weights.
    What is elementwise, the last layer and the optimizer are not counted.
    """
    units, width = recipe.model.units, recipe.model.embedding_dim
    columns = units * MATRICES[setting.cell]
    recurrent = setting.batch * setting.length * units * columns
    return 3 * 2 * (recurrent + unique * width * columns) / 1e9


class Measured:
    """The median times of everything that was planned, by what they answer."""

    def __init__(self, times: Mapping[Timing, Took], recipe: Recipe, reviews: Reviews) -> None:
        """Take what `timing.measure` returned for these arguments."""
        self.times, self.recipe, self.reviews = times, recipe, reviews
        self.usual = [
            each.setting for each in times if (each.implementation, each.what) == ("fused", "beside")
        ]
        self.rates: dict[str, dict[int, float]] = {how: {} for how in ("user", "fixed")}  # GFLOP/s
        for each, took in times.items():
            if each.what == "matmul":
                self.rates[each.how][each.threads] = 2 * MATRIX**3 / took.milliseconds / 1e6

    def took(self, field: str, how: Mapping[str, str], *rest: Any) -> dict[str, float]:
        """Return one of the fields of `Took` for each implementation that was timed so."""
        timings = {name: Timing(name, started, *rest) for name, started in how.items()}
        return {
            name: getattr(self.times[each], field) for name, each in timings.items() if each in self.times
        }

    def steps(self, how: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return a row for each setting and number of threads at which all implementations were timed so."""
        rows = []
        for setting, threads in dict.fromkeys((each.setting, each.threads) for each in self.times):
            ms = self.took("milliseconds", how, threads, setting)
            if len(ms) < len(IMPLEMENTATIONS):
                continue
            unique = np.mean([len(np.unique(tokens)) for tokens, _ in self.reviews.batches(setting)])
            gflop = operations(setting, float(unique), self.recipe)
            rate = self.rates["user"][threads]
            rows.append(
                {
                    **setting._asdict(),
                    "threads": threads,
                    "gflop": round(gflop, 3),
                    "milliseconds": rounded(ms),
                    "share_of_matmul_rate": rounded(
                        {name: 1000 * gflop / each / rate for name, each in ms.items()}, 3
                    ),
                    "minor_page_faults": rounded(self.took("faults", how, threads, setting), 1),
                }
            )
        return rows

    def study(self, how: Mapping[str, str], threads: int, what: str, runs: int) -> dict[str, int]:
        """Return the reviews trained per second where so many runs go at once, as many RNNs as LSTMs."""
        spent = [self.took("milliseconds", how, threads, setting, what) for setting in self.usual]
        trained = runs * sum(setting.batch for setting in self.usual)
        return {name: round(1000 * trained / sum(each[name] for each in spent)) for name in how}

    def profile(self, setting: Setting) -> dict[str, float]:
        """Return what each of PARTS takes by itself: each time but the first includes those before.

        The first is done outside of what XLA compiles, and again in the last.
        """
        first, *others = (
            self.times[Timing("coalesced", USUAL["coalesced"], 1, setting, part)].milliseconds
            for part in PARTS
        )
        alone = [first, others[0], *np.diff(others)]
        alone[-1] -= first
        return rounded(dict(zip(PARTS, alone, strict=True)))

    def summary(self) -> dict[str, Any]:
        """Return all of this, as reports/benchmark.json has it."""
        profiles = {setting.cell: self.profile(setting) for setting in self.usual}
        return {
            "machine": {"processor": processor_name(), "cores": len(usable_cores())},
            "versions": {name: version(name) for name in ("tensorflow", "keras", "torch", "dvc")},
            "matmul_gflop_per_second": rounded(self.rates["user"], 1),
            "matmul_gflop_per_second_fixed": rounded(self.rates["fixed"], 1),
            "steps": self.steps(USUAL),
            "same_allocator": self.steps(SAME_ALLOCATOR),
            "same_instructions": self.steps(SAME_INSTRUCTIONS),
            "reviews_per_second": {
                "one_after_another": self.study(USUAL, THREADS[-1], "step", 1),
                "same_allocator": self.study(SAME_ALLOCATOR, THREADS[-1], "step", 1),
                "side_by_side": self.study(USUAL, 1, "beside", THREADS[-1]),
            },
            "parts_of_a_step": [
                {"part": part} | {cell: profile[part] for cell, profile in profiles.items()} for part in PARTS
            ],
            "answers": {
                setting.cell: rounded(self.took("milliseconds", USUAL, 1, setting, "predict"), 1)
                for setting in self.usual
            },
        }


def rounded(values: Mapping[Any, float], digits: int = 2) -> dict[str, float]:
    """Return `values` with names for JSON and so many digits after the point."""
    return {str(name): round(value, digits) for name, value in values.items()}


def processor_name() -> str:
    """Return the processor's type."""
    try:
        names = re.findall(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()
