"""Training: a net is built, fitted, and one of its epochs kept. Both cells come through here alike."""

import os
import re
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # to TensorFlow, having no GPU is an error

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from stages.files import MODELS, Split, json_text, new_folder
from stages.params import Model, Recipe, Train

# The one difference between the two nets: SimpleRNN computes h = tanh(W·[h,x] + b) at every token,
# LSTM adds a cell state and three gates.
CELLS = {"rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM}
PREDICT_BATCH = 512  # reviews at a time where nothing is learned; shapes speed alone


def train_run(cell: str, name: str, recipe: Recipe, seed: int, data: Mapping[str, Split]) -> None:
    """Train one run (cell × recipe × seed) and save its model, history and probabilities.

    `name` is the recipe's. The same arguments give the same bytes on the same type of machine.
    """
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()

    learning_rate = getattr(recipe, cell).learning_rate
    model = build_model(cell, recipe.pad.vocabulary, recipe.model)
    progress = Progress(f"{name} {cell} seed {seed}", recipe.train.epochs)
    history, kept = fit(model, data["train"], data["validation"], recipe.train, learning_rate, progress)

    with new_folder(MODELS / name / f"{cell}-{seed}") as folder:
        for split in ("validation", "test"):
            np.save(folder / f"{split}_probabilities.npy", probabilities(model, data[split].tokens))
        history.to_csv(folder / "history.csv", index=False, float_format="%.6f", lineterminator="\n")
        # Built anew: what was fitted carries its optimizer, which is three times the weights' size.
        plain = build_model(cell, recipe.pad.vocabulary, recipe.model)
        plain.set_weights(model.get_weights())
        save_model(plain, folder / "model.keras")
        summary = {
            "cell_weights": plain.get_layer(cell).count_params(),
            "weights": plain.count_params(),
            "kept_epoch": kept,
        }
        (folder / "summary.json").write_text(json_text(summary), encoding="utf-8")
    print(f"{progress.title}: kept epoch {kept}")


def build_model(cell: str, vocabulary: int, settings: Model) -> keras.Sequential:
    """Return the notebook's shape: embedding, one recurrent layer named `cell`, one sigmoid unit.

    int32 tokens (batch, length) in, float32 P(positive) (batch, 1) out.
    """
    layers: list[keras.layers.Layer] = [
        keras.Input((None,), dtype="int32", name="tokens"),
        keras.layers.Embedding(
            vocabulary, settings.embedding_width, mask_zero=settings.masking, name="embedding"
        ),
    ]
    if settings.embedding_dropout:
        layers.append(keras.layers.Dropout(settings.embedding_dropout, name="embedding_dropout"))
    layers.append(CELLS[cell](settings.units, activation=settings.activation, name=cell))
    if settings.output_dropout:
        layers.append(keras.layers.Dropout(settings.output_dropout, name="output_dropout"))
    layers.append(keras.layers.Dense(1, activation="sigmoid", name="positive"))
    return keras.Sequential(layers, name=f"{cell}_sentiment")


def fit(
    model: keras.Model,
    train: Split,
    validation: Split,
    settings: Train,
    learning_rate: float,
    progress: keras.callbacks.Callback,
) -> tuple[pd.DataFrame, int]:
    """Fit `model` in place; return its history (a row per epoch) and the epoch (from 1) whose weights it has.

    The training columns are means over an epoch, with dropout and while weights change; the
    validation columns belong to the epoch's last weights.
    """
    model.compile(
        optimizer=keras.optimizers.get(
            {
                "class_name": settings.optimizer,
                "config": {"learning_rate": learning_rate, "global_clipnorm": settings.clip_norm},
            }
        ),
        loss="binary_crossentropy",
        metrics=["accuracy"],
    )
    callbacks = [progress]
    best = keras.callbacks.EarlyStopping(  # never stops early: it waits longer than there are epochs
        monitor="val_accuracy", mode="max", patience=settings.epochs + 1, restore_best_weights=True
    )
    if settings.keep == "best":
        callbacks.append(best)
    logs = model.fit(
        *train,
        validation_data=validation,
        batch_size=settings.batch_size,
        validation_batch_size=PREDICT_BATCH,
        epochs=settings.epochs,
        callbacks=callbacks,
        verbose=1 if sys.stdout.isatty() else 0,
    ).history
    history = pd.DataFrame(
        {
            "epoch": range(1, settings.epochs + 1),
            "train_loss": logs["loss"],
            "train_accuracy": logs["accuracy"],
            "validation_loss": logs["val_loss"],
            "validation_accuracy": logs["val_accuracy"],
        }
    )
    return history, best.best_epoch + 1 if settings.keep == "best" else settings.epochs


def probabilities(model: keras.Model, tokens: np.ndarray) -> np.ndarray:
    """Return float32 P(positive) per row of `tokens`."""
    return model.predict(tokens, batch_size=PREDICT_BATCH, verbose=0)[:, 0]


class Progress(keras.callbacks.Callback):
    """Prints one plain line per epoch."""

    def __init__(self, title: str, epochs: int) -> None:
        """`title` opens every line; `epochs` is how many there will be."""
        super().__init__()
        self.title, self.epochs = title, epochs

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Print the epoch's figures."""
        logs = logs or {}
        print(
            f"{self.title}: epoch {epoch + 1}/{self.epochs}, "
            f"loss {logs['loss']:.4f}, accuracy {logs['accuracy']:.4f}, "
            f"validation loss {logs['val_loss']:.4f}, accuracy {logs['val_accuracy']:.4f}",
            flush=True,
        )


def save_model(model: keras.Model, path: Path) -> None:
    """Write a `.keras` file that any Keras 3 opens and that is the same bytes for the same weights.

    Keras' own file holds the time of day, in its metadata and in the archive's table of contents, and
    in its configuration the memory addresses of objects that several layers share.
    """
    with tempfile.TemporaryDirectory() as scratch:
        dated = Path(scratch) / "model.keras"
        model.save(dated)
        with zipfile.ZipFile(dated) as source, zipfile.ZipFile(path, "w") as target:
            for name in sorted(source.namelist()):
                content = source.read(name)
                if name == "metadata.json":
                    content = re.sub(rb'(?<="date_saved": ")[^"]*', b"1980-01-01@00:00:00", content)
                if name == "config.json":
                    content = _numbered(content, rb'(?<="shared_object_id": )[0-9]+')
                target.writestr(zipfile.ZipInfo(name), content)  # dated 1980-01-01, as zip begins


def _numbered(text: bytes, pattern: bytes) -> bytes:
    """Replace what matches `pattern` by 1, 2, …: equal matches by equal numbers, in order of appearance."""
    numbers: dict[bytes, bytes] = {}
    return re.sub(pattern, lambda m: numbers.setdefault(m[0], b"%d" % (len(numbers) + 1)), text)
