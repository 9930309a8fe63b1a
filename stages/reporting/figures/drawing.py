"""What all figures share: colours, style, panels and legends."""

from collections.abc import Callable, Mapping
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from stages.reporting.formatting import LABELS

mpl.rcdefaults()  # whatever the user's matplotlibrc says: the same numbers give the same bytes

COLOURS = {"rnn": "#D55E00", "lstm": "#0072B2"}  # of Okabe and Ito's palette: which all eyes tell apart
BASELINE = "#009E73"
STYLE: dict[Any, Any] = {
    "figure.dpi": 150,
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "legend.frameon": False,
}


def single(width: float, height: float) -> tuple[Figure, Axes]:
    """Return a figure of so many inches, and its only panel."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def panels(
    runs: Mapping[str, Any], title: str, draw: Callable[[Axes, str], None], handles: list[Line2D]
) -> Figure:
    """Return a figure with a legend and a panel per recipe, each filled by `draw(axes, recipe)`."""
    figure = Figure(figsize=(1.5 + 3 * len(runs), 3.4), layout="constrained")
    for axes, recipe in zip(figure.subplots(1, len(runs), squeeze=False, sharey=True)[0], runs, strict=True):
        draw(axes, recipe)
        axes.set_title(recipe)
    figure.suptitle(title)
    return with_legend(figure, handles)


def with_legend(figure: Figure, handles: list[Line2D]) -> Figure:
    """Return the figure with a legend beside its panels."""
    figure.legend(handles=handles, loc="outside right upper")
    return figure


def entry(label: str, color: str = "grey", **style: Any) -> Line2D:
    """Return an entry of a legend."""
    return Line2D([], [], label=label, color=color, **style)


def cells(marker: str | None = "o") -> list[Line2D]:
    """Return the legend's entries of both cells."""
    return [entry(LABELS[cell], color=colour, marker=marker) for cell, colour in COLOURS.items()]
