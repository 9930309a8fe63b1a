"""The nets: what they look like, how they answer, how they are saved."""

import os
import re
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # to TensorFlow, having no GPU is an error

import keras
import numpy as np
import tensorflow as tf

from stages.runtime import processor
from stages.networks import recurrence
from stages.reviews.word_vectors import word_vectors
from stages.runtime.files import PADDING
from stages.params.study import Model

# Whatever the user's ~/.keras/keras.json says.
keras.config.set_floatx("float32")
keras.config.set_epsilon(1e-7)

# The one difference between the two nets: SimpleRNN computes h = tanh(W·[h,x] + b) at every token,
# LSTM adds a cell state and three gates.
CELLS = {"rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM}
ANSWERED_AT_ONCE = 500  # reviews, where nothing is learned; shapes speed alone


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
    if settings.word_dropout:
        whole = (None, None, 1)
        layers.append(keras.layers.Dropout(settings.word_dropout, noise_shape=whole, name="word_dropout"))
    mean = settings.pooling == "mean"
    layers.append(
        CELLS[cell](settings.units, activation=settings.activation, return_sequences=mean, name=cell)
    )
    if mean:
        layers.append(keras.layers.GlobalAveragePooling1D(name="mean"))
    if settings.output_dropout:
        layers.append(keras.layers.Dropout(settings.output_dropout, name="output_dropout"))
    layers.append(keras.layers.Dense(1, activation="sigmoid", name="positive"))
    return keras.Sequential(layers, name=f"{cell}_sentiment")


class Net:
    """A Keras model, and the kernel that computes its recurrence.

    `keras` runs the model's own recurrent layer; `fused` runs `stages.networks.recurrence` with that layer's
    weights, compiled by XLA. Both give the same answers and gradients within rounding.
    """

    def __init__(self, model: keras.Sequential, kernel: str) -> None:
        """`model` is one of `build_model`'s, loaded from a file or not; `kernel` is keras or fused."""
        processor.warn()
        processor.keep_memory()
        self.model, self.fused = model, kernel == "fused"
        self.layers = {layer.name: layer for layer in model.layers}
        self.cell = next(layer for name, layer in self.layers.items() if name in CELLS)
        self._table, self._answer = self.compiled(self.table), self.compiled(self.answer)

    def compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return `function` as a graph, for `fused` compiled by XLA."""
        return tf.function(function, jit_compile=self.fused, autograph=False)

    def table(self, tokens: tf.Tensor, dropout: tf.Tensor | None = None) -> tf.Tensor:
        """Return what the recurrence reads for each of `tokens` (N,): one row per token.

        That is its embedding, times `dropout`; for `fused`, also times the cell's input weights.
        """
        rows = self.layers["embedding"](tokens)
        rows = rows if dropout is None else rows * dropout
        return recurrence.product(rows, self.cell.cell.kernel) + self.cell.cell.bias if self.fused else rows

    def answer(
        self,
        table: tf.Tensor,
        tokens: tf.Tensor,
        steps: tf.Tensor,
        dropout: tf.Tensor | None = None,
        occurrences: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Return P(positive) (batch,): the sigmoid of `logit`, which has the same arguments."""
        return tf.sigmoid(self.logit(table, tokens, steps, dropout, occurrences))

    def logit(
        self,
        table: tf.Tensor,
        tokens: tf.Tensor,
        steps: tf.Tensor,
        dropout: tf.Tensor | None = None,
        occurrences: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Return the logit (batch,) of reviews that read row `steps` (length, batch) of `table` in turn.

        `tokens` (N,) says which token each row stands for: the padding is skipped where the model masks.
        `occurrences` are zeros (length, batch, embedding width), as if added to the embeddings as they are
        read, for their gradient.
        """
        read = tf.gather(tokens, steps) != PADDING if self.layers["embedding"].mask_zero else None
        mean = self.layers.get("mean")
        if self.fused:
            run = getattr(recurrence, self.cell.name)
            weights, activation = self.cell.cell.recurrent_kernel, self.cell.activation.__name__
            each = None if occurrences is None else (occurrences, self.cell.cell.kernel)
            state = run(table, steps, read, weights, activation, bool(mean), each)
            if mean:
                number = steps.shape[0] if read is None else tf.reduce_sum(tf.cast(read, state.dtype), axis=0)
                state /= tf.reshape(tf.cast(number, state.dtype), (-1, 1))
        else:
            mask = None if read is None else tf.transpose(read)
            rows = tf.gather(table, steps) + (0.0 if occurrences is None else occurrences)
            state = self.cell(tf.transpose(rows, (1, 0, 2)), mask=mask)
            state = mean(state, mask=mask) if mean else state
        positive = self.layers["positive"]
        return ((state if dropout is None else state * dropout) @ positive.kernel + positive.bias)[:, 0]

    def dropout(self, rows: int, *names: str) -> tf.Tensor | None:
        """Draw what the dropout layers `names` make of `rows` rows of ones; None where the model has none.

        It is drawn outside of what XLA compiles, whose random numbers take a processor longer than all
        the rest.
        """
        layers = [self.layers[name] for name in names if name in self.layers]
        if not layers:
            return None
        ones = tf.ones((1, rows, layers[0].input.shape[-1]))
        for layer in layers:
            ones = layer(ones, training=True)
        return ones[0]

    def probabilities(self, tokens: np.ndarray) -> np.ndarray:
        """Return float32 P(positive) for each row of int32 `tokens` (reviews, length)."""
        every_token = np.arange(self.layers["embedding"].input_dim, dtype=np.int32)
        table = self._table(every_token)
        answers = np.empty(len(tokens), np.float32)
        by_length = np.argsort((tokens != PADDING).sum(axis=1), kind="stable")  # padding in common is skipped
        for start in range(0, len(tokens), ANSWERED_AT_ONCE):
            rows = by_length[start : start + ANSWERED_AT_ONCE]
            answers[rows] = self._answer(table, every_token, tokens[rows].T)
        return answers


def new_net(cell: str, vocabulary: int, settings: Model, kernel: str, seed: int, tokens: np.ndarray) -> Net:
    """Return an untrained net, from which on everything random in this process follows from `seed`.

    `tokens`, int32 (reviews, length), are those it will be trained on: its embedding may start from them.
    """
    window, vectors = settings.embedding_window, None
    if window is not None:  # before `Net` lets freed memory be kept: this frees much, once
        vectors = word_vectors(tokens, vocabulary, settings.embedding_width, window)
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    net = Net(build_model(cell, vocabulary, settings), kernel)
    recurrent = net.cell.cell.recurrent_kernel
    recurrent.assign(orthogonal(recurrent.shape, seed))
    if vectors is not None:
        net.layers["embedding"].set_weights([vectors])
    return net


def orthogonal(shape: tuple[int, int], seed: int) -> np.ndarray:
    """Return a random matrix with orthogonal rows or columns, float32, uniform among these.

    As `keras.initializers.Orthogonal` draws it, but by NumPy: TensorFlow's QR decomposition has other digits
    on processors with other caches.
    """
    gaussian = np.random.default_rng(seed).standard_normal((max(shape), min(shape)))
    q, r = np.linalg.qr(gaussian)
    q *= np.sign(np.diag(r))
    return (q if shape[0] >= shape[1] else q.T).astype(np.float32)


def load_net(path: Path, kernel: str) -> Net:
    """Return the net whose model a file holds."""
    return Net(keras.models.load_model(path), kernel)


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
