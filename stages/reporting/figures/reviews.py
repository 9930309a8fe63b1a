"""The figure of the reviews."""

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from stages.reporting.figures.drawing import STYLE, single


@mpl.rc_context(STYLE)
def lengths(audit: Mapping[str, Any]) -> Figure:
    """How long the reviews are, train and test."""
    figure, axes = single(6, 3)
    edges = [0, *audit["histogram_edges"], audit["histogram_edges"][-1] + audit["histogram_edges"][0]]
    for split, line in (("train", "-"), ("test", "--")):
        axes.stairs(audit[split]["histogram"], edges, color="black", linestyle=line, label=split)
    axes.set(xlabel="tokens of the whole review (last step: all longer ones)", ylabel="reviews")
    axes.set_title("Lengths of the reviews")
    axes.legend()
    return figure
