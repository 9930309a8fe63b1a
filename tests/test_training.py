"""Fitting and checkpoints, on a handful of tokens, with both implementations and against Keras' own `fit`."""

import re
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from stages.networks.batches import POOL, batch_order, max_unique, trimmed, unique
from stages.networks.models import Network, build_model
from stages.networks.training import Fitted, cross_entropy, fit, new_optimizer, train_step
from stages.params.recipe import Train
from stages.runtime.errors import StageError
from stages.runtime.files import Split
from tests.conftest import SMALL

NUM_WORDS = 10
SETTINGS = Train(
    optimizer="adam",
    epsilon=1e-7,
    global_clipnorm=1.0,
    embedding_gradients="coalesced",
    batch_size=8,
    bucketing=False,
    epochs=3,
    ema_momentum=None,
    checkpoint="last",
    implementation="fused",
)
CELLS = pytest.mark.parametrize("cell", ["rnn", "lstm"])


def small_split(seed: int, reviews: int = 32) -> Split:
    """Return reviews of 1 to 5 tokens, zeros before them, and labels that their last token gives."""
    random = np.random.default_rng(seed)
    tokens = random.integers(3, NUM_WORDS, size=(reviews, 5), dtype=np.int32)
    tokens[np.arange(5) < random.integers(0, 5, (reviews, 1))] = 0
    return Split(tokens, (tokens[:, 4] > 6).astype(np.uint8))


def small_fit(
    cell: str, seed: int = 0, train: Split | None = None, model: dict[str, Any] | None = None, **changes: Any
) -> tuple[Network, Fitted]:
    keras.utils.set_random_seed(seed)
    settings = SETTINGS.model_copy(update=changes)
    network = Network(
        build_model(cell, NUM_WORDS, SMALL.model_copy(update=model or {})), settings.implementation
    )
    return network, fit(network, train or small_split(1), small_split(2), settings, 0.05, seed, "test")


@CELLS
@pytest.mark.parametrize("implementation", ["keras", "fused"])
@pytest.mark.parametrize(
    ("optimizer", "gradient", "global_clipnorm"),
    [
        ("adam", "per_occurrence", 1.0),
        ("adam", "per_occurrence", None),
        ("adam", "coalesced", 1.0),
        ("rmsprop", "per_occurrence", 1.0),
        ("sgd", "coalesced", 1.0),
    ],
)
def test_fitting_is_keras_fit(
    cell: str, implementation: str, optimizer: str, gradient: str, global_clipnorm: float | None
) -> None:
    """By occurrence as with Keras' embedding; summed as with one-hot tokens, whose gradient is dense."""
    train = small_split(1, reviews=29)  # the last batch is a small one
    network, fitted = small_fit(
        cell,
        train=train,
        optimizer=optimizer,
        embedding_gradients=gradient,
        global_clipnorm=global_clipnorm,
        implementation=implementation,
        epochs=2,
    )
    keras.utils.set_random_seed(0)
    theirs, tokens = build_model(cell, NUM_WORDS, SMALL), train.tokens
    if gradient == "coalesced":
        matrix = keras.layers.Dense(SMALL.embedding_dim, use_bias=False)
        tokens = np.eye(NUM_WORDS, dtype=np.float32)[tokens]
        embedding, *others = theirs.layers
        theirs = keras.Sequential([keras.Input(tokens.shape[1:]), matrix, *others])
        matrix.set_weights(embedding.get_weights())
    rule = {"class_name": optimizer, "config": {"learning_rate": 0.05, "global_clipnorm": global_clipnorm}}
    theirs.compile(keras.optimizers.get(rule), loss="binary_crossentropy", metrics=["accuracy"])
    for epoch, steps in enumerate(batch_order(np.full(29, 5), SETTINGS.model_copy(update={"epochs": 2}), 0)):
        rows = steps.ravel()[:29]
        logs = theirs.fit(tokens[rows], train.labels[rows], batch_size=8, shuffle=False, verbose=0).history
        assert fitted.history[epoch]["train_loss"] == pytest.approx(logs["loss"][0], abs=1e-5)
        assert fitted.history[epoch]["train_accuracy"] == pytest.approx(logs["accuracy"][0], abs=1e-5)
    for ours, plain in zip(network.model.get_weights(), theirs.get_weights(), strict=True):
        assert ours == pytest.approx(plain, abs=1e-5)


def test_keras_squares_the_parts_of_a_sparse_gradient_one_by_one() -> None:
    """Token 1, read twice, gets 1 + 3 as its gradient, and Keras' Adam keeps 1² + 3² as its square."""
    embedding = keras.layers.Embedding(2, 1)
    embedding.build()
    adam = keras.optimizers.Adam(beta_2=0.999)
    adam.build(embedding.trainable_variables)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(embedding(tf.constant([1, 1])) * tf.constant([[1.0], [3.0]]))
    (sparse,) = tape.gradient(loss, embedding.trainable_variables)
    adam.apply([sparse], embedding.trainable_variables)
    (second_moment,) = (each for each in adam.variables if each.path.endswith("velocity"))
    assert second_moment.numpy()[1] == pytest.approx(0.001 * (1**2 + 3**2))
    assert tf.convert_to_tensor(sparse).numpy()[1] == 1 + 3


