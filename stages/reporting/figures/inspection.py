"""Figures of what is inside trained models: gradients, gates, readings."""

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stages.reporting.figures.drawing import COLOURS, STYLE, cells, entry, panels, single, with_legend


@mpl.rc_context(STYLE)
def gradients(inspected: Mapping[str, Any]) -> Figure:
    """Gradient of the logit in the embedding against the distance from the end, before and after training."""

    def draw(axes: Axes, recipe: str) -> None:
        for cell, colour in COLOURS.items():
            for when, line in (("initial", "--"), ("trained", "-")):
                each = inspected[recipe]["gradients"][cell][when]
                distances = np.arange(len(each["median"]))
                axes.plot(distances, each["median"], line, color=colour)
                axes.fill_between(
                    distances, each["lower_quartile"], each["upper_quartile"], color=colour, alpha=0.15, lw=0
                )
        axes.set(yscale="log", xlabel="tokens before the last one", ylabel="norm of the gradient")

    handles = [*cells(), entry("before training", linestyle="--"), entry("after training")]
    return panels(inspected, "Gradient of the logit in the embedding, median and quartiles", draw, handles)


@mpl.rc_context(STYLE)
def gates(inspected: Mapping[str, Any]) -> Figure:
    """Mean activity of the LSTM's three gates against the distance from the end, per recipe."""
    colours = {"forget": "#009E73", "input": "#E69F00", "output": "#CC79A7"}

    def draw(axes: Axes, recipe: str) -> None:
        for name, colour in colours.items():
            axes.plot(inspected[recipe]["gates"][name]["by_distance"], color=colour)
        axes.set(ylim=(0, 1), xlabel="tokens before the last one", ylabel="mean gate (0 shut, 1 open)")

    handles = [entry(name, color=colour) for name, colour in colours.items()]
    return panels(inspected, "The LSTM's gates after training", draw, handles)


@mpl.rc_context(STYLE)
def reading(reading: Mapping[str, Any], title: str) -> Figure:
    """P(positive) of both models after each word of one review, the words below."""
    words = reading["words"]
    figure, axes = single(max(5, 1.5 + 0.17 * len(words)), 3.4)
    for cell, colour in COLOURS.items():
        axes.plot(reading[cell]["after_word"], ".-", color=colour, linewidth=1.2)
    axes.axhline(0.5, color="grey", linewidth=0.8, linestyle=":")
    axes.set_xticks(range(len(words)), words, rotation=90, fontsize=7)
    axes.set(ylim=(-0.02, 1.02), xlim=(-0.5, len(words) - 0.5), ylabel="P(positive) after the word")
    axes.set_title(title)
    return with_legend(figure, cells())
