"""How fast training is: the tables and the figure of what `stages.tools.benchmark` measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stages.params.recipe import CELLS
from stages.reporting.figures import STYLE
from stages.reporting.formatting import LABELS
from stages.reporting.rendering import render

Measured = Mapping[str, Any]  # reports/benchmark.json
Row = Mapping[str, Any]  # of its "steps", "same_allocator" or "same_instructions"

ENGINES = {"keras": "Keras", "pytorch": "PyTorch", "fused": "here", "coalesced": "here, coalesced"}
LIKE = {"keras": "fused", "pytorch": "coalesced"}  # what computes the same here
STYLES = {
    "keras": ("stock Keras", "o-", "#999999"),
    "fused": ("here", "D-", "#009E73"),
    "pytorch": ("PyTorch", "s--", "#E69F00"),
    "coalesced": ("here, coalesced", "^--", "#56B4E9"),
}


@dataclass(frozen=True)
class Step:
    """One training step: milliseconds, shares of the machine's rate and page faults by engine."""

    start: str
    label: str
    batch: int
    tokens: int
    threads: int
    threads_label: str
    milliseconds: Mapping[str, float]
    shares: Mapping[str, float]
    page_faults: Mapping[str, int]
    ratios: Mapping[str, float]  # Keras and PyTorch to what computes the same here


@dataclass(frozen=True)
class Speed:
    """What the tables of the benchmark show."""

    steps: list[Step]
    usual: list[Step]  # one thread and two, at the batch and length that most was timed at
    batch: int
    tokens: int
    same_allocator: Mapping[str, str]  # the ratios to Keras and to PyTorch where all keep the memory
    rates: Mapping[str, Mapping[str, float]]  # reviews per second
    rate_ratios: Mapping[str, Mapping[str, float]]
    same_instructions: str  # what the fixed instruction set costs; empty where that was not measured
    dvc_minutes: float


def speed_text(measured: Measured) -> str:
    """Return the page in Markdown."""
    return render("benchmark.md", measured=measured, speed=speed(measured), engines=ENGINES)


def speed(measured: Measured) -> Speed:
    """Return what the tables show."""
    starts = {
        "as started": measured["steps"],
        "same allocator": measured["same_allocator"],
        "same allocator and instructions": measured["same_instructions"],
    }
    steps = {start: [_step(start, row) for row in rows] for start, rows in starts.items()}
    usual, rates, dvc = steps["same allocator"][0], measured["reviews_per_second"], measured["dvc"]
    after, beside = rates["one_after_another"], rates["side_by_side"]
    return Speed(
        [step for rows in steps.values() for step in rows],
        [step for step in steps["as started"] if (step.batch, step.tokens) == (usual.batch, usual.tokens)],
        usual.batch,
        usual.tokens,
        {other: _listed([step.ratios[other] for step in steps["same allocator"]]) for other in LIKE},
        rates,
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
        LABELS[row["cell"]],
        row["batch"],
        row["length"],
        row["threads"],
        "1 thread" if row["threads"] == 1 else f"{row['threads']} threads",
        {engine: times[engine] for engine in ENGINES},
        {engine: row["share_of_matmul_rate"][engine] for engine in ENGINES},
        {engine: round(row["minor_page_faults"][engine]) for engine in ENGINES},
        {other: times[other] / times[ours] for other, ours in LIKE.items()},
    )


def _listed(ratios: Sequence[float]) -> str:
    """Return "1.2, 2.3 and 3.4"."""
    *most, last = (f"{ratio:.1f}" for ratio in ratios)
    return f"{', '.join(most)} and {last}" if most else last


def _instructions(fixed: Sequence[Row], free: Sequence[Row]) -> str:
    """Return how many times as long steps on one thread take with the fixed instruction set."""

    def times(rows: Sequence[Row]) -> dict[str, float]:
        return {row["cell"]: row["milliseconds"]["fused"] for row in rows if row["threads"] == 1}

    ratios = {cell: times(fixed)[cell] / spent for cell, spent in times(free).items()}
    return " and ".join(f"{ratio:.2f} times ({LABELS[cell]})" for cell, ratio in ratios.items())


def speed_figure(measured: Measured) -> Figure:
    """Milliseconds per training step against length, and the ratios to Keras and PyTorch at one length."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9, 3.6), layout="constrained")
        *curves, bars = figure.subplots(1, 3, width_ratios=(1, 1, 1.2))
        for axes, cell in zip(curves, CELLS, strict=True):
            _draw_times(axes, cell, measured["steps"])
        curves[0].set_ylabel("milliseconds per training step")
        _draw_ratios(bars, measured)
        drawn = [handle for axes in (curves[0], bars) for handle in axes.get_legend_handles_labels()[0]]
        figure.legend(handles=drawn, loc="outside lower center", ncols=4, fontsize=8)
    return figure


def _draw_times(axes: Axes, cell: str, steps: Sequence[Row]) -> None:
    """Draw the times of one cell, batch 32, on one thread."""
    rows = [row for row in steps if (row["cell"], row["threads"], row["batch"]) == (cell, 1, 32)]
    rows = sorted(rows, key=lambda row: row["length"])
    lengths = [row["length"] for row in rows]
    for engine, (label, line, colour) in STYLES.items():
        spent = [row["milliseconds"][engine] for row in rows]
        axes.plot(lengths, spent, line, color=colour, label=label, markersize=4)
    axes.set(xscale="log", yscale="log", xlabel="tokens per review")
    axes.set_title(f"{LABELS[cell]}, batch 32, one thread")
    axes.minorticks_off()
    axes.set_xticks(lengths, [str(length) for length in lengths])
    low, high = axes.get_ylim()
    ticks = [tick for tick in (5, 10, 20, 50, 100, 200, 500, 1000) if low < tick < high]
    axes.set_yticks(ticks, [str(tick) for tick in ticks])


def _draw_ratios(axes: Axes, measured: Measured) -> None:
    """Draw how many times as long Keras and PyTorch take, as started and with the same allocator."""
    length = measured["same_allocator"][0]["length"]
    usual, kept = (
        {f"{LABELS[row['cell']]}, {row['batch']}, {row['threads']}": row["milliseconds"] for row in rows}
        for rows in (
            [row for row in measured["steps"] if row["length"] == length],
            measured["same_allocator"],
        )
    )
    places = {name: place for place, name in enumerate(usual)}
    for shift, (other, ours) in zip((-0.2, 0.2), LIKE.items(), strict=True):
        name, _, colour = STYLES[other]
        ratios = [spent[other] / spent[ours] for spent in usual.values()]
        label = f"{name} : {STYLES[ours][0]}"
        axes.barh(np.arange(len(usual)) + shift, ratios, 0.36, color=colour, label=label)
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
