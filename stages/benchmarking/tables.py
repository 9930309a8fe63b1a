"""What the templates benchmark.md and speed.md write down: numbers from reports/benchmark.json, as text."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from stages.benchmarking.implementations import IMPLEMENTATIONS, PARTS
from stages.reporting.formatting import LABELS

NAMES = {"keras": "Keras", "pytorch": "PyTorch", "fused": "here", "coalesced": "here, coalesced"}
# Each other implementation, and what computes the same here.
PAIRS = (("keras", "fused"), ("pytorch", "coalesced"))
STARTS = {
    "steps": "as started",
    "same_allocator": "same allocator",
    "same_instructions": "same allocator and instructions",
}


class StepRow(NamedTuple):
    """A training step, by every implementation."""

    start: str
    setting: list[Any]  # cell, reviews, tokens, threads
    times: list[str]
    ratios: list[str]
    faults: str


class SpeedRow(NamedTuple):
    """A training step, by each other implementation and by what computes the same here."""

    label: str
    cells: list[str]


def tables(measured: Mapping[str, Any]) -> dict[str, Any]:
    """Return what both templates need; measured: what reports/benchmark.json holds."""
    usual, kept = measured["same_allocator"][0], measured["same_allocator"]
    rates, dvc = measured["reviews_per_second"], measured["dvc"]
    return {
        "names": list(NAMES.values()),
        "usual": usual,
        "step_rows": [_step_row(start, row) for name, start in STARTS.items() for row in measured[name]],
        "part_cells": [LABELS[cell] for cell in measured["parts_of_a_step"]],
        "part_rows": [
            (part, [f"{spent[part]:.1f}" for spent in measured["parts_of_a_step"].values()]) for part in PARTS
        ],
        "fresh_rows": [_fresh_row(row, measured["answers"]) for row in measured["fresh_process"]],
        "dvc": dvc,
        "dvc_minutes": f"{dvc['stages'] * (dvc['check_one'] + dvc['rewrite_lock']) / 60:.1f}",
        "versions": ", ".join(f"{name} {number}" for name, number in measured["versions"].items()),
        "speed_rows": [
            _speed_row(row)
            for row in measured["steps"]
            if (row["batch"], row["length"]) == (usual["batch"], usual["length"])
        ],
        "kept_ratios": [_listed(_ratio(row, *pair) for row in kept) for pair in PAIRS],
        "rates": {name: {each: f"{rate:,}" for each, rate in row.items()} for name, row in rates.items()},
        "rate_ratios": {
            other: [f"{rates['side_by_side'][ours] / rates[how][other]:.1f}" for how in _HOW]
            for other, ours in PAIRS
        },
        "price": _listed(
            _price(free, kept) for free in measured["same_instructions"] if free["threads"] == 1
        ),
    }


_HOW = ("one_after_another", "side_by_side")


def _ratio(row: Mapping[str, Any], other: str, ours: str) -> str:
    return f"{row['milliseconds'][other] / row['milliseconds'][ours]:.1f}"


def _step_row(start: str, row: Mapping[str, Any]) -> StepRow:
    times, shares = row["milliseconds"], row["share_of_matmul_rate"]
    return StepRow(
        start,
        [LABELS[row["cell"]], row["batch"], row["length"], row["threads"]],
        [f"{times[name]:.1f} ({100 * shares[name]:.0f} %)" for name in IMPLEMENTATIONS],
        [_ratio(row, *pair) for pair in PAIRS],
        " / ".join(f"{round(row['minor_page_faults'][name]):,}" for name in IMPLEMENTATIONS),
    )


def _speed_row(row: Mapping[str, Any]) -> SpeedRow:
    threads, cells = row["threads"], []
    for pair in PAIRS:
        cells += [f"{row['milliseconds'][name]:.0f} ms" for name in pair] + [_ratio(row, *pair)]
    return SpeedRow(f"{LABELS[row['cell']]}, {threads} thread{'s' if threads > 1 else ''}", cells)


def _fresh_row(row: Mapping[str, Any], predictions: Mapping[str, Any]) -> list[str]:
    name, cell = row["implementation"], row["cell"]
    return [
        f"{NAMES[name]}, {LABELS[cell]}",
        f"{row['seconds_to_import']:.1f}",
        f"{row['seconds_to_first_step']:.1f}",
        f"{row['peak_megabytes']:.0f}",
        f"{predictions[cell][name]:.0f}",
    ]


def _price(free: Mapping[str, Any], kept: Iterable[Mapping[str, Any]]) -> str:
    fixed = next(row for row in kept if (row["cell"], row["threads"]) == (free["cell"], 1))
    ratio = fixed["milliseconds"]["fused"] / free["milliseconds"]["fused"]
    return f"{ratio:.2f} times ({LABELS[free['cell']]})"


def _listed(texts: Iterable[str]) -> str:
    """Return "a, b and c", or "" of none."""
    *others, last = list(texts) or [""]
    return f"{', '.join(others)} and {last}" if others else last