@CELLS
@pytest.mark.parametrize(("bucketing", "gradient"), [(False, "per_occurrence"), (True, "coalesced")])
def test_both_implementations_give_the_same_loss_curve(cell: str, bucketing: bool, gradient: str) -> None:
    parts: dict[str, Any] = {"mask_zero": False, "embedding_dropout": 0.3, "output_dropout": 0.3}
    parts |= {"mask_zero": True, "word_dropout": 0.1, "pooling": "mean"} if bucketing else {}
    changes: dict[str, Any] = {"bucketing": bucketing, "embedding_gradients": gradient}
    (ours, fused), (theirs, stock) = (
        small_fit(cell, train=small_split(1, 300), model=parts, implementation=implementation, **changes)
        for implementation in ("fused", "keras")
    )
    for one, other in zip(fused.history, stock.history, strict=True):
        assert one == pytest.approx(other, abs=1e-4)
    assert fused.probabilities == pytest.approx(stock.probabilities, abs=1e-4)
    for one, other in zip(ours.model.get_weights(), theirs.model.get_weights(), strict=True):
        assert one == pytest.approx(other, abs=1e-3)


@CELLS
def test_training_changes_every_weight(cell: str) -> None:
    keras.utils.set_random_seed(0)
    before = [weight.numpy() for weight in build_model(cell, NUM_WORDS, SMALL).weights]
    network, _ = small_fit(cell)
    for old, new in zip(before, network.model.weights, strict=True):
        assert not np.array_equal(old, new.numpy()), new.path


@CELLS
def test_the_same_seed_gives_the_same_weights(cell: str) -> None:
    parts = {"embedding_dropout": 0.3, "output_dropout": 0.3}
    first, again, other = (small_fit(cell, seed, model=parts)[0].model.get_weights() for seed in (0, 0, 1))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


@CELLS
@pytest.mark.parametrize("checkpoint", ["last", "best"])
def test_the_kept_epochs_weights_are_the_networks(cell: str, checkpoint: str) -> None:
    network, fitted = small_fit(cell, checkpoint=checkpoint, epochs=6)
    assert [row["epoch"] for row in fitted.history] == [1, 2, 3, 4, 5, 6]
    best = int(np.argmax([row["validation_accuracy"] for row in fitted.history])) + 1  # the first of equals
    assert fitted.kept_epoch == (6 if checkpoint == "last" else best)
    tokens, labels = small_split(2)
    assert np.array_equal(network.probabilities(tokens), fitted.probabilities)
    kept = fitted.history[fitted.kept_epoch - 1]
    assert kept["validation_accuracy"] == pytest.approx(((fitted.probabilities > 0.5) == labels).mean())
    loss = keras.losses.binary_crossentropy(labels.astype(np.float32), fitted.probabilities)
    assert kept["validation_loss"] == pytest.approx(float(loss), abs=1e-5)


@CELLS
def test_averaged_weights_are_the_mean_of_the_steps(cell: str) -> None:
    """One epoch of four steps: each step's weights, from fits that end there, averaged by hand."""
    train = small_split(1)
    network, fitted = small_fit(cell, train=train, epochs=1, ema_momentum=0.5)
    rows = batch_order(np.full(32, 5), SETTINGS.model_copy(update={"epochs": 1}), 0)[0]
    keras.utils.set_random_seed(0)
    stepped = Network(build_model(cell, NUM_WORDS, SMALL), "fused")
    step = train_step(stepped, new_optimizer(stepped, SETTINGS, 0.05), SETTINGS)
    mean = None
    for each in rows:
        sample_weight, labels = np.ones(8, np.float32), train.labels[each].astype(np.float32)
        step(*unique(train.tokens[each], NUM_WORDS, NUM_WORDS), labels, sample_weight, None, None)
        now = stepped.model.get_weights()
        mean = now if mean is None else [(a + b) / 2 for a, b in zip(mean, now, strict=True)]
    for ours, theirs in zip(network.model.get_weights(), mean or [], strict=True):
        assert ours == pytest.approx(theirs, abs=1e-6)
    assert np.array_equal(network.probabilities(small_split(2).tokens), fitted.probabilities)


@CELLS
def test_averaging_changes_what_is_predicted_and_not_what_is_learned(cell: str) -> None:
    (_, plain), (_, averaged) = (small_fit(cell, ema_momentum=each) for each in (None, 0.9))
    for one, other in zip(plain.history, averaged.history, strict=True):
        assert one["train_loss"] == other["train_loss"]
    assert not np.array_equal(plain.probabilities, averaged.probabilities)


