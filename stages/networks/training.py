"""Training: one run (cell × recipe × seed), from its data to its folder. The same for both cells."""

import csv
import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from stages.networks.batches import batch_order, max_unique, trimmed, unique
from stages.networks.models import Network, new_network, save_model
from stages.networks.provenance import FILE, check_current, differing, provenance
from stages.params.recipe import Pad, Train, changed, load_recipe
from stages.runtime.errors import StageError
from stages.runtime.files import (
    PADDED,
    PADDING,
    SETTINGS,
    WORD_VECTORS,
    Split,
    json_text,
    load_array,
    load_json,
    load_padded,
    save_array,
    write_atomically,
    write_folder,
)


def train_run(
    cell: str,
    recipe: str,
    seed: int,
    folder: Path,
    settings: Sequence[tuple[str, Any]] = (),
    reviews: str | None = None,
) -> None:
    """Train one run and write its model, history, probabilities and provenance to `folder`.

    settings: what differs from the recipe in params.yaml, such as `("model.pooling", "max")`. reviews: the
    name of the padded reviews and word vectors, the recipe's by default. Raises `StageError` where the
    reviews were padded with other settings, where the loss is not finite, or where params.yaml or the code
    changed meanwhile.
    """
    reviews = reviews or recipe
    title = " ".join([recipe, cell, f"seed {seed}", *(f"{name}={value}" for name, value in settings)])
    block = changed(recipe, load_recipe(recipe), settings)
    made = provenance(block.settings(cell))
    check_padded(reviews, block.pad)
    data, vectors = load_padded(reviews), load_array(WORD_VECTORS / f"{reviews}.npy")
    own, implementation = block.own(cell), block.train.implementation
    network = new_network(cell, block.pad.num_words, block.model, own, implementation, seed, vectors)
    with write_folder(folder) as draft:
        rate = own.learning_rate
        fitted = fit(network, data["train"], data["validation"], block.train, rate, seed, title)
        print(f"{title}: kept epoch {fitted.kept_epoch}")
        save_array(draft / "validation_probabilities.npy", fitted.probabilities)
        save_array(draft / "test_probabilities.npy", network.probabilities(data["test"].tokens))
        with (draft / "history.csv").open("w", encoding="utf-8", newline="") as file:
            rows = csv.DictWriter(file, fitted.history[0], lineterminator="\n")
            rows.writeheader()
            rows.writerows(fitted.history)
        summary = {
            "cell_weights": network.cell.count_params(),
            "weights": network.model.count_params(),
            "kept_epoch": fitted.kept_epoch,
        }
        write_atomically(draft / "summary.json", json_text(summary))
        write_atomically(draft / FILE, json_text(made))
        save_model(network.model, draft / "model.keras")
        check_current(title, made, changed(recipe, load_recipe(recipe), settings).settings(cell))


def check_padded(name: str, settings: Pad) -> None:
    """Raise `StageError` where the padded reviews of that name were not made with `settings`."""
    file = PADDED / name / SETTINGS
    for setting, (then, now) in differing(load_json(file), settings.model_dump(mode="json")).items():
        raise StageError(
            f"{file.parent} was padded with {setting} = {then}, not {now}: `dvc repro` runs `pad`"
        )


class Fitted(NamedTuple):
    """What came of fitting a network, beside its weights."""

    history: list[dict[str, float]]  # a row per epoch
    kept_epoch: int  # the epoch, from 1, whose weights the network has
    probabilities: np.ndarray  # float32 P(positive) of the validation reviews under these weights


class Checkpoint(NamedTuple):
    """The weights after an epoch, and what they predict for the validation reviews."""

    epoch: int
    accuracy: float
    weights: list[np.ndarray]
    probabilities: np.ndarray


