"""How far a trained LSTM opens its gates: 0 is shut and 1 open."""

from typing import Any

import numpy as np

from stages.inspection.states import Weights, from_end, states
from stages.params.recipe import Model


def gates(weights: Weights, settings: Model, tokens: np.ndarray, positions: int) -> dict[str, dict[str, Any]]:
    """Return how far the LSTM's forget, input and output gate are open.

    `by_distance`: the mean over units and reviews at each distance from the end (`from_end`); `units`:
    the least and the most that single units are open, in the mean over the reviews. tokens: int32 (reviews,
    length).
    """
    of_reviews, of_units = [], []
    for _, each in states("lstm", weights, settings, tokens):
        of_reviews.append([gate.mean(axis=0) for gate in each])
        of_units.append([gate.mean(axis=1) for gate in each])
    by_step = np.array(of_reviews, np.float64)  # (length, 3, reviews)
    units = np.mean(of_units, axis=0)  # (3, units)
    return {
        name: {
            "by_distance": from_end(by_step[:, gate].T, tokens, positions).mean(axis=0).round(4).tolist(),
            "units": [round(float(units[gate].min()), 4), round(float(units[gate].max()), 4)],
        }
        for gate, name in enumerate(("forget", "input", "output"))
    }
