"""Training: a net is fitted, an epoch kept, and what came of it saved. Both cells come through here alike."""

import csv
import functools
from collections.abc import Callable, Mapping
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from stages.runtime.files import PADDING, Split, json_text, new_file, new_folder, run_folder
from stages.networks.models import Net, new_net, save_model
from stages.params.study import Recipe, Train

POOL = 50  # batches among which reviews are sorted by length; more would make the batches less random


def train_run(cell: str, name: str, recipe: Recipe, seed: int, data: Mapping[str, Split]) -> None:
    """Train one run (cell × recipe × seed) and save its model, history and probabilities.

    `name` is the recipe's. The same arguments give the same bytes on the same type of machine.
    """
    title = f"{name} {cell} seed {seed}"
    learning_rate = getattr(recipe, cell).learning_rate
    train = data["train"]
    net = new_net(cell, recipe.pad.vocabulary, recipe.model, recipe.train.kernel, seed, train.tokens)
    fitted = fit(net, train, data["validation"], recipe.train, learning_rate, seed, title)
    print(f"{title}: kept epoch {fitted.kept}")

    with new_folder(run_folder(name, cell, seed)) as folder:
        np.save(folder / "validation_probabilities.npy", fitted.probabilities)
        np.save(folder / "test_probabilities.npy", net.probabilities(data["test"].tokens))
        with (folder / "history.csv").open("w", encoding="utf-8", newline="") as file:
            rows = csv.DictWriter(file, fitted.history[0], lineterminator="\n")
            rows.writeheader()
            rows.writerows(fitted.history)
        summary = {
            "cell_weights": net.cell.count_params(),
            "weights": net.model.count_params(),
            "kept_epoch": fitted.kept,
        }
        new_file(folder / "summary.json", json_text(summary))
        save_model(net.model, folder / "model.keras")


class Fitted(NamedTuple):
    """What came of fitting a net, beside its weights."""

    history: list[dict[str, float]]  # a row per epoch
    kept: int  # the epoch, from 1, whose weights the net has
    probabilities: np.ndarray  # float32 P(positive) of the validation reviews under these weights


def fit(
    net: Net,
    train: Split,
    validation: Split,
    settings: Train,
    learning_rate: float,
    seed: int,
    title: str | None = None,
) -> Fitted:
    """Fit `net` in place, in the order of batches that `seed` gives; print a line per epoch under `title`.

    The training columns of the history are means over an epoch, with dropout and while weights
    change; the validation columns belong to the epoch's last weights, or to their average.
    """
    optimizer = new_optimizer(net, settings, learning_rate)
    embedding = net.layers["embedding"]
    # XLA compiles anew for every shape: there are few, and a step for each.
    step_of = functools.cache(lambda length: train_step(net, optimizer, settings))
    order = batches((train.tokens != PADDING).sum(axis=1), settings, seed)
    most = max(int((np.bincount(train.tokens[rows].ravel()) > 0).sum()) for epoch in order for rows in epoch)
    dropout = tf.function(
        lambda: (
            net.dropout(most, "embedding_dropout", "word_dropout"),
            net.dropout(settings.batch_size, "output_dropout"),
        )
    )
    history: list[dict[str, float]] = []
    best = -1.0
    kept: tuple[int, list[np.ndarray], np.ndarray]
    for epoch, steps in enumerate(order, 1):
        progress = f"{title}: epoch {epoch}/{settings.epochs}"
        loss = right = 0.0
        for rows in tqdm(steps, progress, disable=None if title else True, leave=False):
            counts, labels = (rows >= 0).astype(np.float32), train.labels[rows].astype(np.float32)
            tokens = trimmed(train.tokens[rows]) if embedding.mask_zero else train.tokens[rows]
            found, places = distinct(tokens, embedding.input_dim, most)
            batch = step_of(tokens.shape[1])(found, places, labels, counts, *dropout())
            loss, right = loss + float(batch[0]), right + float(batch[1])
        last = net.model.get_weights()
        optimizer.finalize_variable_values(net.model.trainable_variables)  # to their average, if it has one
        answers = net.probabilities(validation.tokens)
        accuracy = float(((answers > 0.5) == validation.labels).mean())
        row = {
            "train_loss": loss / len(train.labels),
            "train_accuracy": right / len(train.labels),
            "validation_loss": cross_entropy(validation.labels, answers),
            "validation_accuracy": accuracy,
        }
        history.append({"epoch": epoch} | {name: round(value, 6) for name, value in row.items()})
        if title:
            print(
                "{}, loss {:.4f}, accuracy {:.4f}, validation loss {:.4f}, accuracy {:.4f}".format(
                    progress, *row.values()
                ),
                flush=True,
            )
        if settings.keep == "last" or accuracy > best:
            best, kept = accuracy, (epoch, net.model.get_weights(), answers)
        net.model.set_weights(last)
    net.model.set_weights(kept[1])
    return Fitted(history, kept[0], kept[2])