def fit(
    network: Network,
    train: Split,
    validation: Split,
    settings: Train,
    learning_rate: float,
    seed: int,
    title: str,
    *,
    verbose: bool = True,
) -> Fitted:
    """Fit `network` in place, in the order of batches that follows from `seed`.

    With `verbose`, prints a line per epoch. The training columns of the history are means over an epoch,
    with dropout and while weights change; the validation columns belong to the epoch's last weights, or to
    their moving average. Raises `StageError` where the loss is not finite.
    """
    order = batch_order((train.tokens != PADDING).sum(axis=1), settings, seed)
    optimizer = new_optimizer(network, settings, learning_rate)
    epoch_of = trainer(network, optimizer, train, settings, max_unique(train.tokens, order))
    history: list[dict[str, float]] = []
    checkpoint: Checkpoint | None = None
    for epoch, batches in enumerate(order, 1):
        name = f"{title}: epoch {epoch}/{settings.epochs}"
        loss, accuracy = epoch_of(tqdm(batches, name, disable=None if verbose else True, leave=False), name)
        row, current = validate(network, optimizer, validation, epoch)
        if not np.isfinite(
            row["validation_loss"]
        ):  # the last step's weights, which no loss was computed with
            raise diverged(f"{name}: the validation loss is {row['validation_loss']}", optimizer)
        row = {"train_loss": loss, "train_accuracy": accuracy} | row
        history.append({"epoch": epoch} | {column: round(value, 6) for column, value in row.items()})
        if verbose:
            text = "{}, loss {:.4f}, accuracy {:.4f}, validation loss {:.4f}, accuracy {:.4f}"
            print(text.format(name, *row.values()), flush=True)
        if checkpoint is None or settings.checkpoint == "last" or current.accuracy > checkpoint.accuracy:
            checkpoint = current
    assert checkpoint is not None  # there is one epoch at least
    network.model.set_weights(checkpoint.weights)
    return Fitted(history, checkpoint.epoch, checkpoint.probabilities)


def trainer(
    network: Network, optimizer: keras.optimizers.Optimizer, train: Split, settings: Train, size: int
) -> Callable[[tqdm, str], tuple[float, float]]:
    """Return the function that trains an epoch and returns its mean loss, in nats, and accuracy.

    It takes the batches, rows of `train` as `batch_order` has them, and the epoch's name for messages.
    size: the largest number of different tokens in a batch.
    """
    embedding = network.layers["embedding"]
    # XLA compiles anew for every shape: there are few, and a step for each.
    step_of = functools.cache(lambda _: train_step(network, optimizer, settings))
    dropout = tf.function(
        lambda: (
            network.dropout(size, "embedding_dropout", "word_dropout"),
            network.dropout(settings.batch_size, "output_dropout"),
        )
    )

    def train_epoch(batches: tqdm, name: str) -> tuple[float, float]:
        loss = correct = 0.0
        for number, rows in enumerate(batches, 1):
            sample_weight, labels = (rows >= 0).astype(np.float32), train.labels[rows].astype(np.float32)
            tokens = trimmed(train.tokens[rows]) if embedding.mask_zero else train.tokens[rows]
            read, row_ids = unique(tokens, embedding.input_dim, size)
            batch = step_of(tokens.shape[1])(read, row_ids, labels, sample_weight, *dropout())
            loss, correct = loss + float(batch[0]), correct + float(batch[1])
            if not np.isfinite(loss):
                raise diverged(f"{name}, step {number}: the loss is {loss}", optimizer)
        return loss / len(train.labels), correct / len(train.labels)

    return train_epoch


def diverged(what: str, optimizer: keras.optimizers.Optimizer) -> StageError:
    """Return the error that says `what` is not finite, and what to lower."""
    return StageError(
        f"{what}. Lower the learning rate ({float(optimizer.learning_rate):g}), or clip gradients with "
        f"train.global_clipnorm ({optimizer.global_clipnorm or 'null'})"
    )


def validate(
    network: Network, optimizer: keras.optimizers.Optimizer, validation: Split, epoch: int
) -> tuple[dict[str, float], Checkpoint]:
    """Return the validation columns of an epoch's history, and the checkpoint that they belong to.

    That is the weights' moving average, where there is one; the network goes on with the weights that it had.
    """
    last = network.model.get_weights()
    optimizer.finalize_variable_values(network.model.trainable_variables)  # the average, if it keeps one
    probabilities = network.probabilities(validation.tokens)
    accuracy = float(((probabilities > 0.5) == validation.labels).mean())
    loss = cross_entropy(validation.labels, probabilities)
    checkpoint = Checkpoint(epoch, accuracy, network.model.get_weights(), probabilities)
    network.model.set_weights(last)
    return {"validation_loss": loss, "validation_accuracy": accuracy}, checkpoint


