"""Stage `inside`: what reaches back through the two nets of the first seed, their gates, and two readings.

T is the length of a row, R the number of rows.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import expit

from stages import StageError
from stages.runtime.command_line import main
from stages.inspection.equations import run
from stages.runtime.files import (
    FIRST_WORD,
    PADDED,
    PADDING,
    RAW,
    REPORTS,
    json_text,
    load_array,
    load_padded,
    load_text,
    new_file,
    run_folder,
)
from stages.pad import OUT_OF_VOCABULARY, START
from stages.params.study import Model, Params

CELLS = ("rnn", "lstm")
AT_ONCE = 100  # rows whose gradients are taken together
Weights = Mapping[str, Sequence[np.ndarray]]  # of each of a model's layers, by its name


def inside(params: Params, recipe: str) -> None:
    """Look into the RNN and the LSTM of one recipe and the first seed, and write what is seen as JSON."""
    settings, seed, block = params.inside, params.seeds[0], params.blocks[recipe]
    padded = load_padded(recipe)
    test = padded["test"]
    text = (test.tokens != PADDING).sum(axis=1)
    positions = min(settings.positions, test.tokens.shape[1])
    long = test.tokens[spread(np.flatnonzero(text >= positions), settings.reviews)]
    if not len(long):
        raise StageError(
            f"inside.positions = {settings.positions}: allowed is up to {text.max()}, "
            f"the most tokens that a test review of {recipe} has"
        )
    offsets = load_array(RAW / "test_offsets.npy")
    least, most = settings.shown_tokens
    single = block.pad.vocabulary - block.pad.pairs
    of_words = ((test.tokens != PADDING) & (test.tokens < single)).sum(axis=1)
    short = whole(of_words, offsets) & (text >= least) & (text <= most)
    folders = {cell: run_folder(recipe, cell, seed) for cell in CELLS}
    probabilities = {cell: load_array(folders[cell] / "test_probabilities.npy") for cell in CELLS}
    shown = choose(test.labels, probabilities["rnn"], probabilities["lstm"], short)
    ranks, pairs = json.loads(load_text(RAW / "word_index.json")), load_array(PADDED / recipe / "pairs.npy")
    words = token_words(ranks, pairs, single)

    # Imported here: TensorFlow takes seconds and prints lines of its own; what is wrong is said before.
    from stages.networks.models import load_net, new_net

    gradients: dict[str, Any] = {}
    weights: dict[str, Weights] = {}
    for cell in CELLS:
        trained = load_net(folders[cell] / "model.keras", block.train.kernel)
        # As in training: the same initial weights.
        initial = new_net(
            cell, block.pad.vocabulary, block.model, block.train.kernel, seed, padded["train"].tokens
        )
        weights[cell] = {name: layer.get_weights() for name, layer in trained.layers.items()}
        gradients[cell] = {
            name: quartiles(from_end(gradient_norms(net, long), long, positions))
            for name, net in (("initial", initial), ("trained", trained))
        }
    readings: dict[str, Any] = dict.fromkeys(shown)
    for name, row in shown.items():
        if row is not None:
            readings[name] = {"row": row, "label": int(test.labels[row])}
            readings[name] |= reading(weights, block.model, test.tokens[row], words)
    result = {
        "seed": seed,
        "reviews": len(long),
        "gradients": gradients,
        "gates": gates(weights["lstm"], block.model, long, positions),
        "readings": readings,
    }
    new_file(REPORTS / "inside" / f"{recipe}.json", json_text(result))
    print(
        f"inside {recipe}: gradients and gates over {len(long)} test reviews of {positions} tokens or more, "
        f"reviews shown: {', '.join(f'{name} {row}' for name, row in shown.items())}"
    )


def spread(rows: np.ndarray, number: int) -> np.ndarray:
    """Return `number` of `rows`, evenly spaced, or all where there are fewer.

    The reviews lie in order of label and tokens: the first would all be negative and begin alike.
    """
    return rows[np.linspace(0, len(rows) - 1, min(number, len(rows))).round().astype(int)]


def gradient_norms(net: Any, tokens: np.ndarray) -> np.ndarray:
    """Return float64 (R, T): the Euclidean norm of the answer's gradient in the embedding at each place.

    net: a `Net`; tokens: int32 (R, T). The answer is the logit, which goes into the last sigmoid: the
    sigmoid's own slope, next to nothing where a net is sure, has no part in it.
    """
    import tensorflow as tf

    every_token = tf.range(net.layers["embedding"].input_dim)
    width = net.layers["embedding"].output_dim

    def gradient(steps: tf.Tensor) -> tf.Tensor:
        occurrences = tf.zeros((*steps.shape, width))
        with tf.GradientTape() as tape:
            tape.watch(occurrences)
            logits = net.logit(net.table(every_token), every_token, steps, occurrences=occurrences)
        return tape.gradient(logits, occurrences)

    compiled = net.compiled(gradient)
    norms = np.empty(tokens.shape)
    for start in range(0, len(tokens), AT_ONCE):
        rows = slice(start, start + AT_ONCE)
        # float64: gradients that have all but vanished have squares below what float32 holds.
        norms[rows] = np.linalg.norm(compiled(tokens[rows].T).numpy().astype(np.float64), axis=-1).T
    return norms


def from_end(values: np.ndarray, tokens: np.ndarray, positions: int) -> np.ndarray:
    """Return (R, positions): the `values` (R, T) at the last token of text, the one before it, and so on.

    tokens: int32 (R, T), with text of `positions` tokens or more, padded at either side.
    """
    last = tokens.shape[1] - 1 - (tokens[:, ::-1] != PADDING).argmax(axis=1)
    return np.take_along_axis(values, last[:, np.newaxis] - np.arange(positions), axis=1)


def quartiles(values: np.ndarray) -> dict[str, list[float]]:
    """Return the columns' quartiles over the rows, to four significant digits."""
    names = ("lower_quartile", "median", "upper_quartile")
    each = np.quantile(values, (0.25, 0.5, 0.75), axis=0)
    return {name: [float(f"{value:.4g}") for value in row] for name, row in zip(names, each, strict=True)}


