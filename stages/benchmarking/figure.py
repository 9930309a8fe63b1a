"""reports/benchmark.png."""

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from stages.benchmarking.tables import NAMES, PAIRS
from stages.params.recipe import CELLS
from stages.reporting.figures import STYLE
from stages.reporting.formatting import LABELS

LINES = {
    "keras": ("o-", "#999999"),
    "fused": ("D-", "#009E73"),
    "pytorch": ("s--", "#E69F00"),
    "coalesced": ("^--", "#56B4E9"),
}


def figure(measured: Mapping[str, Any]) -> Figure:
    """Milliseconds per training step against length, and the ratios to Keras and PyTorch at one length."""
    with mpl.rc_context(STYLE):
        drawing = Figure(figsize=(9, 3.6), layout="constrained")
        *curves, bars = drawing.subplots(1, 3, width_ratios=(1, 1, 1.2))
        batch = measured["same_allocator"][0]["batch"]
        for axes, cell in zip(curves, CELLS, strict=True):
            wanted = (cell, batch, 1)
            rows = [r for r in measured["steps"] if (r["cell"], r["batch"], r["threads"]) == wanted]
            _curves(axes, f"{LABELS[cell]}, batch {batch}, one thread", rows)
        curves[0].set_ylabel("milliseconds per training step")
        _ratios(bars, measured)
        drawn = [handle for axes in (curves[0], bars) for handle in axes.get_legend_handles_labels()[0]]
        drawing.legend(handles=drawn, loc="outside lower center", ncols=4, fontsize=8)
    return drawing


def _curves(axes: Any, title: str, rows: list[Mapping[str, Any]]) -> None:
    """Draw milliseconds against length, a line per implementation."""
    rows = sorted(rows, key=lambda row: row["length"])
    lengths = [row["length"] for row in rows]
    for name, (line, colour) in LINES.items():
        spent = [row["milliseconds"][name] for row in rows]
        axes.plot(lengths, spent, line, color=colour, label=NAMES[name], markersize=4)
    axes.set(xscale="log", yscale="log", xlabel="tokens per review", title=title)
    axes.minorticks_off()
    axes.set_xticks(lengths, [str(length) for length in lengths])
    low, high = axes.get_ylim()
    ticks = [tick for tick in (5, 10, 20, 50, 100, 200, 500, 1000) if low < tick < high]
    axes.set_yticks(ticks, [str(tick) for tick in ticks])


def _ratios(axes: Any, measured: Mapping[str, Any]) -> None:
    """Draw a bar per setting and other implementation, and a mark where it keeps its memory, too."""
    length = measured["same_allocator"][0]["length"]
    usual, kept = (
        {f"{LABELS[row['cell']]}, {row['batch']}, {row['threads']}": row["milliseconds"] for row in rows}
        for rows in (
            [row for row in measured["steps"] if row["length"] == length],
            measured["same_allocator"],
        )
    )
    places = {name: place for place, name in enumerate(usual)}
    for shift, (other, ours) in zip((-0.2, 0.2), PAIRS, strict=True):
        ratios = [spent[other] / spent[ours] for spent in usual.values()]
        label = f"{NAMES[other]} : {NAMES[ours]}"
        axes.barh(np.arange(len(usual)) + shift, ratios, 0.36, color=LINES[other][1], label=label)
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
