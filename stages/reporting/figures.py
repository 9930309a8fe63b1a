"""The figures: one function each, from what other stages wrote to a matplotlib figure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from stages.params.study import Published
from stages.reporting.formatting import LABELS
from stages.reporting.statistics import ROC_RATES, LengthBin, Runs

mpl.rcdefaults()  # whatever the user's matplotlibrc says: the same numbers give the same bytes

COLOURS = {"rnn": "#D55E00", "lstm": "#0072B2"}  # of Okabe and Ito's palette: which all eyes tell apart
STYLE: dict[Any, Any] = {
    "figure.dpi": 150,
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "legend.frameon": False,
}


def accuracy(runs: Runs, published: Published, baselines: Mapping[str, float]) -> Figure:
    """Test accuracy of every run, a dot per seed and a bar at the mean; the published figures as crosses.

    baselines: accuracy of each, by its name, as lines.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(1.8 + 2.2 * len(runs), 3.6), layout="constrained")
        axes = figure.subplots()
        for place, (recipe, seeds) in enumerate(runs.items()):
            for shift, cell in ((-0.18, "rnn"), (0.18, "lstm")):
                values = [100 * run[cell]["test"]["accuracy"] for run in seeds.values()]
                spread = np.linspace(-0.06, 0.06, len(values)) if len(values) > 1 else np.zeros(1)
                axes.plot(place + shift + spread, values, "o", color=COLOURS[cell], alpha=0.7)
                axes.hlines(np.mean(values), place + shift - 0.12, place + shift + 0.12, color=COLOURS[cell])
                if recipe == published.recipe:
                    axes.plot(place + shift, 100 * getattr(published, cell).accuracy, "x", color="black")
        axes.set_xticks(range(len(runs)), runs)
        axes.set_xlim(-0.5, len(runs) - 0.5)
        axes.axhline(50, color="grey", linewidth=0.8, linestyle=":")
        axes.set(xlabel="recipe", ylabel="test accuracy (%)", title="Test accuracy, one dot per seed")
        handles = [
            Line2D([], [], color=colour, marker="o", label=LABELS[cell]) for cell, colour in COLOURS.items()
        ]
        if published.recipe in runs:
            handles.append(Line2D([], [], color="black", marker="x", linestyle="", label="published"))
        for (name, reached), line in zip(baselines.items(), ("--", "-."), strict=False):
            handles.append(
                axes.axhline(
                    100 * reached, color="#009E73", linewidth=1, linestyle=line, label=name, zorder=0
                )
            )
        handles.append(Line2D([], [], color="grey", linestyle=":", label="guessing"))
        figure.legend(handles=handles, loc="outside right upper")
    return figure


def learning_curves(runs: Runs, published: Published) -> Figure:
    """Accuracy per epoch of every run: validation solid, training dashed; published validation in black."""

    def draw(axes: Axes, recipe: str) -> None:
        for run in runs[recipe].values():
            for cell, colour in COLOURS.items():
                history = run[cell]["history"]
                for split, line in (("train", "--"), ("validation", "-")):
                    values = 100 * np.asarray(history[f"{split}_accuracy"])
                    width = 1.4 if split == "validation" else 0.8
                    axes.plot(history["epoch"], values, line, color=colour, linewidth=width, alpha=0.8)
        if recipe == published.recipe:
            for cell, marker in (("rnn", "x"), ("lstm", "+")):
                values = 100 * np.asarray(getattr(published, cell).validation_accuracy)
                axes.plot(np.arange(len(values)) + 1, values, marker, color="black", markersize=5)
        axes.set(xlabel="epoch", ylabel="accuracy (%)")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))

    with mpl.rc_context(STYLE):
        figure = _panels(runs, "Accuracy per epoch, one line per seed", draw)
        handles = [Line2D([], [], color=colour, label=LABELS[cell]) for cell, colour in COLOURS.items()]
        handles.append(Line2D([], [], color="grey", linewidth=1.4, label="validation"))
        handles.append(Line2D([], [], color="grey", linewidth=0.8, linestyle="--", label="training"))
        if published.recipe in runs:
            handles += [
                Line2D([], [], color="black", marker=marker, linestyle="", label=f"published {name}")
                for marker, name in (("x", "RNN"), ("+", '"LSTM"'))
            ]
        figure.legend(handles=handles, loc="outside right upper")
    return figure


