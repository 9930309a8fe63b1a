"""The figure of delayed recall."""

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from stages.params.recipe import CELLS
from stages.reporting.figures.drawing import COLOURS, STYLE, cells, entry, single, with_legend


@mpl.rc_context(STYLE)
def delayed_recall(recalled: Mapping[int, Mapping[str, Any]]) -> Figure:
    """Accuracy on generated sequences against the delay: a line per cell and seed, and their means."""
    figure, axes = single(6, 3.4)
    delays = [row["delay"] for row in next(iter(recalled.values()))[CELLS[0]]]
    for cell, colour in COLOURS.items():
        rows, transferred = (
            [[100 * row[name] for row in each[cell]] for each in recalled.values()]
            for name in ("test_accuracy", "transferred")
        )
        for row in rows:
            axes.plot(delays, row, ".-", color=colour, linewidth=0.6, alpha=0.5)
        axes.plot(delays, np.mean(rows, axis=0), color=colour, linewidth=2.2)
        axes.plot(delays, np.mean(transferred, axis=0), "--", color=colour, linewidth=1.4)
    axes.axhline(50, color="grey", linewidth=0.8, linestyle=":")
    axes.set(xscale="log", xlabel="delay: tokens of noise after the one that decides", ylabel="accuracy (%)")
    axes.set_xticks(delays, [str(delay) for delay in delays])
    axes.minorticks_off()
    axes.set_title("Delayed recall: how far back does a model remember?")
    handles = [
        *cells(),
        entry("trained at this delay", linewidth=2.2),
        entry(f"trained at {delays[0]}", linestyle="--"),
        entry("guessing", linestyle=":"),
    ]
    return with_legend(figure, handles)
