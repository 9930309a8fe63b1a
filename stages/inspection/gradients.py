"""How strongly each token of a review moves the logit. T is the length of a row, R the number of rows."""

from typing import Any

import numpy as np

AT_ONCE = 100  # rows whose gradients are computed together


def gradient_norms(network: Any, tokens: np.ndarray) -> np.ndarray:
    """Return float64 (R, T): the Euclidean norm of the logit's gradient in the embedding at each position.

    network: a `Network`; tokens: int32 (R, T). The logit is what the last sigmoid gets: the sigmoid's own
    slope, next to nothing where a model is confident, has no part in it.
    """
    import tensorflow as tf

    embedding = network.layers["embedding"]
    every_token = tf.range(embedding.input_dim)

    def gradient(row_ids: tf.Tensor) -> tf.Tensor:
        occurrences = tf.zeros((*row_ids.shape, embedding.output_dim))
        with tf.GradientTape() as tape:
            tape.watch(occurrences)
            table = network.table(every_token)
            logits = network.logit(table, every_token, row_ids, occurrences=occurrences)
        return tape.gradient(logits, occurrences)

    compiled = network.compiled(gradient)
    norms = np.empty(tokens.shape)
    for start in range(0, len(tokens), AT_ONCE):
        rows = slice(start, start + AT_ONCE)
        # float64: gradients that have all but vanished have squares below what float32 holds.
        norms[rows] = np.linalg.norm(compiled(tokens[rows].T).numpy().astype(np.float64), axis=-1).T
    return norms


def quartiles(values: np.ndarray) -> dict[str, list[float]]:
    """Return the columns' quartiles over the rows, to four significant digits."""
    names = ("lower_quartile", "median", "upper_quartile")
    each = np.quantile(values, (0.25, 0.5, 0.75), axis=0)
    return {name: [float(f"{value:.4g}") for value in row] for name, row in zip(names, each, strict=True)}
