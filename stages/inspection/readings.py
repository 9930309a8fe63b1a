"""What trained models would predict if a review ended after each of its words."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import expit

from stages.inspection.states import Weights, pooled, states
from stages.params.recipe import CELLS, Model
from stages.runtime.files import INDEX_FROM, OUT_OF_VOCABULARY, PADDING, START


def running_probabilities(cell: str, weights: Weights, settings: Model, tokens: np.ndarray) -> np.ndarray:
    """Return P(positive) as if the row ended after each of its tokens, of the shape of `tokens`.

    tokens: int32 (rows, length). The last column is what the model predicts.
    """
    hidden = np.stack([h for h, _ in states(cell, weights, settings, tokens)])  # (length, units, rows)
    kernel, bias = weights["positive"]
    return expit(pooled(hidden, settings, tokens).transpose(2, 0, 1) @ kernel + bias)[..., 0]


def reading(weights: Mapping[str, Weights], settings: Model, tokens: np.ndarray) -> dict[str, Any]:
    """Return each cell's P(positive) after each word of a review, and after the whole row.

    weights: of each cell; tokens: int32 (length,). Padding before the text is read first, and padding after
    it before the final prediction, unless the models skip padding.
    """
    result = {}
    for cell in CELLS:
        (after,) = running_probabilities(cell, weights[cell], settings, tokens[np.newaxis])
        after = after.astype(np.float64).round(4)
        result[cell] = {"after_word": after[tokens != PADDING].tolist(), "final": after[-1].item()}
    return result


def contrasting_reviews(
    labels: np.ndarray, rnn: np.ndarray, lstm: np.ndarray, allowed: np.ndarray
) -> dict[str, int | None]:
    """Return which of the `allowed` reviews (bool) are worth reading, given both models' P(positive).

    lstm_only: of those that only the LSTM gets right, the one where it is ahead of the RNN by most.
    both_wrong: of those that both get wrong, the one where their confidence adds up to most. None: there is
    none.
    """
    of_label = [np.where(labels, each, 1 - each.astype(np.float64)) for each in (rnn, lstm)]
    rnn_correct, lstm_correct = ((each > 0.5) == labels for each in (rnn, lstm))
    wanted = {
        "lstm_only": (allowed & lstm_correct & ~rnn_correct, of_label[1] - of_label[0]),
        "both_wrong": (allowed & ~lstm_correct & ~rnn_correct, -of_label[0] - of_label[1]),
    }
    return {
        name: int(np.where(among, by, -np.inf).argmax()) if among.any() else None
        for name, (among, by) in wanted.items()
    }


def token_words(ranks: Mapping[str, int], num_words: int) -> dict[int, str]:
    """Return the word of each token below `num_words`, given each word's rank, from 1."""
    words = {rank + INDEX_FROM: word for word, rank in ranks.items() if rank + INDEX_FROM < num_words}
    return words | {START: "<start>", OUT_OF_VOCABULARY: "<unknown>"}
