"""How fast training is: the tables and the figure of what `stages.tools.benchmark` measured."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stages.params.recipe import CELLS
from stages.reporting.figures.drawing import STYLE
from stages.reporting.formatting import LABELS
from stages.reporting.rendering import render

TEMPLATES = Path(__file__).parent / "templates"
NAMES = {"keras": "Keras", "pytorch": "PyTorch", "fused": "here", "coalesced": "here, coalesced"}
LIKE = {"keras": "fused", "pytorch": "coalesced"}  # what computes the same here
LINES = {"keras": "o-", "fused": "D-", "pytorch": "s--", "coalesced": "^--"}
COLOURS = {"keras": "#999999", "fused": "#009E73", "pytorch": "#E69F00", "coalesced": "#56B4E9"}

Measured = Mapping[str, Any]  # reports/benchmark.json
Row = Mapping[str, Any]  # of its "steps", "same_allocator" or "same_instructions"


class Step(NamedTuple):
    """One training step that was timed."""

    start: str
    row: Row
    threads: str
    page_faults: Mapping[str, int]  # by implementation
    ratios: Mapping[str, float]  # Keras and PyTorch to what computes the same here


class Speed(NamedTuple):
    """What the tables of the benchmark show."""

    steps: list[Step]
    usual: list[Step]  # one thread and two, at the batch and length that most was timed at
    same_allocator: Mapping[str, str]  # the ratios to Keras and to PyTorch where all keep the memory
    rate_ratios: Mapping[str, Mapping[str, float]]  # of reviews per second
    same_instructions: str  # what the fixed instruction set costs; empty where that was not measured
    dvc_minutes: float


def speed_text(measured: Measured) -> str:
    """Return the page in Markdown."""
    return render("benchmark.md", TEMPLATES, measured=measured, speed=speed(measured), names=NAMES)


def speed(measured: Measured) -> Speed:
    """Return what the tables show."""
    starts = {
        "as started": measured["steps"],
        "same allocator": measured["same_allocator"],
        "same allocator and instructions": measured["same_instructions"],
    }
    steps = [_step(start, row) for start, rows in starts.items() for row in rows]
    usual, rates, dvc = measured["same_allocator"][0], measured["reviews_per_second"], measured["dvc"]
    after, beside = rates["one_after_another"], rates["side_by_side"]
    kept = [step.ratios for step in steps if step.start == "same allocator"]
    return Speed(
        steps,
        [step for step in steps if step.start == "as started" and _alike(step.row, usual)],
        {other: _listed([ratios[other] for ratios in kept]) for other in LIKE},
        {
            other: {"after": beside[ours] / after[other], "beside": beside[ours] / beside[other]}
            for other, ours in LIKE.items()
        },
        _instructions(measured["same_allocator"], measured["same_instructions"]),
        dvc["stages"] * (dvc["check_one"] + dvc["rewrite_lock"]) / 60,
    )


def _step(start: str, row: Row) -> Step:
    times = row["milliseconds"]
    return Step(
        start,
        row,
        _threads(row["threads"]),
        {name: round(faults) for name, faults in row["minor_page_faults"].items()},
        {other: times[other] / times[ours] for other, ours in LIKE.items()},
    )


def _alike(row: Row, other: Row) -> bool:
    """Return whether two steps are of as many reviews and tokens."""
    return all(row[name] == other[name] for name in ("batch", "length"))


def _listed(ratios: Sequence[float]) -> str:
    """Return "1.2, 2.3 and 3.4"."""
    *most, last = (f"{ratio:.1f}" for ratio in ratios)
    return f"{', '.join(most)} and {last}" if most else last


def _instructions(fixed: Sequence[Row], free: Sequence[Row]) -> str:
    """Return how many times as long steps take with the fixed instruction set, by number of threads."""
    spent = {(row["cell"], row["threads"]): row["milliseconds"]["fused"] for row in fixed}
    ratios: dict[int, list[str]] = {}
    for row in free:
        cell, threads = row["cell"], row["threads"]
        ratio = spent[cell, threads] / row["milliseconds"]["fused"]
        ratios.setdefault(threads, []).append(f"{ratio:.2f} ({LABELS[cell]})")
    return ", ".join(f"{' and '.join(each)} on {_threads(threads)}" for threads, each in ratios.items())


def _threads(number: int) -> str:
    return "1 thread" if number == 1 else f"{number} threads"


@mpl.rc_context(STYLE)
def speed_figure(measured: Measured) -> Figure:
    """Milliseconds per training step against length, and the ratios to Keras and PyTorch at one length."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    *curves, bars = figure.subplots(1, 3, width_ratios=(1, 1, 1.2))
    for axes, cell in zip(curves, CELLS, strict=True):
        _draw_times(axes, cell, measured)
    curves[0].set_ylabel("milliseconds per training step")
    _draw_ratios(bars, measured)
    drawn = [handle for axes in (curves[0], bars) for handle in axes.get_legend_handles_labels()[0]]
    figure.legend(handles=drawn, loc="outside lower center", ncols=4, fontsize=8)
    return figure


def _draw_times(axes: Axes, cell: str, measured: Measured) -> None:
    """Draw the times of one cell on one thread, at the usual batch size."""
    batch = measured["same_allocator"][0]["batch"]
    rows = [
        row for row in measured["steps"] if (row["cell"], row["threads"], row["batch"]) == (cell, 1, batch)
    ]
    rows = sorted(rows, key=lambda row: row["length"])
    lengths = [row["length"] for row in rows]
    for name, line in LINES.items():
        spent = [row["milliseconds"][name] for row in rows]
        axes.plot(lengths, spent, line, color=COLOURS[name], label=NAMES[name], markersize=4)
    axes.set(xscale="log", yscale="log", xlabel="tokens per review")
    axes.set_title(f"{LABELS[cell]}, batch {batch}, one thread")
    axes.minorticks_off()
    axes.set_xticks(lengths, [str(length) for length in lengths])
    low, high = axes.get_ylim()
    ticks = [tick for tick in (5, 10, 20, 50, 100, 200, 500, 1000) if low < tick < high]
    axes.set_yticks(ticks, [str(tick) for tick in ticks])


def _draw_ratios(axes: Axes, measured: Measured) -> None:
    """Draw how many times as long Keras and PyTorch take, as started and with the same allocator."""
    length = measured["same_allocator"][0]["length"]
    started, kept = (
        {f"{LABELS[row['cell']]}, {row['batch']}, {row['threads']}": row["milliseconds"] for row in rows}
        for rows in (
            [row for row in measured["steps"] if row["length"] == length],
            measured["same_allocator"],
        )
    )
    places = {name: place for place, name in enumerate(started)}
    for shift, (other, ours) in zip((-0.2, 0.2), LIKE.items(), strict=True):
        ratios = [spent[other] / spent[ours] for spent in started.values()]
        label = f"{NAMES[other]} : {NAMES[ours]}"
        axes.barh(np.arange(len(started)) + shift, ratios, 0.36, color=COLOURS[other], label=label)
        axes.plot(
            [spent[other] / spent[ours] for spent in kept.values()],
            [places[each] + shift for each in kept],
            "kd",
            markersize=3,
            label="the same allocator" if shift > 0 else None,
        )
    axes.set_yticks(list(places.values()), list(places))
    axes.invert_yaxis()
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set(xlabel=f"ratio of times, {length} tokens", ylabel="cell, batch, threads", title="Others : here")