def roc(runs: Runs) -> Figure:
    """Receiver operating characteristic of every run on the test reviews."""

    def draw(axes: Axes, recipe: str) -> None:
        axes.plot([0, 100], [0, 100], ":", color="grey", linewidth=0.8)
        for run in runs[recipe].values():
            for cell, colour in COLOURS.items():
                rates = 100 * np.asarray(run[cell]["test"]["roc"])
                axes.plot(100 * ROC_RATES, rates, color=colour, linewidth=1, alpha=0.8)
        axes.set(xlabel="false positive rate (%)", ylabel="true positive rate (%)", aspect="equal")

    with mpl.rc_context(STYLE):
        figure = _panels(runs, "ROC on the test reviews, one line per seed", draw)
        handles = [Line2D([], [], color=colour, label=LABELS[cell]) for cell, colour in COLOURS.items()]
        handles.append(Line2D([], [], color="grey", linestyle=":", label="guessing"))
        figure.legend(handles=handles, loc="outside right upper")
    return figure


def confusion(runs: Runs) -> Figure:
    """Confusion matrices on the test reviews: mean over seeds, in percent of each actual label."""
    with mpl.rc_context(STYLE | {"axes.grid": False}):
        figure = Figure(figsize=(5, 0.6 + 2.2 * len(runs)), layout="constrained")
        grid = figure.subplots(len(runs), 2, squeeze=False)
        for row, (recipe, seeds) in zip(grid, runs.items(), strict=True):
            for axes, cell in zip(row, COLOURS, strict=True):
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


def by_length(bins: Mapping[str, Sequence[LengthBin]], several: bool) -> Figure:
    """Test accuracy by a review's true length: both cells' means and intervals, a panel per recipe.

    bins: recipe → accuracies; several: whether they are means over several seeds.
    """

    def draw(axes: Axes, recipe: str) -> None:
        rows = bins[recipe]
        estimates = {"rnn": [row["rnn"] for row in rows], "lstm": [row["lstm"] for row in rows]}
        for shift, (cell, colour) in zip((-0.1, 0.1), COLOURS.items(), strict=True):
            means = 100 * np.array([each["mean"] for each in estimates[cell]])
            bounds = 100 * np.array([each["interval"] for each in estimates[cell]]).T
            reach = [means - bounds[0], bounds[1] - means]
            axes.errorbar(np.arange(len(rows)) + shift, means, reach, fmt="o-", color=colour, markersize=4)
        axes.set_xticks(range(len(rows)), [row["tokens"] for row in rows], rotation=45, ha="right")
        axes.set(xlabel="tokens of the whole review", ylabel="test accuracy (%)")

    with mpl.rc_context(STYLE):
        title = f"Test accuracy by length{', mean over seeds' if several else ''} and 95 % interval"
        figure = _panels(bins, title, draw)
        figure.legend(handles=_cells(), loc="outside right upper")
    return figure