def test_nothing_is_printed_unless_verbose(capsys: pytest.CaptureFixture[str]) -> None:
    settings = SETTINGS.model_copy(update={"epochs": 1})
    network = Network(build_model("rnn", NUM_WORDS, SMALL), "fused")
    fit(network, small_split(1), small_split(2), settings, 0.05, 0, "test", verbose=False)
    assert capsys.readouterr() == ("", "")


@pytest.mark.fault(
    "weights of an {cell} that are not numbers, `{implementation}`",
    "training stops at that step, and names epoch, step and what to lower",
    "the former run",
)
@CELLS
@pytest.mark.parametrize("implementation", ["keras", "fused"])
def test_a_loss_that_is_not_finite_stops_at_once(cell: str, implementation: str) -> None:
    keras.utils.set_random_seed(0)
    settings = SETTINGS.model_copy(update={"implementation": implementation, "global_clipnorm": None})
    network = Network(build_model(cell, NUM_WORDS, SMALL), implementation)
    kernel = network.layers["positive"].kernel
    calls = 0

    def broken(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 6:  # of the four steps an epoch has, the second's second
            kernel.assign(np.full(kernel.shape, np.nan))
        return step(*arguments)

    step = train_step(network, new_optimizer(network, settings, 0.05), settings)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(StageError) as error:
        patch.setattr("stages.networks.training.train_step", lambda *_: broken)
        fit(network, small_split(1), small_split(2), settings, 0.05, 0, "test")
    assert str(error.value) == (
        "test: epoch 2/3, step 2: the loss is nan. Lower the learning rate (0.05), or clip gradients with "
        "train.global_clipnorm (null)"
    )
    assert calls == 6


def test_a_learning_rate_of_a_million_is_stopped() -> None:
    with pytest.raises(StageError, match=r"epoch \d/3, step \d+: the loss is (nan|inf)"):
        keras.utils.set_random_seed(0)
        settings = SETTINGS.model_copy(update={"optimizer": "sgd", "global_clipnorm": None})
        network = Network(
            build_model("rnn", NUM_WORDS, SMALL.model_copy(update={"activation": "relu"})), "fused"
        )
        fit(network, small_split(1), small_split(2), settings, 1e30, 0, "test")


def test_weights_that_the_last_step_broke_are_not_kept() -> None:
    """No training loss was computed with them: the validation loss is."""
    keras.utils.set_random_seed(0)
    settings = SETTINGS.model_copy(update={"optimizer": "sgd", "global_clipnorm": None, "epochs": 1})
    network = Network(build_model("rnn", NUM_WORDS, SMALL), "keras")
    one_batch = Split(*(each[: settings.batch_size] for each in small_split(1)))
    with pytest.raises(StageError) as error:
        fit(network, one_batch, small_split(2), settings, float("inf"), 0, "test", verbose=False)
    assert str(error.value) == (
        "test: epoch 1/1: the validation loss is nan. Lower the learning rate (inf), "
        "or clip gradients with train.global_clipnorm (null)"
    )


def test_the_history_is_one_plain_line_per_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    _, fitted = small_fit("rnn")
    output = capsys.readouterr()
    lines = output.out.splitlines()
    assert len(lines) == 3
    assert lines[1].startswith(f"test: epoch 2/3, loss {fitted.history[1]['train_loss']:.4f}, accuracy ")
    assert "epoch" not in output.err  # the bar is for terminals


def test_a_certain_and_wrong_prediction_costs_a_finite_loss() -> None:
    assert cross_entropy(np.array([1, 0]), np.array([0.5, 0.25], np.float32)) == pytest.approx(
        np.log([2, 4 / 3]).mean()
    )
    assert cross_entropy(np.array([1]), np.array([0], np.float32)) == pytest.approx(-np.log(1e-7))


@pytest.mark.parametrize(
    ("row", "kept"),
    [
        ([0, 0, 0, 0, 0, 0, 3, 4], [3, 4]),
        ([0, 0, 0, 0, 0, 3, 4, 5], [0, 3, 4, 5]),
        ([3, 4, 0, 0, 0, 0, 0, 0], [3, 4]),
        ([0, 0, 3, 0, 0, 4, 0, 0], [3, 0, 0, 4]),
        ([0, 0, 0, 3, 4, 5, 6, 7], [0, 0, 0, 3, 4, 5, 6, 7]),
        ([0, 0, 0, 0, 0, 0, 0, 0], [0]),
    ],
)
def test_padding_that_all_rows_share_is_halved_away(row: list[int], kept: list[int]) -> None:
    shorter = [0 if token == max(row) else token for token in row]
    assert trimmed(np.array([shorter, row]))[1].tolist() == kept


@CELLS
def test_trimming_changes_nothing_but_rounding(cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = {"mask_zero": True, "pooling": "mean"}
    short = small_split(1)
    short.tokens[:16, :4] = 0  # with bucketing, some of one token alone
    trim, fitted = small_fit(cell, train=short, model=model, bucketing=True)
    seen: list[np.ndarray] = []

    def untrimmed(tokens: np.ndarray) -> np.ndarray:
        seen.append(tokens)
        return tokens

    monkeypatch.setattr("stages.networks.training.trimmed", untrimmed)
    whole, other = small_fit(cell, train=short, model=model, bucketing=True)
    assert any(trimmed(tokens).shape[1] < 5 for tokens in seen)
    assert fitted.history[-1] == pytest.approx(other.history[-1], abs=1e-5)
    for one, each in zip(trim.model.get_weights(), whole.model.get_weights(), strict=True):
        assert one == pytest.approx(each, abs=1e-4)


@pytest.mark.parametrize("bucketing", [False, True])
def test_every_epoch_reads_each_review_once_in_an_order_of_its_own(bucketing: bool) -> None:
    settings = SETTINGS.model_copy(update={"bucketing": bucketing, "epochs": 4})
    lengths = np.random.default_rng(0).integers(1, 200, 1001)
    read = batch_order(lengths, settings, seed=0)
    assert read.shape == (4, 126, 8)
    assert (np.sort(read.reshape(4, -1)) == np.repeat([-1, *range(1001)], [7] + [1] * 1001)).all()
    assert len({epoch.tobytes() for epoch in read}) == 4
    assert np.array_equal(read, batch_order(lengths, settings, seed=0))
    assert not np.array_equal(read, batch_order(lengths, settings, seed=1))


def test_bucketing_leaves_little_padding_in_the_batches() -> None:
    lengths = np.random.default_rng(0).integers(1, 200, 8 * 3 * POOL)

    def padding(bucketing: bool) -> float:
        read = lengths[batch_order(lengths, SETTINGS.model_copy(update={"bucketing": bucketing}), seed=0)]
        return 1 - read.mean() / read.max(axis=-1).mean()

    assert padding(True) < 0.05 < 0.4 < padding(False)


def test_unique_tokens_and_their_inverse() -> None:
    tokens = np.array([[0, 5, 3], [3, 3, 9]], np.int32)
    found, row_ids = unique(tokens, NUM_WORDS, size=6)
    assert found.tolist() == [0, 3, 5, 9, 0, 0]
    assert row_ids.tolist() == [[0, 1], [2, 1], [1, 3]]
    assert found.dtype == row_ids.dtype == np.int32
    assert np.array_equal(found[row_ids].T, tokens)
    assert max_unique(tokens, np.array([[[0, -1], [1, 1]]])) == 4


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop"])
def test_epsilon_holds_back_weights_of_which_there_is_little_evidence(optimizer: str) -> None:
    """Between 1e-7 and 1 the step falls to about the gradient times the rate, as sgd's is."""
    moved = {}
    for epsilon in (1e-7, 1.0):
        network, _ = small_fit("rnn", optimizer=optimizer, epsilon=epsilon, epochs=1)
        keras.utils.set_random_seed(0)
        before = build_model("rnn", NUM_WORDS, SMALL).get_weights()
        moved[epsilon] = max(
            abs(a - b).max() for a, b in zip(network.model.get_weights(), before, strict=True)
        )
    assert moved[1.0] < 0.1 * moved[1e-7]


def test_sgd_has_no_epsilon() -> None:
    first, other = (small_fit("rnn", optimizer="sgd", epsilon=each)[1] for each in (1e-7, 1.0))
    assert first.history == other.history


@CELLS
@pytest.mark.parametrize("kind", ["coalesced", "per_occurrence"])
def test_no_product_has_a_transposed_matrix_on_the_left(cell: str, kind: str) -> None:
    """Such products depend on the processor's caches; those with a vector do not."""
    settings = SETTINGS.model_copy(update={"embedding_gradients": kind})
    network = Network(build_model(cell, NUM_WORDS, SMALL.model_copy(update={"mask_zero": True})), "fused")
    step: Any = train_step(network, new_optimizer(network, settings, 0.05), settings)
    found, row_ids = unique(small_split(1).tokens[:8], NUM_WORDS, 8)
    ones = np.ones(8, np.float32)
    compiled = step.experimental_get_compiler_ir(found, row_ids, ones, ones, None, None)(
        stage="optimized_hlo"
    )
    products = re.findall(r"f32\[([\d,]*)\]\S* dot\(.*lhs_contracting_dims={(\d)}", compiled)
    of_matrices = [left for shape, left in products if "," in shape]
    assert len(of_matrices) >= 5 and set(of_matrices) == {"1"}
