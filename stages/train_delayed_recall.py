"""Stage `train_delayed_recall`: one cell on generated sequences whose first token alone decides."""

from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from stages.params.delayed_recall import STARTS, load_delayed_recall
from stages.params.recipe import Lstm, Rnn
from stages.runtime.command_line import stage_main
from stages.runtime.errors import StageError
from stages.runtime.files import Split, json_text, write_atomically, write_folder

# The token ids: 0 is padding and never occurs; these two decide the label, 0 and 1; all above are noise.
DECIDING = (1, 2)


def train_delayed_recall(start: str, learning_rate: float, seed: int, *, out: Path) -> None:
    """Train a cell after each delay, and write how well it answers new sequences.

    The model of the first delay also answers after all others (`transferred`): learning over a delay is one
    thing, keeping what was learned another. Weights, batches and sequences follow from the seed; sequences
    are the same for all cells, starts and learning rates.
    """
    settings = load_delayed_recall()
    if start not in STARTS:
        raise StageError(f"start = {start!r}: should be one of {', '.join(STARTS)}")
    # Imported here: TensorFlow takes seconds and prints lines of its own; mistakes are reported before.
    from stages.networks.models import Network, new_network
    from stages.networks.provenance import FILE, check_current, provenance
    from stages.networks.training import fit

    title = f"delayed recall {start} {learning_rate:g} seed {seed}"
    made = provenance(settings.shaping())
    rows: list[dict[str, Any]] = []
    first: Network | None = None
    with write_folder(out) as folder:
        for delay in settings.delays:
            random = np.random.default_rng([seed, delay])  # whatever the other delays are
            train, validation, test = (
                sequences(random, settings.sequences // share, delay, settings.num_tokens)
                for share in (1, 4, 2)
            )
            network = new_network(
                start.partition("-")[0],
                settings.num_tokens,
                settings.model,
                own(start, learning_rate, delay),
                settings.train.implementation,
                seed,
            )
            name = f"{title} delay {delay}"
            fitted = fit(network, train, validation, settings.train, learning_rate, seed, name, verbose=False)
            first = first or network
            own_answers, first_answers = (
                measured(each.probabilities(test.tokens), test.labels) for each in (network, first)
            )
            row = {
                "delay": delay,
                "test": own_answers,
                "transferred": first_answers,
                "validation_accuracy": [epoch["validation_accuracy"] for epoch in fitted.history],
                "kept_epoch": fitted.kept_epoch,
            }
            rows.append(row)
            accuracy = own_answers["accuracy"]
            print(f"{name}: kept epoch {fitted.kept_epoch}, test accuracy {accuracy:.4f}", flush=True)
        result = {
            "start": start,
            "learning_rate": learning_rate,
            "seed": seed,
            "test_sequences": len(test.labels),
            "delays": rows,
        }
        write_atomically(folder / "results.json", json_text(result))
        write_atomically(folder / FILE, json_text(made))
        check_current(title, made, load_delayed_recall().shaping())


def own(start: str, learning_rate: float, delay: int) -> Rnn | Lstm:
    """Return what the cell of `start`, one of STARTS, has of its own.

    T_max of `chrono` is the delay: chrono initialisation is told how far back the dependency is.
    """
    cell, _, name = start.partition("-")
    if cell == "rnn":
        return Rnn.model_validate({"learning_rate": learning_rate, "recurrent_initializer": name})
    t_max = max(delay, 3) if name == "chrono" else None  # the least that is allowed
    return Lstm(learning_rate=learning_rate, chrono_t_max=t_max)


def measured(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Return what P(positive) tells of `labels`.

    accuracy: the share that it is on the right side of one half for. auc: the area under the ROC curve, which
    tells whether the labels could be told apart by any other threshold.
    """
    accuracy = ((probabilities > 0.5) == labels).mean()
    auc = roc_auc_score(labels, probabilities)
    return {"accuracy": round(float(accuracy), 6), "auc": round(float(auc), 6)}


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
    stage_main(
        train_delayed_recall,
        {
            "start": {"help": f"the cell, and what it starts from: {', '.join(STARTS)}"},
            "learning_rate": {"type": float, "help": "of the optimizer"},
        },
    )