def delayed_recall(recalled: Mapping[int, Mapping[str, Any]]) -> Figure:
    """Accuracy on generated sequences against the delay: a line per cell and seed, and their means."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6, 3.4), layout="constrained")
        axes = figure.subplots()
        for cell, colour in COLOURS.items():
            rows = [[100 * row["test_accuracy"] for row in each[cell]] for each in recalled.values()]
            delays = [row["delay"] for row in next(iter(recalled.values()))[cell]]
            for row in rows:
                axes.plot(delays, row, ".-", color=colour, linewidth=0.6, alpha=0.5)
            axes.plot(delays, np.mean(rows, axis=0), color=colour, linewidth=2.2)
            transferred = [[100 * row["transferred"] for row in each[cell]] for each in recalled.values()]
            axes.plot(delays, np.mean(transferred, axis=0), "--", color=colour, linewidth=1.4)
        axes.axhline(50, color="grey", linewidth=0.8, linestyle=":")
        axes.set(
            xscale="log", xlabel="delay: tokens of noise after the one that decides", ylabel="accuracy (%)"
        )
        axes.set_xticks(delays, [str(delay) for delay in delays])
        axes.minorticks_off()
        axes.set_title("Delayed recall: how far back does a model remember?")
        handles = [
            *_cells(),
            Line2D([], [], color="grey", linewidth=2.2, label="trained at this delay"),
            Line2D([], [], color="grey", linestyle="--", label=f"trained at {delays[0]}"),
            Line2D([], [], color="grey", linestyle=":", label="guessing"),
        ]
        figure.legend(handles=handles, loc="outside right upper")
    return figure


def gradients(inspected: Mapping[str, Any]) -> Figure:
    """Gradient of the logit in the embedding against the distance from the end, before and after training."""

    def draw(axes: Axes, recipe: str) -> None:
        for cell, colour in COLOURS.items():
            for when, line in (("initial", "--"), ("trained", "-")):
                each = {
                    name: np.asarray(row) for name, row in inspected[recipe]["gradients"][cell][when].items()
                }
                distances = np.arange(len(each["median"]))
                axes.plot(distances, each["median"], line, color=colour)
                axes.fill_between(
                    distances, each["lower_quartile"], each["upper_quartile"], color=colour, alpha=0.15, lw=0
                )
        axes.set(yscale="log", xlabel="tokens before the last one", ylabel="norm of the gradient")

    with mpl.rc_context(STYLE):
        figure = _panels(inspected, "Gradient of the logit in the embedding, median and quartiles", draw)
        handles = [*_cells(), Line2D([], [], color="grey", linestyle="--", label="before training")]
        handles.append(Line2D([], [], color="grey", label="after training"))
        figure.legend(handles=handles, loc="outside right upper")
    return figure


def gates(inspected: Mapping[str, Any]) -> Figure:
    """Mean activity of the LSTM's three gates against the distance from the end, per recipe."""
    colours = {"forget": "#009E73", "input": "#E69F00", "output": "#CC79A7"}

    def draw(axes: Axes, recipe: str) -> None:
        for name, colour in colours.items():
            axes.plot(inspected[recipe]["gates"][name]["by_distance"], color=colour, label=name)
        axes.set(ylim=(0, 1), xlabel="tokens before the last one", ylabel="mean gate (0 shut, 1 open)")

    with mpl.rc_context(STYLE):
        figure = _panels(inspected, "The LSTM's gates after training", draw)
        handles = [Line2D([], [], color=colour, label=name) for name, colour in colours.items()]
        figure.legend(handles=handles, loc="outside right upper")
    return figure


def reading(reading: Mapping[str, Any], title: str) -> Figure:
    """P(positive) of both models after each word of one review, the words below."""
    words = reading["words"]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(max(5, 1.5 + 0.17 * len(words)), 3.4), layout="constrained")
        axes = figure.subplots()
        for cell, colour in COLOURS.items():
            axes.plot(reading[cell]["after_word"], ".-", color=colour, linewidth=1.2)
        axes.axhline(0.5, color="grey", linewidth=0.8, linestyle=":")
        axes.set_xticks(range(len(words)), words, rotation=90, fontsize=7)
        axes.set(ylim=(-0.02, 1.02), xlim=(-0.5, len(words) - 0.5), ylabel="P(positive) after the word")
        axes.set_title(title)
        figure.legend(handles=_cells(), loc="outside right upper")
    return figure


def lengths(audit: Mapping[str, Any]) -> Figure:
    """How long the reviews are, train and test."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6, 3), layout="constrained")
        axes = figure.subplots()
        edges = [0, *audit["histogram_edges"], audit["histogram_edges"][-1] + audit["histogram_edges"][0]]
        for split, line in (("train", "-"), ("test", "--")):
            axes.stairs(audit[split]["histogram"], edges, color="black", linestyle=line, label=split)
        axes.set(xlabel="tokens of the whole review (last step: all longer ones)", ylabel="reviews")
        axes.set_title("Lengths of the reviews")
        axes.legend()
    return figure


def _cells() -> list[Line2D]:
    """Return the legend's entries of both cells."""
    return [Line2D([], [], color=colour, marker="o", label=LABELS[cell]) for cell, colour in COLOURS.items()]


def _panels(runs: Mapping[str, Any], title: str, draw: Callable[[Axes, str], None]) -> Figure:
    """Return a figure with a panel per recipe, each filled by `draw(axes, recipe)`."""
    figure = Figure(figsize=(1.5 + 3 * len(runs), 3.4), layout="constrained")
    for axes, recipe in zip(figure.subplots(1, len(runs), squeeze=False, sharey=True)[0], runs, strict=True):
        draw(axes, recipe)
        axes.set_title(recipe)
    figure.suptitle(title)
    return figure
