"""The figures of the studies of variants: what each part of a recipe is worth, and one recipe to another."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from stages.params.recipe import CELLS
from stages.reporting.figures.drawing import COLOURS, STYLE, cells, single, with_legend
from stages.reporting.sections.ablation import Part
from stages.reporting.sections.steps import Step


@mpl.rc_context(STYLE)
def ablation(parts: Sequence[Part], additions: Sequence[Part]) -> Figure:
    """What each part is worth: a bar per cell at the mean, its interval, a dot per seed; additions below."""
    rows = [*(f"without {part.name}" for part in parts), *(f"with {part.name}" for part in additions)]
    figure, axes = single(7, 1.2 + 0.34 * len(rows))
    for place, part in enumerate((*parts, *additions)):
        for shift, cell in zip((-0.17, 0.17), CELLS, strict=True):
            each, height = part.worth[cell], place + shift
            seeds = 100 * np.array(each["seeds"])
            axes.plot(seeds, np.full(len(seeds), height), "o", color=COLOURS[cell], alpha=0.6, markersize=3)
            axes.plot(100 * each["mean"], height, "|", color=COLOURS[cell], markersize=9, markeredgewidth=2)
            if each["interval"]:
                axes.hlines(height, *(100 * np.array(each["interval"])), color=COLOURS[cell], linewidth=1)
    axes.axvline(0, color="grey", linewidth=0.8)
    axes.set_yticks(range(len(rows)), rows)
    axes.invert_yaxis()
    axes.set(xlabel="percentage points of test accuracy with the part − without it")
    figure.suptitle("What each part is worth: mean, 95 % interval, a dot per seed")
    return with_legend(figure, cells())


@mpl.rc_context(STYLE)
def steps(taken: Sequence[Step]) -> Figure:
    """Test accuracy after each step: a line per cell through the means, a point per seed."""
    figure, axes = single(1.5 + 0.55 * len(taken), 4)
    for cell in CELLS:
        axes.plot([100 * step.mean[cell] for step in taken], color=COLOURS[cell])
        for place, step in enumerate(taken):
            values = 100 * np.array(step.seeds[cell])
            axes.plot([place] * len(values), values, ".", color=COLOURS[cell])
    axes.set_xticks(range(len(taken)), [step.name for step in taken], rotation=45, ha="right")
    axes.axhline(50, color="grey", linewidth=0.8, linestyle=":")
    axes.set(ylabel="test accuracy (%)")
    figure.suptitle("Test accuracy after each step, a point per seed")
    return with_legend(figure, cells())
