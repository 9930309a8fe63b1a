"""The figure of delayed recall."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stages.reporting.figures.drawing import COLOURS, STYLE, entry
from stages.reporting.figures.drawing import panels as with_panels
from stages.reporting.formatting import START_LABELS


@mpl.rc_context(STYLE)
def delayed_recall(
    panels: Mapping[str, Mapping[str, Sequence[Sequence[float]]]], delays: Sequence[int]
) -> Figure:
    """Memory of the deciding token against the delay: a line per cell and start, a dot per seed.

    panels: title → start → memory by seed and delay.
    """

    def style(start: str) -> dict[str, Any]:
        second = start in ("rnn-identity", "lstm-chrono")
        markers = {"marker": "x" if second else ".", "linestyle": "--" if second else "-"}
        return {"color": COLOURS[start.partition("-")[0]], "markersize": 4, **markers}

    def draw(axes: Axes, title: str) -> None:
        for start, memory in panels[title].items():
            percent = 100 * np.asarray(memory)
            axes.plot(delays, percent.T, alpha=0.5, **style(start) | {"linestyle": ""})
            axes.plot(delays, percent.mean(axis=0), **style(start) | {"marker": ""})
        axes.set(xscale="log", xlabel="delay (tokens of noise)", ylabel="memory (%)")
        axes.set_xticks(delays, [str(delay) for delay in delays])
        axes.minorticks_off()

    handles = [entry(START_LABELS[start], **style(start)) for start in next(iter(panels.values()))]
    return with_panels(panels, "Delayed recall: mean and seeds", draw, handles)
