"""Stage `probe`: how far both cells remember, on generated sequences whose first token alone decides."""

from typing import Any

import numpy as np

from stages.runtime.command_line import main
from stages.runtime.files import REPORTS, Split, json_text, new_file
from stages.params.study import Params

# The token ids: 0 is padding and never occurs; these two decide the label, 0 and 1; all above are noise.
DECIDING = (1, 2)


def probe(params: Params, seed: int) -> None:
    """Train both cells at each distance on the same sequences, and write how well they answer as JSON.

    The nets of the first distance also answer at all others (`transferred`): learning over a distance
    is one thing, keeping what was learned another. `seed` shapes weights, batch order and sequences.
    """
    # Imported here: TensorFlow takes seconds and prints lines of its own; what is wrong is said before.
    from stages.networks.models import Net, new_net
    from stages.networks.training import fit

    settings = params.probe
    result: dict[str, Any] = {"settings": settings.model_dump(), "rnn": [], "lstm": []}
    first: dict[str, Net] = {}
    for distance in settings.distances:
        random = np.random.default_rng([seed, distance])  # whatever the other distances are
        train, validation, test = (
            sequences(random, settings.sequences // share, distance, settings.vocabulary)
            for share in (1, 4, 2)
        )
        result["test_sequences"] = len(test.labels)
        for cell in ("rnn", "lstm"):
            title = f"probe {cell} distance {distance} seed {seed}"
            net = new_net(
                cell, settings.vocabulary, settings.model, settings.train.kernel, seed, train.tokens
            )
            learning_rate = getattr(settings, cell).learning_rate
            fitted = fit(net, train, validation, settings.train, learning_rate, seed)
            row = {
                "distance": distance,
                "test_accuracy": accuracy(net.probabilities(test.tokens), test.labels),
                "transferred": accuracy(first.setdefault(cell, net).probabilities(test.tokens), test.labels),
                "validation_accuracy": fitted.history[fitted.kept - 1]["validation_accuracy"],
                "kept_epoch": fitted.kept,
            }
            result[cell].append(row)
            print(f"{title}: kept epoch {fitted.kept}, test accuracy {row['test_accuracy']:.4f}", flush=True)
    new_file(REPORTS / "probe" / f"{seed}.json", json_text(result))


def accuracy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of `labels` that P(positive) is on the right side of one half for."""
    return round(float(((probabilities > 0.5) == labels).mean()), 6)


def sequences(random: np.random.Generator, number: int, distance: int, vocabulary: int) -> Split:
    """Return `number` sequences: a token that decides the label, then `distance` tokens of noise.

    tokens: int32 (number, distance + 1); labels: uint8 (number,), as many of each (where `number` is
    odd, one more 0). A sequence of label y begins with `DECIDING[y]`; each token of noise is any other
    id below `vocabulary` but the padding, all equally likely, whatever the label.
    """
    labels = (np.arange(number) % 2).astype(np.uint8)
    first = np.array(DECIDING, np.int32)[labels]
    noise = random.integers(DECIDING[-1] + 1, vocabulary, (number, distance), dtype=np.int32)
    return Split(np.column_stack([first, noise]), labels)


if __name__ == "__main__":
    main(probe)
