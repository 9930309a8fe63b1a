"""Stage `download`: the reviews from the first mirror that has them, checked, without pickles."""

import hashlib
import itertools
import json
import pickle
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stages.params.download import load_download
from stages.runtime.command_line import stage_main
from stages.runtime.errors import StageError
from stages.runtime.files import RAW, write_folder

TIMEOUT = 30  # seconds without a byte after which a mirror counts as gone


def download() -> None:
    """Fetch the IMDB archive and its word index, check them, and write them as plain arrays."""
    settings = load_download()
    mirrors, digests = settings.mirrors, settings.digests
    with tempfile.TemporaryDirectory() as scratch:
        archive = fetch("imdb.npz", mirrors, digests.archive, Path(scratch))
        word_index = fetch("imdb_word_index.json", mirrors, digests.word_index, Path(scratch))
        check_word_index(word_index)
        splits = read_archive(archive)
        with write_folder(RAW) as folder:
            for split, (reviews, labels) in splits.items():
                tokens, offsets, ordered = flatten(reviews, labels)
                np.save(folder / f"{split}_tokens.npy", tokens)
                np.save(folder / f"{split}_offsets.npy", offsets)
                np.save(folder / f"{split}_labels.npy", ordered)
            shutil.copyfile(word_index, folder / "word_index.json")
    for split, (reviews, _) in splits.items():
        print(f"download: {len(reviews):,} {split} reviews in {RAW}")


def fetch(name: str, mirrors: Sequence[str], digests: Sequence[str], scratch: Path) -> Path:
    """Return a file called `name` with one of `digests` (SHA-256): in a mirror's folder or in `scratch`.

    Raises `StageError` that says of every mirror why it would not do.
    """
    failures = []
    for mirror in mirrors:
        try:
            return _fetch_from(mirror, name, digests, scratch)
        except _MirrorError as error:
            failures.append(f"{mirror}: {error}")
    raise StageError(
        f"no mirror has {name}: {'; '.join(failures)}. Put the file into a folder and add that "
        "folder to download.mirrors in params.yaml, or add an address that can be reached."
    )


class _MirrorError(Exception):
    """Why one mirror would not do."""


def _fetch_from(mirror: str, name: str, digests: Sequence[str], scratch: Path) -> Path:
    if mirror.startswith(("http://", "https://")):
        # Imported here: where a folder has the file, nothing needs the network.
        import pooch
        import requests

        file = scratch / name
        url = f"{mirror.rstrip('/')}/{name}"
        print(f"download: {url}")
        fetcher = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=TIMEOUT)
        try:
            fetcher(url, str(file), None)
        except (requests.RequestException, OSError) as error:
            raise _MirrorError(f"not reachable ({_reason(error)})") from None
    else:
        file = Path(mirror) / name
        if not file.is_file():
            raise _MirrorError("no such file" if file.parent.is_dir() else "no such folder")
        print(f"download: {file}")
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    if found not in digests:
        size = file.stat().st_size
        raise _MirrorError(f"wrong digest {found} ({size:,} bytes), accepted are {', '.join(digests)}")
    return file


def _reason(error: Exception) -> str:
    """Return the innermost reason of a chain of network errors, in a line."""
    while isinstance(reason := getattr(error, "reason", None) or next(iter(error.args), None), Exception):
        error = reason
    return " ".join(str(error).split()) or type(error).__name__


def check_word_index(path: Path) -> None:
    """Raise `StageError` unless the file maps words to ranks."""
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        index = None
    if not (isinstance(index, dict) and index and all(type(rank) is int for rank in index.values())):
        raise StageError(f"{path.name} does not map words to ranks")


def read_archive(path: Path) -> dict[str, tuple[Sequence[Sequence[int]], np.ndarray]]:
    """Return each split's reviews (word ranks from 1) and labels (0 or 1) from an archive as Keras serves it.

    The archive is unpickled, which runs whatever code it holds: only call this on a file whose
    digest is accepted. Raises `StageError` where it is not such an archive.
    """
    try:
        with np.load(path, allow_pickle=True) as archive:
            arrays = {name: archive[name] for name in ("x_train", "y_train", "x_test", "y_test")}
    except KeyError as error:
        raise StageError(f"{path.name} lacks an array: {error.args[0]}") from None
    except (
        OSError,
        EOFError,
        ValueError,
        TypeError,
        AttributeError,  # what Python 3.10 raises where 3.11 raises TypeError
        zipfile.BadZipFile,
        pickle.UnpicklingError,
    ) as error:
        raise StageError(f"{path.name} is truncated or no NumPy archive: {error}") from None
    splits = {split: (arrays[f"x_{split}"], arrays[f"y_{split}"]) for split in ("train", "test")}
    for split, (reviews, labels) in splits.items():
        _check_split(path.name, split, reviews, labels)
    return splits


def _check_split(name: str, split: str, reviews: Any, labels: Any) -> None:
    if len(reviews) == 0:
        raise StageError(f"{name} holds no {split} reviews")
    if len(reviews) != len(labels):
        raise StageError(f"{name} holds {len(reviews)} {split} reviews and {len(labels)} labels")
    if not np.isin(labels, (0, 1)).all():
        raise StageError(f"{name} has {split} labels other than 0 and 1")


def flatten(
    reviews: Sequence[Sequence[int]], labels: Sequence[int] | np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return `(tokens, offsets, labels)` in canonical order: by label, then by tokens.

    tokens: int32, all reviews' word ranks one after the other; offsets: int64, one more than there
    are reviews, review i being `tokens[offsets[i]:offsets[i + 1]]`; labels: uint8. The order of the
    input does not show in the output, so every archive of the same reviews gives the same bytes.
    """
    order = sorted(range(len(reviews)), key=lambda i: (int(labels[i]), list(reviews[i])))
    ordered = [reviews[i] for i in order]
    offsets = np.zeros(len(ordered) + 1, np.int64)
    np.cumsum([len(review) for review in ordered], out=offsets[1:])
    tokens = np.fromiter(itertools.chain.from_iterable(ordered), np.int32, count=int(offsets[-1]))
    return tokens, offsets, np.array([labels[i] for i in order], np.uint8)


if __name__ == "__main__":
    stage_main(download)
