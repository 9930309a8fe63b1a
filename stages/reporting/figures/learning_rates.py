"""The figure of accuracy against the learning rate."""

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stages.reporting.figures.drawing import COLOURS, STYLE, cells, entry, with_legend
from stages.reporting.formatting import setting
from stages.reporting.sections.learning_rates import RecipeRates

OWN: dict[str, Any] = {
    "marker": "o",
    "markersize": 11,
    "fillstyle": "none",
    "linestyle": "",
    "color": "black",
}
FRESH: dict[str, Any] = {"marker": "D", "markersize": 4, "fillstyle": "none", "linestyle": "", "alpha": 0.7}
SHIFT = {"rnn": 0.96, "lstm": 1.04}  # so that the dots of one cell do not hide those of the other


@mpl.rc_context(STYLE)
def learning_rates(recipes: Mapping[str, RecipeRates]) -> Figure:
    """Accuracy against the learning rate: a dot per seed, lines through their means, a column per recipe."""
    figure = Figure(figsize=(1.5 + 3 * len(recipes), 5.2), layout="constrained")
    grid = figure.subplots(2, len(recipes), squeeze=False, sharex=True, sharey=True)
    for row, split in zip(grid, ("validation", "test"), strict=True):
        for axes, (name, recipe) in zip(row, recipes.items(), strict=True):
            _draw(axes, recipe, split)
            axes.set(title=name, ylabel=f"{split} accuracy (%)")
    figure.suptitle("Accuracy against learning rate, one dot per seed")
    own = entry("the recipe's own rate", **OWN)
    fresh = (
        [entry("fresh seed, best rate", **FRESH)]
        if any(recipe.measured for recipe in recipes.values())
        else []
    )
    return with_legend(figure, [*cells(), own, *fresh, entry("guessing", linestyle=":")])


def _draw(axes: Axes, recipe: RecipeRates, split: str) -> None:
    for cell, colour in COLOURS.items():
        each = recipe.cells[cell]
        values = {rate: 100 * np.array(list(seeds.values())) for rate, seeds in getattr(each, split).items()}
        means = {rate * SHIFT[cell]: np.mean(accuracies) for rate, accuracies in values.items()}
        axes.plot(list(means), list(means.values()), color=colour)
        for rate, accuracies in values.items():
            axes.plot([rate * SHIFT[cell]] * len(accuracies), accuracies, "o", color=colour, alpha=0.7, ms=4)
            if rate == each.own:
                axes.plot(rate * SHIFT[cell], np.mean(accuracies), **OWN)
        if fresh := recipe.measured.get(cell):
            accuracies = 100 * np.array(list(getattr(fresh, split).values()))
            axes.plot([fresh.rate * SHIFT[cell]] * len(accuracies), accuracies, color=colour, **FRESH)
    axes.axhline(50, color="grey", linewidth=0.8, linestyle=":")
    axes.set(xscale="log", xlabel="learning rate")
    axes.set_xticks(list(values), [setting(rate) for rate in values], rotation=45, ha="right")
    axes.minorticks_off()
