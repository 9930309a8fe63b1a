"""Stage `train_delayed_recall`: both cells on generated sequences whose first token alone decides."""

from typing import Any

import numpy as np

from stages.params.delayed_recall import load_delayed_recall
from stages.params.recipe import CELLS
from stages.runtime.command_line import stage_main
from stages.runtime.files import DELAYED_RECALL, Split, json_text, write_atomically, write_folder

# The token ids: 0 is padding and never occurs; these two decide the label, 0 and 1; all above are noise.
DECIDING = (1, 2)


def train_delayed_recall(seed: int) -> None:
    """Train both cells after each delay on the same sequences, and write how well they answer.

    The models of the first delay also answer after all others (`transferred`): learning over a delay is one
    thing, keeping what was learned another. Weights, batches and sequences follow from `seed`.
    """
    settings = load_delayed_recall()
    # Imported here: TensorFlow takes seconds and prints lines of its own; mistakes are reported before.
    from stages.networks.models import Network, new_network
    from stages.networks.provenance import FILE, check_current, provenance
    from stages.networks.training import fit

    made = provenance(settings.model_dump(mode="json"))
    result: dict[str, Any] = {cell: [] for cell in CELLS}
    first: dict[str, Network] = {}
    with write_folder(DELAYED_RECALL / str(seed)) as folder:
        for delay in settings.delays:
            random = np.random.default_rng([seed, delay])  # whatever the other delays are
            train, validation, test = (
                sequences(random, settings.sequences // share, delay, settings.num_tokens)
                for share in (1, 4, 2)
            )
            result["test_sequences"] = len(test.labels)
            for cell in CELLS:
                title = f"delayed recall {cell} delay {delay} seed {seed}"
                network = new_network(
                    cell, settings.num_tokens, settings.model, settings.train.implementation, seed
                )
                rate = settings.learning_rate(cell)
                fitted = fit(network, train, validation, settings.train, rate, seed, title, verbose=False)
                transferred = first.setdefault(cell, network).probabilities(test.tokens)
                row = {
                    "delay": delay,
                    "test_accuracy": accuracy(network.probabilities(test.tokens), test.labels),
                    "transferred": accuracy(transferred, test.labels),
                    "validation_accuracy": fitted.history[fitted.kept_epoch - 1]["validation_accuracy"],
                    "kept_epoch": fitted.kept_epoch,
                }
                result[cell].append(row)
                print(
                    f"{title}: kept epoch {fitted.kept_epoch}, test accuracy {row['test_accuracy']:.4f}",
                    flush=True,
                )
        write_atomically(folder / "results.json", json_text(result))
        write_atomically(folder / FILE, json_text(made))
        now = load_delayed_recall().model_dump(mode="json")
        check_current(f"delayed recall seed {seed}", made, now)


def accuracy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of `labels` that P(positive) is on the right side of one half for."""
    return round(float(((probabilities > 0.5) == labels).mean()), 6)


def sequences(random: np.random.Generator, number: int, delay: int, num_tokens: int) -> Split:
    """Return `number` sequences: a token that decides the label, then `delay` tokens of noise.

    tokens: int32 (number, delay + 1); labels: uint8 (number,), as many of each (where `number` is odd, one
    more 0). A sequence of label y begins with `DECIDING[y]`; each token of noise is any other id below
    `num_tokens` but the padding, all equally likely, whatever the label.
    """
    labels = (np.arange(number) % 2).astype(np.uint8)
    first = np.array(DECIDING, np.int32)[labels]
    noise = random.integers(DECIDING[-1] + 1, num_tokens, (number, delay), dtype=np.int32)
    return Split(np.column_stack([first, noise]), labels)


if __name__ == "__main__":
    stage_main(train_delayed_recall)
