"""What is timed: training steps and predictions of stock Keras, of PyTorch and of this pipeline."""

from collections.abc import Callable
from typing import Any

import numpy as np

from stages.params.recipe import Recipe

PREDICTED_AT_ONCE = 500  # reviews, by every implementation

Step = Callable[[np.ndarray, np.ndarray], float]  # tokens (batch, length), labels (batch,) → mean loss
Predict = Callable[[np.ndarray], np.ndarray]  # tokens (reviews, length) → P(positive) (reviews,)
Part = Callable[[int], Any]


def keras(recipe: Recipe, cell: str, batches: list[np.ndarray]) -> tuple[Step, Predict]:
    """Return stock Keras' training step and its `predict`."""
    from stages.networks.models import build_model

    model = build_model(cell, recipe.pad.num_words, recipe.model)
    model.compile("adam", "binary_crossentropy")
    return (
        lambda tokens, labels: float(model.train_on_batch(tokens, labels)),
        lambda tokens: model.predict(tokens, batch_size=PREDICTED_AT_ONCE, verbose=0)[:, 0],
    )


def pytorch(recipe: Recipe, cell: str, batches: list[np.ndarray]) -> tuple[Step, Predict]:
    """Return PyTorch's training step and its predictions, with models of the same shape."""
    import torch

    # As TensorFlow does: an RNN's gradients vanish into denormal numbers, which take several times as long.
    torch.set_flush_denormal(True)
    width, units = recipe.model.embedding_dim, recipe.model.units
    embedding = torch.nn.Embedding(recipe.pad.num_words, width)
    layer = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM}[cell](width, units, batch_first=True)
    positive = torch.nn.Linear(units, 1)
    optimizer = torch.optim.Adam([*embedding.parameters(), *layer.parameters(), *positive.parameters()])

    def logits(tokens: np.ndarray) -> Any:
        states, _ = layer(embedding(torch.from_numpy(tokens)))
        return positive(states[:, -1])[:, 0]

    def step(tokens: np.ndarray, labels: np.ndarray) -> float:
        optimizer.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits(tokens), torch.from_numpy(labels))
        loss.backward()
        optimizer.step()
        return loss.item()

    def predict(tokens: np.ndarray) -> np.ndarray:
        starts = range(0, len(tokens), PREDICTED_AT_ONCE)
        with torch.no_grad():
            predicted = [torch.sigmoid(logits(tokens[i : i + PREDICTED_AT_ONCE])) for i in starts]
        return torch.cat(predicted).numpy()

    return step, predict


def fused(recipe: Recipe, cell: str, batches: list[np.ndarray]) -> tuple[Step, Predict]:
    """Return this pipeline's training step and its predictions."""
    from stages.networks.batches import unique
    from stages.networks.models import Network, build_model
    from stages.networks.training import new_optimizer, train_step

    num_words = recipe.pad.num_words
    network = Network(build_model(cell, num_words, recipe.model), "fused")
    optimizer = new_optimizer(network, recipe.train, recipe.own(cell).learning_rate)
    train = train_step(network, optimizer, recipe.train)
    size = max(len(np.unique(tokens)) for tokens in batches)

    def step(tokens: np.ndarray, labels: np.ndarray) -> float:
        loss, _ = train(*unique(tokens, num_words, size), labels, np.ones_like(labels), None, None)
        return float(loss) / len(labels)

    return step, network.probabilities


def coalesced(recipe: Recipe, cell: str, batches: list[np.ndarray]) -> tuple[Step, Predict]:
    """Return this pipeline's training step where a token's gradients are added up first, as in PyTorch."""
    train = recipe.train.model_copy(update={"embedding_gradients": "coalesced"})
    return fused(recipe.model_copy(update={"train": train}), cell, batches)


# `fused` computes what Keras computes and `coalesced` what PyTorch does: train.embedding_gradients.
IMPLEMENTATIONS = {"keras": keras, "pytorch": pytorch, "fused": fused, "coalesced": coalesced}
# What a fresh process imports; `coalesced` is like `fused` there.
IMPORTS = {"keras": "keras", "pytorch": "torch", "fused": "stages.networks.training"}

PARTS = (
    "unique tokens",
    "their input product",
    "the recurrence forward",
    "all backward",
    "the optimizer and the rest",
)


def parts(recipe: Recipe, cell: str, tokens: np.ndarray, labels: np.ndarray) -> dict[str, Part]:
    """Return a training step of `coalesced` cut off after each of its parts: each includes those before."""
    import tensorflow as tf
    from keras.losses import binary_crossentropy

    from stages.networks.batches import unique
    from stages.networks.models import Network, build_model

    num_words, size = recipe.pad.num_words, len(np.unique(tokens))
    network = Network(build_model(cell, num_words, recipe.model), "fused")
    step, _ = coalesced(recipe, cell, [tokens])
    inputs = [tf.constant(each) for each in unique(tokens, num_words, size)]

    def predicted(tokens: tf.Tensor, row_ids: tf.Tensor) -> tf.Tensor:
        return network.predict(network.table(tokens), tokens, row_ids)

    def gradients(tokens: tf.Tensor, row_ids: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            losses = binary_crossentropy(labels[:, None], predicted(tokens, row_ids)[:, None])
            loss = tf.reduce_mean(losses)
        return [tf.convert_to_tensor(each) for each in tape.gradient(loss, network.model.trainable_variables)]

    table, forward, backward = (network.compiled(each) for each in (network.table, predicted, gradients))
    functions = (
        lambda _: unique(tokens, num_words, size),
        lambda _: table(inputs[0]),
        lambda _: forward(*inputs),
        lambda _: backward(*inputs),
        lambda _: step(tokens, labels),
    )
    return dict(zip(PARTS, functions, strict=True))