def new_optimizer(net: Net, settings: Train, learning_rate: float) -> keras.optimizers.Optimizer:
    """Return the optimizer of the net's weights."""
    config = {"learning_rate": learning_rate, "global_clipnorm": settings.clip_norm}
    if settings.optimizer != "sgd":
        config["epsilon"] = settings.epsilon
    if settings.averaging is not None:
        config |= {"use_ema": True, "ema_momentum": settings.averaging}
    optimizer = keras.optimizers.get({"class_name": settings.optimizer, "config": config})
    optimizer.build(net.model.trainable_variables)
    return optimizer


def train_step(
    net: Net, optimizer: keras.optimizers.Optimizer, settings: Train
) -> Callable[..., tuple[tf.Tensor, tf.Tensor]]:
    """Return the function that moves the net's weights by one batch.

    It takes the batch's tokens and steps (see `distinct`), float32 labels (batch,), float32 counts
    (batch,) that are 0 for reviews that only fill it up, and what dropout multiplies embeddings and
    states by. It returns the sum of the reviews' losses, in nats, and the number answered right.
    """
    weights = net.model.trainable_variables  # the embedding's first
    by_occurrence = settings.embedding_gradient == "by_occurrence"

    def step(
        tokens: tf.Tensor,
        steps: tf.Tensor,
        labels: tf.Tensor,
        counts: tf.Tensor,
        embedding_dropout: tf.Tensor | None,
        output_dropout: tf.Tensor | None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        occurrences = None
        with tf.GradientTape() as tape:
            source = table = net.table(tokens, embedding_dropout)
            if by_occurrence:
                source = occurrences = tf.zeros((*steps.shape, weights[0].shape[1]))
                tape.watch(occurrences)
            answers = net.answer(table, tokens, steps, output_dropout, occurrences)
            losses = counts * keras.losses.binary_crossentropy(labels[:, None], answers[:, None])
            loss = tf.reduce_sum(losses) / tf.reduce_sum(counts)
        of_source, *gradients = tape.gradient(loss, [source, *weights])
        # Keras squares the values of a sparse gradient as they are: the parts of a token that occurs
        # several times one by one. Those of a dense gradient are summed before.
        if by_occurrence:
            parts = tf.reshape(of_source, (-1, of_source.shape[-1]))
            if embedding_dropout is not None:
                parts *= tf.gather(embedding_dropout, tf.reshape(steps, [-1]))
            places = tf.reshape(tf.gather(tokens, steps), [-1])
            gradients[0] = tf.IndexedSlices(parts, places, weights[0].shape)
        else:
            gradients[0] = tf.convert_to_tensor(gradients[0])
        optimizer.apply(gradients, weights)
        right = counts * tf.cast((answers > 0.5) == (labels > 0.5), tf.float32)
        return tf.reduce_sum(losses), tf.reduce_sum(right)

    return net.compiled(step)


def batches(lengths: np.ndarray, settings: Train, seed: int) -> np.ndarray:
    """Return which reviews each step reads, int64 (epochs, steps, batch size); −1 fills a batch up.

    `lengths` are the reviews' numbers of tokens. Every epoch reads each review once, in an order of
    its own. `by_length` puts reviews of similar length together: the shuffled reviews are sorted
    within pools of POOL batches, and the batches shuffled.
    """
    random = np.random.default_rng(seed)
    steps = -(-len(lengths) // settings.batch_size)
    order = np.full((settings.epochs, steps * settings.batch_size), -1)
    for epoch in order:
        epoch[: len(lengths)] = random.permutation(len(lengths))
        if settings.batches == "by_length":
            for pool in np.split(
                epoch, range(POOL * settings.batch_size, len(epoch), POOL * settings.batch_size)
            ):
                pool[:] = pool[np.argsort(lengths[pool], kind="stable")]
            epoch[:] = random.permutation(epoch.reshape(steps, -1)).ravel()
    return order.reshape(settings.epochs, steps, settings.batch_size)


def trimmed(tokens: np.ndarray) -> np.ndarray:
    """Return `tokens` (batch, length) without padding that all rows share, as far as halving goes."""
    used = np.flatnonzero((tokens != PADDING).any(axis=0))
    begin, end = (used[0], used[-1] + 1) if len(used) else (0, 0)
    length = tokens.shape[1]
    while length // 2 >= max(end - begin, 1):
        length //= 2
    begin = min(begin, tokens.shape[1] - length)
    return tokens[:, begin : begin + length]


def distinct(tokens: np.ndarray, vocabulary: int, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct `tokens`, filled up to `most`, and which of them is read when.

    tokens: int32 (batch, length), below `vocabulary`. Returns int32 (most,) and int32 (length, batch),
    so that the first, indexed by the second, is the transposed `tokens`.
    """
    occurs = np.zeros(vocabulary, bool)
    occurs[tokens] = True
    found = np.flatnonzero(occurs)
    place = np.empty(vocabulary, np.int32)
    place[found] = np.arange(len(found))
    return np.pad(found, (0, most - len(found))).astype(np.int32), place[tokens.T]


def cross_entropy(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the mean cross-entropy in nats, probabilities kept 1e-7 from 0 and 1 as in Keras' loss."""
    right = np.where(labels, probabilities, 1 - probabilities.astype(np.float64))
    return float(-np.log(np.clip(right, 1e-7, 1 - 1e-7)).mean())
