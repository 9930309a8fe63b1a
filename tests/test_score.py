"""What is measured on a run, with answers worked out by hand."""

from typing import Any

import numpy as np
import pytest

from stages.reviews.splitting import SHARED
from stages.runtime.errors import StageError
from stages.score import by_shared, measure, padding
from stages.scoring.packing import pack
from stages.scoring.provenance import common_provenance


def test_measure() -> None:
    labels = np.array([0, 0, 0, 1, 1], np.uint8)
    result = measure(labels, np.array([0.1, 0.6, 0.5, 0.9, 0.4], np.float32))
    assert result["confusion"] == [[2, 1], [1, 1]]  # one half itself counts as negative, as in Keras
    assert result["accuracy"] == 0.6
    assert result["f1"] == 0.5  # precision and recall are both one half
    assert result["loss"] == pytest.approx(-np.log([0.9, 0.4, 0.5, 0.9, 0.4]).mean(), abs=1e-5)
    assert result["auc"] == pytest.approx(4 / 6, abs=1e-5)  # of the 6 pairs, 4 are in the right order
    assert result["roc"][0] == 0.5 and result["roc"][-1] == 1.0
    assert len(result["roc"]) == 101
    assert result["correct"] == pack(np.array([True, False, True, True, False]))
    assert result["calibration"]["positive"] == [0] * 6 + [1] + [0] * 6 + [1, 0]  # P = 0.4 and 0.9


def test_measure_is_that_of_keras() -> None:
    import keras

    random = np.random.default_rng(0)
    labels, probabilities = random.integers(0, 2, 200), random.random(200).astype(np.float32)
    probabilities[:2] = 0, 1  # whose logarithm is minus infinity for one of the labels
    result = measure(labels, probabilities)
    loss = keras.losses.BinaryCrossentropy()(labels[:, None], probabilities[:, None])
    assert result["loss"] == pytest.approx(float(loss), abs=1e-4)
    metric = keras.metrics.BinaryAccuracy()
    metric.update_state(labels[:, None], probabilities[:, None])
    assert result["accuracy"] == pytest.approx(float(metric.result()), abs=1e-5)


def test_padding_counts_the_zeros() -> None:
    tokens = np.array([[1, 5, 0, 0], [1, 5, 6, 7], [1, 5, 6, 0]], np.int32)
    assert padding(tokens) == {"share_of_reviews": 0.6667, "mean_tokens": 1.0}


def test_accuracy_by_what_a_review_shares() -> None:
    assert SHARED == (1, 3)
    correct = np.array([True, False, True, True, False, True])
    assert by_shared(correct, np.array([0, 1, 1, 4, 90, 5])) == [
        {"reviews": 3, "accuracy": 0.66667},
        {"reviews": 0, "accuracy": None},
        {"reviews": 3, "accuracy": 0.66667},
    ]


def test_what_is_compared_was_made_with_the_same() -> None:
    shared = {"stages/networks/models.py": "1"}
    rnn: dict[str, Any] = {
        "code": {**shared, "stages/train_rnn.py": "2"},
        "packages": {"keras": "3.14.0"},
        "python": "3.11",
    }
    lstm = rnn | {"code": {**shared, "stages/train_lstm.py": "3"}}
    code = {**rnn["code"], "stages/train_lstm.py": "3"}
    assert common_provenance({"a": rnn, "b": lstm}) == {**rnn, "code": code}
    for other, said in (
        (
            {"packages": {"keras": "3.15.0"}},
            "a and b were trained with different versions: keras 3.14.0 and 3.15.0",
        ),
        ({"python": "3.12"}, "a and b were trained with different versions: Python 3.11 and 3.12"),
        (
            {"code": {"stages/networks/models.py": "4"}},
            "b was trained with another stages/networks/models.py ",
        ),
    ):
        with pytest.raises(StageError) as error:
            common_provenance({"a": rnn, "b": lstm | other})
        assert str(error.value).startswith(said)
