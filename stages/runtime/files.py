"""How files get onto disk, whole or not at all and the same bytes every time, and back again."""

import io
import json
import os
import shutil
import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from stages.runtime.errors import StageError

RAW = Path("data/raw")
FILM_GROUPS = Path("data/film_groups.npy")
PADDED = Path("data/padded")
WORD_VECTORS = Path("data/word_vectors")
MODELS = Path("data/models")
DELAYED_RECALL = Path("data/delayed_recall")
RELEASED = Path("data/released")
REPORTS = Path("reports")
RUNS = REPORTS / "runs"

SETTINGS = "settings.json"  # in a folder of padded reviews: how `pad` was asked to make them

PADDING = 0  # the token that fills rows up
INDEX_FROM = 3  # a word's token is its rank, from 1, plus this, as in keras.datasets.imdb
START, OUT_OF_VOCABULARY = 1, 2  # tokens that are no words

RESTORE = "delete it, and `dvc repro` restores it or makes it anew"


@contextmanager
def write_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder that becomes `path`, flushed to disk, when the block ends well.

    Where it does not, the folder vanishes, and so does, at the start, what a killed process left of one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft, former = (path.with_name(f".{path.name}.{kind}") for kind in ("draft", "former"))
    if former.exists() and not path.exists():
        former.replace(path)  # killed between the two renames below
    for left_over in (draft, former):
        shutil.rmtree(left_over, ignore_errors=True)
    draft.mkdir()
    try:
        yield draft
        for each in (*draft.rglob("*"), draft):
            _flush(each)
        if path.exists():
            path.replace(former)  # a folder that is not empty cannot be replaced in one step
        draft.replace(path)
        _flush(path.parent)
    finally:
        if former.exists() and not path.exists():
            former.replace(path)  # the draft could not take its place
        for left_over in (draft, former):
            shutil.rmtree(left_over, ignore_errors=True)


@contextmanager
def write_file(path: Path) -> Iterator[Path]:
    """Yield the name of a file to write, which becomes `path`, flushed to disk, when the block ends well.

    `path` is the old or the new file at any moment, even after a power cut.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    try:
        yield draft
        _flush(draft)
        draft.replace(path)
        _flush(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def write_atomically(path: Path, text: str) -> None:
    """Write `text` to `path`, as `write_file` does."""
    with write_file(path) as draft:
        draft.write_text(text, encoding="utf-8")


def write_array(path: Path, array: np.ndarray) -> None:
    """Write an array to `path`, as `write_file` does."""
    with write_file(path) as draft:
        save_array(draft, array)


def save_array(path: Path, array: np.ndarray) -> None:
    """Write an array to a file in a folder that `write_folder` yields; a full disk raises `OSError`.

    To a file, np.save itself would write through C, and not notice that the last bytes did not get there.
    """
    buffer = io.BytesIO()
    np.save(buffer, array)
    path.write_bytes(buffer.getbuffer())


def delete_others(folder: Path, keep: Collection[Path]) -> None:
    """Delete what lies in `folder` beside `keep`, such as the runs of a seed that params.yaml no longer has.

    For a folder that a stage depends on: with left-overs in it, the same parameters would give two people two
    different `dvc.lock`. What DVC has made is still in its cache.
    """
    for left_over in sorted(set(folder.iterdir()) - set(keep)):
        print(f"{left_over} belongs to nothing that params.yaml names: deleted")
        if left_over.is_dir() and not left_over.is_symlink():
            shutil.rmtree(left_over)
        else:
            left_over.unlink()


def _flush(path: Path) -> None:
    """Have the operating system write a file or folder to disk now."""
    if os.name != "posix" and path.is_dir():
        return  # Windows opens no folders
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def load_array(path: Path) -> np.ndarray:
    """Map the array that a stage has written; its pages are read when they are used.

    Raises `StageError` where the file is missing or damaged, as do the other functions that load.
    """
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        if not isinstance(array, np.ndarray):
            raise ValueError("a zip archive, not an array")
    except FileNotFoundError:
        raise missing_input(path) from None
    except (ValueError, EOFError, SyntaxError, OverflowError, zipfile.BadZipFile) as error:
        raise damaged(path, error) from None
    return array


def load_text(path: Path) -> str:
    """Return the text that a stage has written."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise missing_input(path) from None
    except UnicodeDecodeError as error:
        raise damaged(path, error) from None


def load_json(path: Path) -> Any:
    """Return the value in a JSON file that a stage has written."""
    try:
        return json.loads(load_text(path))
    except (ValueError, RecursionError) as error:
        raise damaged(path, error) from None


def json_text(value: Any) -> str:
    """Return `value` as JSON with sorted keys and a final newline.

    Raises `StageError` where it holds NaN or infinity, which JSON does not know.
    """
    try:
        return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
    except ValueError as error:
        raise StageError(f"a result is no finite number ({error}): nothing was written") from None


def damaged(path: Path, error: Exception) -> StageError:
    """Return the error that says that `path` is not what a stage has written."""
    reason = " ".join(str(error).split())[:200]
    return StageError(f"{path} is damaged ({reason}): {RESTORE}")


def missing_input(path: Path) -> StageError:
    """Return the error that says that a stage has not written `path` yet."""
    return StageError(f"{path} does not exist: run the stages before this one, `dvc repro` runs all")


def run_folder(recipe: str, cell: str, seed: int) -> Path:
    """Return the folder of a run's model, history and probabilities."""
    return MODELS / recipe / f"{cell}-{seed}"


class Split(NamedTuple):
    """Padded reviews: tokens int32 (reviews, maxlen) and labels uint8 (reviews,)."""

    tokens: np.ndarray
    labels: np.ndarray


def load_padded(name: str) -> dict[str, Split]:
    """Map the train, validation and test reviews that `pad` has written, for the recipe of that name."""
    return {split: _load_split(PADDED / name, split) for split in ("train", "validation", "test")}


def _load_split(folder: Path, split: str) -> Split:
    """Map the reviews of a split; raise `StageError` where they are no padded reviews."""
    files = [folder / f"{split}_{part}.npy" for part in ("tokens", "labels")]
    tokens, labels = map(load_array, files)
    if tokens.dtype != np.int32 or tokens.ndim != 2 or tokens.min(initial=0) < 0:
        raise damaged(
            files[0], ValueError(f"{tokens.dtype} {tokens.shape}, not int32 (reviews, maxlen) from 0")
        )
    if labels.dtype != np.uint8 or labels.shape != tokens.shape[:1] or labels.max(initial=0) > 1:
        raise damaged(
            files[1], ValueError(f"{labels.dtype} {labels.shape}, not uint8 {tokens.shape[:1]} of 0 and 1")
        )
    return Split(tokens, labels)
