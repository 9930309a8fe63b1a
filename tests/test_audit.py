"""What the audit counts, with answers worked out by hand."""

import json
from pathlib import Path

import numpy as np
import pytest

from stages import StageError
from stages.audit import HISTOGRAM, LENGTHS, audit, bins, describe, duplicates, reviews
from stages.download import flatten
from stages.runtime.files import RAW


def test_reviews_are_equal_where_their_tokens_are() -> None:
    # 1 and 256 are the same bytes in another order, and the last two have the same bytes when put together.
    tokens = np.array([1, 256, 256, 1, 1, 256, 7, 7, 7], np.int32)
    found = reviews(tokens, np.array([0, 2, 4, 6, 7, 9, 9]))
    assert len(found) == 6
    assert found[0] == found[2]
    assert len(set(found)) == 5
    assert found[5] == b""


def test_an_edge_is_the_longest_of_its_bin() -> None:
    assert bins(np.array([1, 10, 11, 20, 21, 999]), (10, 20)).tolist() == [0, 0, 1, 1, 2, 2]


def test_every_bin_is_one_digit() -> None:
    assert 1 <= len(LENGTHS) <= 9
    assert list(LENGTHS) == sorted(set(LENGTHS))


def test_describe() -> None:
    result = describe(np.array([40, 200, 60, 2000, 201]))
    assert result["tokens"] == {
        "mean": 500.2,
        "min": 40,
        "p5": 44,  # a fifth of the way from 40 to 60: the ranks are 0, 25, … 100 %
        "lower_quartile": 60,
        "median": 200,
        "upper_quartile": 201,
        "p95": 1640.2,
        "max": 2000,
    }
    assert result["longer"]["100"] == 0.6 and result["longer"]["200"] == 0.4
    assert sum(result["lengths"]) == sum(result["histogram"]) == 5
    assert len(result["lengths"]) == len(LENGTHS) + 1
    assert np.flatnonzero(result["histogram"]).tolist() == [0, 1, 3, 4, len(HISTOGRAM)]


def test_duplicates_and_their_labels() -> None:
    train, test = [b"a", b"b", b"b", b"c"], [b"b", b"x", b"a", b"c", b"a"]
    result = duplicates(train, np.array([0, 1, 0, 1], np.uint8), test, np.array([1, 1, 0, 1, 1], np.uint8))
    assert result["rows"] == [0, 2, 3, 4]
    assert result["rows_of_other_label"] == [0, 4]  # b has both labels in train, a has the other


def test_the_stage_keeps_the_order_of_the_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    RAW.mkdir(parents=True)
    arrays = {
        "train": flatten([[9] * 400, [5, 6], [5, 6]], [1, 0, 0]),
        "test": flatten([[5, 6], [7] * 100, [8] * 99, [9] * 400], [0, 0, 0, 1]),
    }
    for split, parts in arrays.items():
        for name, values in zip(("tokens", "offsets", "labels"), parts, strict=True):
            np.save(RAW / f"{split}_{name}.npy", values)
    (RAW / "word_index.json").write_text(json.dumps({"the": 1, "and": 2}))
    audit()
    result = json.loads(Path("reports/audit.json").read_text())
    assert result["word_index"] == 2
    assert result["test_lengths"] == "0104"  # the start counts: a hundred words are 101 tokens
    assert result["duplicates"] == {"rows": [0, 3], "rows_of_other_label": []}
    assert [result["train"][name] for name in ("reviews", "distinct", "positive")] == [3, 2, 0.3333]
    assert result["test"]["tokens"]["min"] == 3


def test_the_stage_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StageError, match=r"word_index.json does not exist: run the stages before this one"):
        audit()
