"""The download: what is accepted, in which order it is written, and what is said when nothing can be had."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from stages.download import count_words, fetch, flatten, read_archive
from stages.runtime.errors import StageError
from tests.conftest import ROOT, Project, sha256, write_archive
from tests.faults.downloads import serving


def test_flatten_orders_by_label_then_tokens() -> None:
    tokens, offsets, labels = flatten([[7, 8], [3], [7], [9, 9, 9]], [1, 1, 1, 0])
    assert tokens.tolist() == [9, 9, 9, 3, 7, 7, 8]
    assert offsets.tolist() == [0, 3, 4, 5, 7]
    assert labels.tolist() == [0, 1, 1, 1]
    assert [array.dtype.name for array in (tokens, offsets, labels)] == ["int32", "int64", "uint8"]


def test_a_shuffled_archive_gives_the_same_bytes(project: Project, mirror: Path, tmp_path: Path) -> None:
    with np.load(mirror / "imdb.npz", allow_pickle=True) as archive:
        arrays = {name: archive[name].tolist() for name in ("x_train", "y_train", "x_test", "y_test")}
    random = np.random.default_rng(0)
    for split in ("train", "test"):
        order = random.permutation(len(arrays[f"y_{split}"]))
        for name in (f"x_{split}", f"y_{split}"):
            arrays[name] = [arrays[name][i] for i in order]
    shuffled = tmp_path / "shuffled"
    shuffled.mkdir()
    write_archive(shuffled / "imdb.npz", **arrays)
    (shuffled / "imdb_word_index.json").write_bytes((mirror / "imdb_word_index.json").read_bytes())

    assert project.stage("download").returncode == 0
    first = {path.name: sha256(path) for path in (project.folder / "data/raw").iterdir()}
    download = project.params["download"]
    download["mirrors"] = [str(shuffled)]
    download["digests"]["archive"].append(sha256(shuffled / "imdb.npz"))
    project.save_params()
    assert project.stage("download").returncode == 0
    assert {path.name: sha256(path) for path in (project.folder / "data/raw").iterdir()} == first
    assert len(first) == 7


def test_the_output_needs_no_pickle(project: Project) -> None:
    assert project.stage("download").returncode == 0
    tokens, offsets = (np.load(project.folder / f"data/raw/train_{n}.npy") for n in ("tokens", "offsets"))
    assert len(offsets) == 121
    assert offsets[-1] == len(tokens)


def test_the_first_mirror_that_has_the_file_serves_it(mirror: Path) -> None:
    digest = sha256(mirror / "imdb.npz")
    with serving(mirror) as server:
        found = fetch("imdb.npz", ["no/folder", f"{server.address}/good/", str(mirror)], [digest])
        assert server.seen == ["/good/imdb.npz"]
    assert found == (mirror / "imdb.npz").read_bytes()


def test_every_mirror_that_failed_is_named_with_its_reason(project: Project, mirror: Path) -> None:
    empty = project.folder / "empty"
    empty.mkdir()
    refused = "http://127.0.0.1:9"
    project.params["download"]["mirrors"] = ["no/folder", str(empty), refused, str(mirror)]
    project.params["download"]["digests"]["archive"] = ["0" * 64]
    project.save_params()
    result = project.stage("download")
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    for said in (
        "no/folder: no such folder",
        f"{empty}: no such file",
        f"{refused}: not reachable (",
        f"{mirror}: wrong digest {sha256(mirror / 'imdb.npz')}",
        "add that folder to download.mirrors in params.yaml",
    ):
        assert said in result.stderr
    assert not list((project.folder / "data").glob("*raw*"))


def bad_archives(folder: Path) -> Iterator[tuple[str, str]]:
    """Write archives that are none; yield their names and what is said of them."""
    good = folder / "good.npz"
    write_archive(good, x_train=[[1]], y_train=[0], x_test=[[1]], y_test=[0])
    (folder / "truncated.npz").write_bytes(good.read_bytes()[:200])
    (folder / "nothing.npz").write_bytes(b"")
    (folder / "text.npz").write_text("<html>not found</html>")
    write_archive(folder / "lacking.npz", x_train=[[1]], y_train=[0], x_test=[[1]])
    write_archive(folder / "empty.npz", x_train=[], y_train=[], x_test=[[1]], y_test=[0])
    write_archive(folder / "uneven.npz", x_train=[[1]], y_train=[0, 1], x_test=[[1]], y_test=[0])
    write_archive(folder / "labels.npz", x_train=[[1]], y_train=[0], x_test=[[1]], y_test=[7])
    yield "truncated", "truncated or no NumPy archive"
    yield "nothing", "truncated or no NumPy archive"
    yield "text", "truncated or no NumPy archive"
    yield "lacking", "lacks an array: y_test"
    yield "empty", "holds no train reviews"
    yield "uneven", "holds 1 train reviews and 2 labels"
    yield "labels", "has test labels other than 0 and 1"


def test_an_archive_that_is_none_is_refused(tmp_path: Path) -> None:
    for name, said in bad_archives(tmp_path):
        with pytest.raises(StageError, match=said) as error:
            read_archive((tmp_path / f"{name}.npz").read_bytes(), words=1)
        assert len(str(error.value).splitlines()) == 1


def test_a_truncated_archive_leaves_nothing_behind(project: Project, mirror: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "imdb.npz").write_bytes((mirror / "imdb.npz").read_bytes()[:500])
    (broken / "imdb_word_index.json").write_bytes((mirror / "imdb_word_index.json").read_bytes())
    project.params["download"]["mirrors"] = [str(broken)]
    project.params["download"]["digests"]["archive"] = [sha256(broken / "imdb.npz")]
    project.save_params()
    result = project.stage("download")
    assert result.returncode == 1
    assert result.stderr.startswith("download: imdb.npz is truncated")
    assert len(result.stderr.splitlines()) == 1
    assert not list((project.folder / "data").glob("*raw*"))


def test_words_are_counted() -> None:
    assert count_words(b'{"b": 2, "a": 1}') == 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"the": "1"}',
        b'{"the": 1',
        b'{"the": 0}',
        b'{"the": 2}',
        b'{"the": true}',
        b'{"the": NaN}',
        b'{"the": 1, "a": 1}',
        b'{"\xff": 1}',
        b"[" * 100_000,
    ],
    ids=range(12),
)
def test_a_word_index_that_is_none_is_refused(content: bytes) -> None:
    with pytest.raises(StageError, match=r"imdb_word_index.json does not map words to the ranks 1, 2, …"):
        count_words(content)


def test_the_real_archive_where_it_is_at_hand() -> None:
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    words = count_words((folder / "imdb_word_index.json").read_bytes())
    assert words == 88584
    splits = read_archive((folder / "imdb.npz").read_bytes(), words)
    for split, mean in (("train", 238.71364), ("test", 230.8042)):  # as Keras gives them, start token and all
        reviews, labels = splits[split]
        tokens, offsets, ordered = flatten(reviews, labels)
        assert np.bincount(ordered).tolist() == [12500, 12500]
        assert (np.diff(offsets) + 1).mean() == pytest.approx(mean)
        assert tokens.min() == 1
