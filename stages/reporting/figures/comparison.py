"""Figures of the comparison: what the runs of the study reach."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from stages.params.recipe import CELLS
from stages.params.study import Published
from stages.reporting.figures.drawing import (
    BASELINE,
    COLOURS,
    STYLE,
    cells,
    entry,
    panels,
    single,
    with_legend,
)
from stages.reporting.formatting import LABELS
from stages.reporting.sections.calibration import Curve
from stages.reporting.statistics import LengthBin, Runs
from stages.scoring.packing import ROC_RATES


@mpl.rc_context(STYLE)
def accuracy(runs: Runs, published: Published, baselines: Mapping[str, float]) -> Figure:
    """Test accuracy of every run, a dot per seed and a bar at the mean; the published figures as crosses.

    baselines: accuracy of each, by its name, as lines.
    """
    figure, axes = single(1.8 + 2.2 * len(runs), 3.6)
    for place, (recipe, seeds) in enumerate(runs.items()):
        for centre, cell in zip((place - 0.18, place + 0.18), CELLS, strict=True):
            values = [100 * run[cell]["test"]["accuracy"] for run in seeds.values()]
            spread = np.linspace(-0.06, 0.06, len(values)) if len(values) > 1 else np.zeros(1)
            axes.plot(centre + spread, values, "o", color=COLOURS[cell], alpha=0.7)
            axes.hlines(np.mean(values), centre - 0.12, centre + 0.12, color=COLOURS[cell])
            if recipe == published.recipe:
                axes.plot(centre, 100 * getattr(published, cell).accuracy, "x", color="black")
    axes.set_xticks(range(len(runs)), runs)
    axes.set_xlim(-0.5, len(runs) - 0.5)
    axes.axhline(50, color="grey", linewidth=0.8, linestyle=":")
    axes.set(xlabel="recipe", ylabel="test accuracy (%)", title="Test accuracy, one dot per seed")
    handles = cells()
    if published.recipe in runs:
        handles.append(entry("published", color="black", marker="x", linestyle=""))
    for (name, reached), line in zip(baselines.items(), ("--", "-."), strict=False):
        style: dict[str, Any] = {"color": BASELINE, "linewidth": 1, "linestyle": line}
        handles.append(axes.axhline(100 * reached, label=name, zorder=0, **style))
    return with_legend(figure, [*handles, entry("guessing", linestyle=":")])


@mpl.rc_context(STYLE)
def learning_curves(runs: Runs, published: Published) -> Figure:
    """Accuracy per epoch of every run: validation solid, training dashed; published validation in black."""
    lines: dict[str, dict[str, Any]] = {
        "validation": {"linewidth": 1.4},
        "training": {"linewidth": 0.8, "linestyle": "--"},
    }
    markers = {"rnn": "x", "lstm": "+"}

    def draw(axes: Axes, recipe: str) -> None:
        for run in runs[recipe].values():
            for cell, colour in COLOURS.items():
                history = run[cell]["history"]
                for split, name in (("train", "training"), ("validation", "validation")):
                    values = 100 * np.asarray(history[f"{split}_accuracy"])
                    axes.plot(history["epoch"], values, color=colour, alpha=0.8, **lines[name])
        if recipe == published.recipe:
            for cell, marker in markers.items():
                values = 100 * np.asarray(getattr(published, cell).validation_accuracy)
                axes.plot(np.arange(len(values)) + 1, values, marker, color="black", markersize=5)
        axes.set(xlabel="epoch", ylabel="accuracy (%)")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))

    handles = cells(marker=None) + [entry(name, **style) for name, style in lines.items()]
    if published.recipe in runs:
        names = {"rnn": "published RNN", "lstm": 'published "LSTM"'}
        handles += [entry(names[cell], color="black", marker=markers[cell], linestyle="") for cell in CELLS]
    return panels(runs, "Accuracy per epoch, one line per seed", draw, handles)


@mpl.rc_context(STYLE)
def roc(runs: Runs) -> Figure:
    """Receiver operating characteristic of every run on the test reviews."""

    def draw(axes: Axes, recipe: str) -> None:
        axes.plot([0, 100], [0, 100], ":", color="grey", linewidth=0.8)
        for run in runs[recipe].values():
            for cell, colour in COLOURS.items():
                rates = 100 * np.asarray(run[cell]["test"]["roc"])
                axes.plot(100 * ROC_RATES, rates, color=colour, linewidth=1, alpha=0.8)
        axes.set(xlabel="false positive rate (%)", ylabel="true positive rate (%)", aspect="equal")

    handles = [*cells(marker=None), entry("guessing", linestyle=":")]
    return panels(runs, "ROC on the test reviews, one line per seed", draw, handles)


@mpl.rc_context(STYLE)
def reliability(curves: Mapping[str, Mapping[str, Curve]]) -> Figure:
    """Share of positive test reviews against P(positive); curves: recipe → model → what was measured."""
    colours = {LABELS[cell]: colour for cell, colour in COLOURS.items()}
    models = next(iter(curves.values()))

    def draw(axes: Axes, recipe: str) -> None:
        axes.plot([0, 1], [0, 1], ":", color="grey", linewidth=0.8)
        for model, (probability, share) in curves[recipe].items():
            axes.plot(probability, share, ".-", color=colours.get(model, BASELINE), linewidth=1)
        axes.set(xlabel="P(positive)", ylabel="share of positive reviews", aspect="equal")

    handles = [entry(model, color=colours.get(model, BASELINE), marker=".") for model in models]
    return panels(
        curves, "Reliability on the test reviews", draw, [*handles, entry("calibrated", linestyle=":")]
    )


@mpl.rc_context(STYLE | {"axes.grid": False})
def confusion(runs: Runs) -> Figure:
    """Confusion matrices on the test reviews: mean over seeds, in percent of each actual label."""
    figure = Figure(figsize=(5, 0.6 + 2.2 * len(runs)), layout="constrained")
    grid = figure.subplots(len(runs), 2, squeeze=False)
    for row, (recipe, seeds) in zip(grid, runs.items(), strict=True):
        for axes, cell in zip(row, CELLS, strict=True):
            counts = np.mean([run[cell]["test"]["confusion"] for run in seeds.values()], axis=0)
            shares = 100 * counts / counts.sum(axis=1, keepdims=True)
            axes.imshow(shares, cmap="Greys", vmin=0, vmax=200)
            for (actual, predicted), share in np.ndenumerate(shares):
                axes.text(predicted, actual, f"{share:.1f} %", ha="center", va="center")
            axes.set_xticks([0, 1], ["negative", "positive"])
            axes.set_yticks([0, 1], ["negative", "positive"], rotation=90, va="center")
            axes.set(xlabel="predicted", ylabel="actual", title=f"{recipe}, {LABELS[cell]}")
    several = any(len(seeds) > 1 for seeds in runs.values())
    figure.suptitle(f"Test reviews by actual and predicted label{', mean over seeds' if several else ''}")
    return figure


@mpl.rc_context(STYLE)
def by_length(bins: Mapping[str, Sequence[LengthBin]], several: bool) -> Figure:
    """Test accuracy by a review's true length: both cells' means and intervals, a panel per recipe.

    bins: recipe → accuracies; several: whether they are means over several seeds.
    """

    def draw(axes: Axes, recipe: str) -> None:
        rows: Sequence[Mapping[str, Any]] = bins[recipe]
        for shift, (cell, colour) in zip((-0.1, 0.1), COLOURS.items(), strict=True):
            means = 100 * np.array([row[cell]["mean"] for row in rows])
            bounds = 100 * np.array([row[cell]["interval"] for row in rows]).T
            reach = [means - bounds[0], bounds[1] - means]
            axes.errorbar(np.arange(len(rows)) + shift, means, reach, fmt="o-", color=colour, markersize=4)
        axes.set_xticks(range(len(rows)), [row["tokens"] for row in rows], rotation=45, ha="right")
        axes.set(xlabel="tokens of the whole review", ylabel="test accuracy (%)")

    title = f"Test accuracy by length{', mean over seeds' if several else ''} and 95 % interval"
    return panels(bins, title, draw, cells())
