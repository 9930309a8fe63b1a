"""Which test reviews the page offers to begin with."""

from collections.abc import Mapping

import numpy as np

from stages.runtime.files import INDEX_FROM


def chosen(
    labels: np.ndarray, rnn: np.ndarray, lstm: np.ndarray, lengths: np.ndarray, number: int
) -> dict[str, list[int]]:
    """Return kind of review → the rows of up to `number` of them, from the shortest to the longest.

    The kind is who gets it right: both, rnn (the RNN alone), lstm or neither. Of all of a kind, ordered by
    length (of equals, as they stand), every so many-th is taken: no look at what they say.
    labels, both models' P(positive), lengths: (reviews,).
    """
    rnn_correct, lstm_correct = ((each > 0.5) == labels for each in (rnn, lstm))
    kinds = {
        "both": rnn_correct & lstm_correct,
        "rnn": rnn_correct & ~lstm_correct,
        "lstm": ~rnn_correct & lstm_correct,
        "neither": ~rnn_correct & ~lstm_correct,
    }
    result = {}
    for kind, among in kinds.items():
        rows = np.flatnonzero(among)
        rows = rows[np.argsort(lengths[rows], kind="stable")]
        places = np.linspace(0, len(rows) - 1, min(number, len(rows))).round().astype(int)
        result[kind] = rows[places].tolist()
    return result


def words_below(ranks: Mapping[str, int], num_words: int) -> list[str]:
    """Return the words that have tokens below `num_words`, the most frequent first."""
    return sorted(
        (word for word, rank in ranks.items() if rank + INDEX_FROM < num_words), key=ranks.__getitem__
    )
