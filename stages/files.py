"""How files get onto disk, whole or not at all and the same bytes every time, and back again."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from stages import StageError

RAW = Path("data/raw")
PADDED = Path("data/padded")
MODELS = Path("data/models")
REPORTS = Path("reports")
RUNS = REPORTS / "runs"

PADDING = 0  # the token that fills rows up
FIRST_WORD = 3  # and the rank of a word, from 1, are its token; below are the padding and other marks


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder that becomes `path` when the block ends well and vanishes when it does not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        yield draft
        draft.chmod(0o755)  # mkdtemp's folders are for their owner alone
        if path.exists():
            shutil.rmtree(path)
        draft.replace(path)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def new_file(path: Path, text: str) -> None:
    """Write `text` to `path`, which is never seen half-written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def load_array(path: Path) -> np.ndarray:
    """Map the array that a stage has written; its pages are read when they are used."""
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise not_there(path) from None


def run_folder(recipe: str, cell: str, seed: int) -> Path:
    """Return where a run's model, history and probabilities lie."""
    return MODELS / recipe / f"{cell}-{seed}"


class Split(NamedTuple):
    """Padded reviews: tokens int32 (reviews, length) and labels uint8 (reviews,)."""

    tokens: np.ndarray
    labels: np.ndarray


def load_padded(recipe: str) -> dict[str, Split]:
    """Map the train, validation and test reviews that `pad` has written for a recipe."""
    folder = PADDED / recipe
    return {
        split: Split(load_array(folder / f"{split}_tokens.npy"), load_array(folder / f"{split}_labels.npy"))
        for split in ("train", "validation", "test")
    }


def load_text(path: Path) -> str:
    """Return the text that a stage has written."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise not_there(path) from None


def json_text(value: Any) -> str:
    """Return `value` as JSON with sorted keys and a final newline."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def not_there(path: Path) -> StageError:
    """Return the error that says that a stage has not written `path` yet."""
    return StageError(f"{path} is not there: run the stages before this one, `dvc repro` runs all")
