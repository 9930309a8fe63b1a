"""The figures: one function each, from what other stages wrote to a matplotlib figure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from stages.params.recipe import CELLS
from stages.params.study import Published
from stages.reporting.formatting import LABELS, START_LABELS
from stages.reporting.sections.calibration import Curve
from stages.reporting.statistics import LengthBin, Runs
from stages.scoring.packing import ROC_RATES

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


@mpl.rc_context(STYLE)
def accuracy(runs: Runs, published: Published, baselines: Mapping[str, float]) -> Figure:
    """Test accuracy of every run, a dot per seed and a bar at the mean; the published figures as crosses.

    baselines: accuracy of each, by its name, as lines.
    """
    figure, axes = _single(1.8 + 2.2 * len(runs), 3.6)
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
    handles = _cells()
    if published.recipe in runs:
        handles.append(_entry("published", color="black", marker="x", linestyle=""))
    for (name, reached), line in zip(baselines.items(), ("--", "-."), strict=False):
        style: dict[str, Any] = {"color": BASELINE, "linewidth": 1, "linestyle": line}
        handles.append(axes.axhline(100 * reached, label=name, zorder=0, **style))
    return _with_legend(figure, [*handles, _entry("guessing", linestyle=":")])


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

    handles = _cells(marker=None) + [_entry(name, **style) for name, style in lines.items()]
    if published.recipe in runs:
        names = {"rnn": "published RNN", "lstm": 'published "LSTM"'}
        handles += [_entry(names[cell], color="black", marker=markers[cell], linestyle="") for cell in CELLS]
    return _panels(runs, "Accuracy per epoch, one line per seed", draw, handles)


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

    handles = [*_cells(marker=None), _entry("guessing", linestyle=":")]
    return _panels(runs, "ROC on the test reviews, one line per seed", draw, handles)


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

    handles = [_entry(model, color=colours.get(model, BASELINE), marker=".") for model in models]
    return _panels(
        curves, "Reliability on the test reviews", draw, [*handles, _entry("calibrated", linestyle=":")]
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
    return _panels(bins, title, draw, _cells())


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

    handles = [_entry(START_LABELS[start], **style(start)) for start in next(iter(panels.values()))]
    return _panels(panels, "Delayed recall: mean and seeds", draw, handles)


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

    handles = [*_cells(), _entry("before training", linestyle="--"), _entry("after training")]
    return _panels(inspected, "Gradient of the logit in the embedding, median and quartiles", draw, handles)


@mpl.rc_context(STYLE)
def gates(inspected: Mapping[str, Any]) -> Figure:
    """Mean activity of the LSTM's three gates against the distance from the end, per recipe."""
    colours = {"forget": "#009E73", "input": "#E69F00", "output": "#CC79A7"}

    def draw(axes: Axes, recipe: str) -> None:
        for name, colour in colours.items():
            axes.plot(inspected[recipe]["gates"][name]["by_distance"], color=colour)
        axes.set(ylim=(0, 1), xlabel="tokens before the last one", ylabel="mean gate (0 shut, 1 open)")

    handles = [_entry(name, color=colour) for name, colour in colours.items()]
    return _panels(inspected, "The LSTM's gates after training", draw, handles)


@mpl.rc_context(STYLE)
def reading(reading: Mapping[str, Any], title: str) -> Figure:
    """P(positive) of both models after each word of one review, the words below."""
    words = reading["words"]
    figure, axes = _single(max(5, 1.5 + 0.17 * len(words)), 3.4)
    for cell, colour in COLOURS.items():
        axes.plot(reading[cell]["after_word"], ".-", color=colour, linewidth=1.2)
    axes.axhline(0.5, color="grey", linewidth=0.8, linestyle=":")
    axes.set_xticks(range(len(words)), words, rotation=90, fontsize=7)
    axes.set(ylim=(-0.02, 1.02), xlim=(-0.5, len(words) - 0.5), ylabel="P(positive) after the word")
    axes.set_title(title)
    return _with_legend(figure, _cells())


@mpl.rc_context(STYLE)
def lengths(audit: Mapping[str, Any]) -> Figure:
    """How long the reviews are, train and test."""
    figure, axes = _single(6, 3)
    edges = [0, *audit["histogram_edges"], audit["histogram_edges"][-1] + audit["histogram_edges"][0]]
    for split, line in (("train", "-"), ("test", "--")):
        axes.stairs(audit[split]["histogram"], edges, color="black", linestyle=line, label=split)
    axes.set(xlabel="tokens of the whole review (last step: all longer ones)", ylabel="reviews")
    axes.set_title("Lengths of the reviews")
    axes.legend()
    return figure


def _single(width: float, height: float) -> tuple[Figure, Axes]:
    """Return a figure of so many inches, and its only panel."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def _panels(
    runs: Mapping[str, Any], title: str, draw: Callable[[Axes, str], None], handles: list[Line2D]
) -> Figure:
    """Return a figure with a legend and a panel per recipe, each filled by `draw(axes, recipe)`."""
    figure = Figure(figsize=(1.5 + 3 * len(runs), 3.4), layout="constrained")
    for axes, recipe in zip(figure.subplots(1, len(runs), squeeze=False, sharey=True)[0], runs, strict=True):
        draw(axes, recipe)
        axes.set_title(recipe)
    figure.suptitle(title)
    return _with_legend(figure, handles)


def _with_legend(figure: Figure, handles: list[Line2D]) -> Figure:
    """Return the figure with a legend beside its panels."""
    figure.legend(handles=handles, loc="outside right upper")
    return figure


def _entry(label: str, color: str = "grey", **style: Any) -> Line2D:
    """Return an entry of a legend."""
    return Line2D([], [], label=label, color=color, **style)


def _cells(marker: str | None = "o") -> list[Line2D]:
    """Return the legend's entries of both cells."""
    return [_entry(LABELS[cell], color=colour, marker=marker) for cell, colour in COLOURS.items()]