def gates(weights: Weights, settings: Model, tokens: np.ndarray, positions: int) -> dict[str, dict[str, Any]]:
    """Return how far the LSTM's forget, input and output gate are open: 0 is shut and 1 open.

    `by_distance`: the mean over units and reviews at each distance from the end (`from_end`); `units`:
    the least and the most that single units are open, in the mean over the rows. tokens: int32 (R, T).
    """
    of_reviews, of_units = [], []
    for _, each in states("lstm", weights, settings, tokens):
        of_reviews.append([gate.mean(axis=0) for gate in each])
        of_units.append([gate.mean(axis=1) for gate in each])
    by_step, units = np.array(of_reviews, np.float64), np.mean(of_units, axis=0)  # (T, 3, R), (3, U)
    return {
        name: {
            "by_distance": from_end(by_step[:, gate].T, tokens, positions).mean(axis=0).round(4).tolist(),
            "units": [round(float(units[gate].min()), 4), round(float(units[gate].max()), 4)],
        }
        for gate, name in enumerate(("forget", "input", "output"))
    }


def states(
    cell: str, weights: Weights, settings: Model, tokens: np.ndarray
) -> Iterator[tuple[np.ndarray, tuple[np.ndarray, ...]]]:
    """Yield state and gates, as `equations.run` does, after each token of int32 `tokens` (R, T)."""
    embedded = weights["embedding"][0][tokens.T]
    read = tokens.T != PADDING if settings.masking else None
    return run(cell, weights[cell], settings.activation, embedded, read)


def answers(cell: str, weights: Weights, settings: Model, tokens: np.ndarray) -> np.ndarray:
    """Return P(positive) (R, T): what the net would answer if the row ended after each of its tokens."""
    h = np.stack([h for h, _ in states(cell, weights, settings, tokens)])  # (T, U, R)
    if settings.pooling == "mean":
        read = (tokens.T != PADDING) | (not settings.masking)
        h = (h * read[:, np.newaxis]).cumsum(axis=0) / np.maximum(read.cumsum(axis=0), 1)[:, np.newaxis]
    kernel, bias = weights["positive"]
    return expit(h.transpose(2, 0, 1) @ kernel + bias)[..., 0]


def whole(text: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return which reviews were not cut, bool (reviews,).

    text: how many tokens of each its row holds, but for pairs; offsets: where it begins and the last one
    ends in the raw words, as `download` writes them, to which `pad` adds START.
    """
    return text == np.diff(offsets) + 1


def choose(
    labels: np.ndarray, rnn: np.ndarray, lstm: np.ndarray, allowed: np.ndarray
) -> dict[str, int | None]:
    """Return which of the `allowed` reviews (bool) are worth reading, given both nets' P(positive).

    lstm_only: of those that only the LSTM gets right, where it is ahead of the RNN by most.
    both_wrong: of those that both get wrong, where they are surest together. None: there is none.
    """
    of_label = [np.where(labels, each, 1 - each.astype(np.float64)) for each in (rnn, lstm)]
    rnn_right, lstm_right = ((each > 0.5) == labels for each in (rnn, lstm))
    wanted = {
        "lstm_only": (allowed & lstm_right & ~rnn_right, of_label[1] - of_label[0]),
        "both_wrong": (allowed & ~lstm_right & ~rnn_right, -of_label[0] - of_label[1]),
    }
    return {
        name: int(np.where(among, by, -np.inf).argmax()) if among.any() else None
        for name, (among, by) in wanted.items()
    }


def reading(
    weights: Mapping[str, Weights], settings: Model, tokens: np.ndarray, words: Mapping[int, str]
) -> dict[str, Any]:
    """Return a review's words and both nets' P(positive) after each of them, and after the whole row.

    tokens: int32 (T,). Padding before the text is read first, and padding after it before the final
    answer, unless the net skips padding.
    """
    text = tokens != PADDING
    result: dict[str, Any] = {"words": [words[token] for token in tokens[text].tolist()]}
    for cell in CELLS:
        after = answers(cell, weights[cell], settings, tokens[np.newaxis])[0].astype(np.float64).round(4)
        result[cell] = {"after_word": after[text].tolist(), "final": after[-1].item()}
    return result


def token_words(ranks: Mapping[str, int], pairs: np.ndarray, single: int) -> dict[int, str]:
    """Return what each token stands for: a word of this rank or, from `single` on, one of `pairs`."""
    words = {rank + FIRST_WORD: word for word, rank in ranks.items() if rank + FIRST_WORD < single}
    words |= {START: "<start>", OUT_OF_VOCABULARY: "<unknown>"}
    both = zip(*(each.tolist() for each in np.divmod(pairs, single)), strict=True)
    return words | {single + place: f"{words[a]} {words[b]}" for place, (a, b) in enumerate(both)}


if __name__ == "__main__":
    main(inside)
