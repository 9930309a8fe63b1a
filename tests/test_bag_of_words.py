"""The baseline: what it reads, how C is chosen, and that the test reviews have no say in it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

from stages.bag_of_words import bag_of_words, cut, evaluate, fit, texts
from stages.download import flatten
from stages.film_groups import film_groups
from stages.runtime.errors import StageError
from stages.runtime.files import RAW
from stages.scoring.packing import unpack
from tests.conftest import generated_reviews

REPORT = Path("reports/bag_of_words.json")
# What comes first decides: each single word occurs in every review once.
ORDERED = np.array(["1 8 9", "1 9 8"] * 10, object), np.array([0, 1] * 10)


@pytest.fixture
def params(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_params: dict[str, Any]) -> dict[str, Any]:
    """Parameters, generated reviews and their film groups in a folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    save(small_params)
    RAW.mkdir(parents=True)
    for split, number in (("train", 120), ("test", 60)):
        parts = flatten(*generated_reviews(number, seed=number))
        for name, values in zip(("tokens", "offsets", "labels"), parts, strict=True):
            np.save(RAW / f"{split}_{name}.npy", values)
    film_groups()
    return small_params


def save(params: dict[str, Any]) -> None:
    with Path("params.yaml").open("w") as file:
        YAML(typ="safe", pure=True).dump(params, file)


@pytest.mark.parametrize(
    ("truncating", "expected"), [("pre", [3, 4, 5, 1, 1, 2]), ("post", [1, 3, 4, 1, 1, 2])]
)
def test_cut_leaves_no_padding(truncating: str, expected: list[int]) -> None:
    tokens, offsets = np.array([1, 3, 4, 5, 1, 1, 2], np.int32), np.array([0, 4, 5, 7])
    kept, ends = cut(tokens, offsets, 3, truncating)
    assert kept.tolist() == expected
    assert ends.tolist() == [0, 3, 4, 6]


def test_texts_hold_every_token() -> None:
    found = texts(np.array([1, 23, 4, 1, 2]), np.array([0, 3, 3, 5]))
    assert found.tolist() == ["1 23 4", "", "1 2"]


def test_only_pairs_know_an_order() -> None:
    accuracies = {longest: fit(ORDERED, ORDERED, longest, [10.0]).candidates[10.0] for longest in (1, 2)}
    assert accuracies == {1: 0.5, 2: 1.0}


def test_features_occur_in_two_train_reviews() -> None:
    reviews = np.array(["1 8 8 7", "1 9", "1 9"], object)
    fitted = fit((reviews, np.array([0, 1, 1])), (reviews, np.array([0, 1, 1])), 2, [1.0])
    assert sorted(fitted.vectoriser.vocabulary_) == ["1", "1 9", "9"]


def test_c_is_that_of_the_highest_validation_accuracy() -> None:
    # So strong a regularisation that the few are answered like the many.
    reviews = np.array(["1 8"] * 9 + ["1 9"] * 3, object)
    labels = np.array([0] * 9 + [1] * 3)
    fitted = fit((reviews, labels), (reviews, labels), 1, [0.001, 100.0, 1000.0])
    assert fitted.candidates == {0.001: 0.75, 100.0: 1.0, 1000.0: 1.0}
    assert fitted.model.C == 100.0  # the first of two that are equal


def test_which_reviews_are_correct() -> None:
    fitted = fit(ORDERED, ORDERED, 2, [10.0])
    result = evaluate(fitted, np.array(["1 9 8", "1 9 8", "1 8 9"], object), np.array([1, 0, 0]))
    assert unpack(result.pop("correct"), 3).tolist() == [True, False, True]
    assert result.pop("calibration")["reviews"] == [1, *[0] * 13, 2]
    assert result == {
        "features": 7,  # 1, 8, 9 and 1 8, 1 9, 8 9, 9 8
        "candidates": [{"C": 10.0, "validation_accuracy": 1.0}],
        "C": 10.0,
        "validation_accuracy": 1.0,
        "test_accuracy": 0.66667,
    }


def test_the_stage_writes_four_variants(params: dict[str, Any]) -> None:
    bag_of_words()
    first = REPORT.read_text()
    variants = json.loads(first)
    assert [
        [variant[name] for name in ("words", "tokens", "maxlen", "num_words")] for variant in variants
    ] == [
        ["single", "cut", 20, 40],
        ["pairs", "cut", 20, 40],
        ["single", "whole", None, 40],
        ["pairs", "whole", None, 40],
    ]
    for variant in variants:
        assert unpack(variant["correct"], 60).mean() == pytest.approx(variant["test_accuracy"], abs=1e-5)
        best = max(variant["candidates"], key=lambda candidate: candidate["validation_accuracy"])
        assert best["C"] == variant["C"]
        assert best["validation_accuracy"] == variant["validation_accuracy"]
    # A single word decides, and what is cut off may hold it.
    assert variants[0]["test_accuracy"] < variants[2]["test_accuracy"] > 0.9
    bag_of_words()
    assert REPORT.read_text() == first


def test_the_test_reviews_choose_nothing(params: dict[str, Any]) -> None:
    bag_of_words()
    before = json.loads(REPORT.read_text())
    labels = np.load(RAW / "test_labels.npy")
    np.save(RAW / "test_labels.npy", 1 - labels)
    bag_of_words()
    for old, new in zip(before, json.loads(REPORT.read_text()), strict=True):
        assert (unpack(old.pop("correct"), 60) != unpack(new.pop("correct"), 60)).all()
        assert old.pop("calibration")["reviews"] == new.pop("calibration")["reviews"]
        assert old.pop("test_accuracy") + new.pop("test_accuracy") == pytest.approx(1)
        assert old == new


def test_the_stage_names_a_share_that_cannot_be_met(params: dict[str, Any]) -> None:
    pad = params["tuned"]["pad"] | {"validation_split": 0.001}
    save(params | {"tuned": params["tuned"] | {"pad": pad}})
    with pytest.raises(StageError, match=r"^tuned.pad.validation_split = 0.001 cannot be met: "):
        bag_of_words()


def test_the_stage_says_what_is_missing(params: dict[str, Any]) -> None:
    (RAW / "test_tokens.npy").unlink()
    with pytest.raises(StageError, match=r"test_tokens.npy does not exist: run the stages before this one"):
        bag_of_words()