def new_optimizer(network: Network, settings: Train, learning_rate: float) -> keras.optimizers.Optimizer:
    """Return the optimizer of the network's weights."""
    config = {"learning_rate": learning_rate, "global_clipnorm": settings.global_clipnorm}
    if settings.optimizer != "sgd":
        config["epsilon"] = settings.epsilon
    if settings.ema_momentum is not None:
        config |= {"use_ema": True, "ema_momentum": settings.ema_momentum}
    optimizer = keras.optimizers.get({"class_name": settings.optimizer, "config": config})
    optimizer.build(network.model.trainable_variables)
    return optimizer


def train_step(
    network: Network, optimizer: keras.optimizers.Optimizer, settings: Train
) -> Callable[..., tuple[tf.Tensor, tf.Tensor]]:
    """Return the function that moves the network's weights by one batch.

    It takes the batch's unique tokens and their row_ids (see `unique`), float32 labels (batch,), float32
    sample_weight (batch,), 0 for reviews that only fill it up, and what dropout multiplies embeddings and
    pooled states by. It returns the sum of the reviews' losses, in nats, and the number of correct ones.
    """
    weights = network.model.trainable_variables  # the embedding's first
    per_occurrence = settings.embedding_gradients == "per_occurrence"

    def step(
        tokens: tf.Tensor,
        row_ids: tf.Tensor,
        labels: tf.Tensor,
        sample_weight: tf.Tensor,
        embedding_dropout: tf.Tensor | None,
        output_dropout: tf.Tensor | None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        occurrences = tf.zeros((*row_ids.shape, weights[0].shape[1])) if per_occurrence else None
        with tf.GradientTape() as tape:
            table = network.table(tokens, embedding_dropout)
            if per_occurrence:
                tape.watch(occurrences)
            predicted = network.predict(table, tokens, row_ids, output_dropout, occurrences)
            losses = sample_weight * keras.losses.binary_crossentropy(labels[:, None], predicted[:, None])
            loss = tf.reduce_sum(losses) / tf.reduce_sum(sample_weight)
        embedding, *others = weights
        of_embedding, *gradients = tape.gradient(
            loss, [occurrences if per_occurrence else embedding, *others]
        )
        if per_occurrence:
            of_embedding = per_occurrence_gradient(
                of_embedding, tokens, row_ids, embedding_dropout, embedding.shape
            )
        else:
            of_embedding = tf.convert_to_tensor(of_embedding)  # the unique tokens' rows, as a dense gradient
        optimizer.apply([of_embedding, *gradients], weights)
        correct = sample_weight * tf.cast((predicted > 0.5) == (labels > 0.5), tf.float32)
        return tf.reduce_sum(losses), tf.reduce_sum(correct)

    return network.compiled(step)


def per_occurrence_gradient(
    of_occurrences: tf.Tensor,
    tokens: tf.Tensor,
    row_ids: tf.Tensor,
    dropout: tf.Tensor | None,
    shape: tf.TensorShape,
) -> tf.IndexedSlices:
    """Return the embedding's gradient as Keras 3 has it: a slice for every occurrence of a token.

    Adam and clipping square these slices one by one; a dense gradient has them summed before.
    """
    slices = tf.reshape(of_occurrences, (-1, of_occurrences.shape[-1]))
    if dropout is not None:
        slices *= tf.gather(dropout, tf.reshape(row_ids, [-1]))
    return tf.IndexedSlices(slices, tf.reshape(tf.gather(tokens, row_ids), [-1]), shape)


def cross_entropy(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the mean cross-entropy in nats, probabilities kept 1e-7 from 0 and 1 as in Keras' loss."""
    of_label = np.where(labels, probabilities, 1 - probabilities.astype(np.float64))
    return float(-np.log(np.clip(of_label, 1e-7, 1 - 1e-7)).mean())
