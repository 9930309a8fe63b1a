"""The figures: one function each, from what other stages wrote to a matplotlib figure."""

from stages.reporting.figures.comparison import (
    accuracy,
    by_length,
    confusion,
    learning_curves,
    reliability,
    roc,
)
from stages.reporting.figures.delayed_recall import delayed_recall
from stages.reporting.figures.inspection import gates, gradients, reading
from stages.reporting.figures.learning_rates import learning_rates
from stages.reporting.figures.reviews import lengths
from stages.reporting.figures.variants import ablation, steps

__all__ = [
    "ablation",
    "accuracy",
    "by_length",
    "confusion",
    "delayed_recall",
    "gates",
    "gradients",
    "learning_curves",
    "learning_rates",
    "lengths",
    "reading",
    "reliability",
    "roc",
    "steps",
]
