"""The models: their layers, how they predict, how they are saved.

`build_model` is the plain Keras form; `Network` computes the same faster.
"""

import os
import re
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # to TensorFlow, having no GPU is an error

import keras
import numpy as np
import tensorflow as tf

from stages.networks import recurrence
from stages.params.recipe import Lstm, Model, Rnn
from stages.runtime import processor
from stages.runtime.files import PADDING, damaged, missing_input

# GlobalMaxPooling1D knows no masks. It needs none here: a masked step's state is the one before.
warnings.filterwarnings("ignore", "Layer 'max' .* does not support masking")
# Whatever the user's ~/.keras/keras.json says.
keras.config.set_floatx("float32")
keras.config.set_epsilon(1e-7)

# The one difference between the two models: SimpleRNN computes h = tanh(W·[h,x] + b) at every token,
# LSTM adds a cell state and three gates.
LAYERS = {"rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM}
PREDICTED_AT_ONCE = 500  # reviews; shapes speed alone


def build_model(cell: str, num_words: int, settings: Model) -> keras.Sequential:
    """Return the notebook's architecture: embedding, one recurrent layer named `cell`, one sigmoid unit.

    int32 tokens (batch, length) in, float32 P(positive) (batch, 1) out.
    """
    pooled = settings.pooling != "last"
    layers = [
        keras.Input((None,), dtype="int32", name="tokens"),
        keras.layers.Embedding(
            num_words, settings.embedding_dim, mask_zero=settings.mask_zero, name="embedding"
        ),
        keras.layers.Dropout(settings.embedding_dropout, name="embedding_dropout"),
        keras.layers.Dropout(settings.word_dropout, noise_shape=(None, None, 1), name="word_dropout"),
        LAYERS[cell](settings.units, activation=settings.activation, return_sequences=pooled, name=cell),
        *_pooling(settings.pooling),
        keras.layers.Dropout(settings.output_dropout, name="output_dropout"),
        keras.layers.Dense(1, activation="sigmoid", name="positive"),
    ]
    layers = [layer for layer in layers if not isinstance(layer, keras.layers.Dropout) or layer.rate]
    return keras.Sequential(layers, name=f"{cell}_sentiment")


def _pooling(kind: str) -> list[keras.layers.Layer]:
    if kind == "mean":
        return [keras.layers.GlobalAveragePooling1D(name="mean")]
    if kind == "max":  # over the initial zeros, too: so padding that is skipped changes nothing
        return [keras.layers.GlobalMaxPooling1D(name="max"), keras.layers.ReLU(name="initial")]
    return []


class Network:
    """A Keras model, and the implementation of its recurrence.

    `keras` runs the model's own recurrent layer; `fused` runs `recurrence` with that layer's weights,
    compiled by XLA. Both give the same predictions and gradients within rounding.
    """

    def __init__(self, model: keras.Sequential, implementation: str) -> None:
        """Take one of `build_model`'s models, loaded or not, and keras or fused."""
        processor.warn()
        processor.keep_memory()
        self.model, self.fused = model, implementation == "fused"
        self.layers = {layer.name: layer for layer in model.layers}
        self.cell = next(layer for name, layer in self.layers.items() if name in LAYERS)
        self.pooling = next((kind for kind in ("mean", "max") if kind in self.layers), "last")
        self._table, self._predict = self.compiled(self.table), self.compiled(self.predict)

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

    def predict(self, *arguments: tf.Tensor | None) -> tf.Tensor:
        """Return P(positive) (batch,): the sigmoid of `logit`, which has the same arguments."""
        return tf.sigmoid(self.logit(*arguments))

    def logit(
        self,
        table: tf.Tensor,
        tokens: tf.Tensor,
        row_ids: tf.Tensor,
        dropout: tf.Tensor | None = None,
        occurrences: tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Return the logit (batch,) of reviews that are the rows `row_ids` (length, batch) of `table`.

        tokens (N,): which token each row of the table belongs to; padding is skipped where the model masks.
        dropout: what the pooled state is multiplied by. occurrences: zeros (length, batch, embedding_dim), as
        if added to the embedding of every occurrence, for its gradient.
        """
        mask = tf.gather(tokens, row_ids) != PADDING if self.layers["embedding"].mask_zero else None
        if self.fused:
            run = getattr(recurrence, self.cell.name)
            weights, activation = self.cell.cell.recurrent_kernel, self.cell.activation.__name__
            each = None if occurrences is None else (occurrences, self.cell.cell.kernel)
            state = run(table, row_ids, mask, weights, activation, self.pooling, each)
        else:
            mask = None if mask is None else tf.transpose(mask)
            rows = tf.gather(table, row_ids) + (0.0 if occurrences is None else occurrences)
            state = self.cell(tf.transpose(rows, (1, 0, 2)), mask=mask)
            if self.pooling == "mean":
                state = self.layers["mean"](state, mask=mask)
            elif self.pooling == "max":
                state = self.layers["initial"](self.layers["max"](state))
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
        result = np.empty(len(tokens), np.float32)
        by_length = np.argsort((tokens != PADDING).sum(axis=1), kind="stable")  # common padding is skipped
        for start in range(0, len(tokens), PREDICTED_AT_ONCE):
            rows = by_length[start : start + PREDICTED_AT_ONCE]
            result[rows] = self._predict(table, every_token, tokens[rows].T)
        return result


def new_network(
    cell: str,
    num_words: int,
    settings: Model,
    own: Rnn | Lstm,
    implementation: str,
    seed: int,
    vectors: np.ndarray | None = None,
) -> Network:
    """Return an untrained network, from which on everything random in this process follows from `seed`.

    own: what the cell has of its own. vectors: float32 (num_words, embedding_dim), which the embedding starts
    from where the settings have a `ppmi_window`.
    """
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    network = Network(build_model(cell, num_words, settings), implementation)
    recurrent = network.cell.cell.recurrent_kernel
    if isinstance(own, Rnn) and own.recurrent_initializer == "identity":
        recurrent.assign(np.eye(settings.units, dtype=np.float32))
    else:
        recurrent.assign(orthogonal(recurrent.shape, seed))
    if isinstance(own, Lstm) and own.chrono_t_max is not None:
        network.cell.cell.bias.assign(chrono_bias(settings.units, own.chrono_t_max, seed))
    if settings.ppmi_window is not None:
        network.layers["embedding"].set_weights([vectors])
    return network


def orthogonal(shape: tuple[int, int], seed: int) -> np.ndarray:
    """Return a random matrix with orthogonal rows or columns, float32, uniform among these.

    As `keras.initializers.Orthogonal` draws it, but by NumPy: TensorFlow's QR decomposition has other digits
    on processors with other caches.
    """
    gaussian = np.random.default_rng(seed).standard_normal((max(shape), min(shape)))
    q, r = np.linalg.qr(gaussian)
    q *= np.sign(np.diag(r))
    return (q if shape[0] >= shape[1] else q.T).astype(np.float32)


def chrono_bias(units: int, t_max: int, seed: int) -> np.ndarray:
    """Return float32 biases (4 * units,) of i, f, C̃ and o with which units remember for up to `t_max` steps.

    The forget gates' are log(u), the input gates' -log(u), with u uniform between 1 and t_max - 1, so that a
    unit at first forgets over some u steps. All others are 0. Chrono initialisation: Tallec & Ollivier, Can
    recurrent neural networks warp time?, 2018.
    """
    forget = np.log(np.random.default_rng([seed, t_max]).uniform(1, t_max - 1, units))
    return np.concatenate([-forget, forget, np.zeros(2 * units)]).astype(np.float32)


def load_network(path: Path, implementation: str) -> Network:
    """Return the network whose model a file holds; raise `StageError` where it is none of this project's."""
    if not path.is_file():
        raise missing_input(path)
    try:
        check_stored(path)
        return Network(keras.models.load_model(path), implementation)
    except Exception as error:  # Keras raises whatever the damage leads to
        raise damaged(path, error) from None


def check_stored(path: Path) -> None:
    """Raise `ValueError` where a file might unpack to more than its size: `save_model` compresses none."""
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.compress_type != zipfile.ZIP_STORED:
                raise ValueError(f"its {member.filename} is compressed")


def save_model(model: keras.Model, path: Path) -> None:
    """Write a `.keras` file that any Keras 3 opens and that is the same bytes for the same weights.

    Keras' own file holds the time of day, in its metadata and in the archive's table of contents, and
    in its configuration the memory addresses of objects that several layers share.
    """
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
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
