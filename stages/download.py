"""Stage `download`: the reviews from the first mirror that has them, checked, without pickles."""

import hashlib
import io
import itertools
import json
import threading
import zipfile
from collections.abc import Sequence
from concurrent import futures
from http.client import BadStatusLine
from pathlib import Path
from typing import Any

import numpy as np

from stages.params.download import load_download
from stages.runtime.command_line import stage_main
from stages.runtime.errors import StageError
from stages.runtime.files import RAW, save_array, write_folder

ARCHIVE, WORD_INDEX = "imdb.npz", "imdb_word_index.json"
ARRAYS = ("x_train", "y_train", "x_test", "y_test")

# What a mirror may ask of us. Tests shorten these before they call `download`.
STALL_LIMIT = 30  # seconds without a byte after which a mirror counts as gone
# Seconds that a mirror may take for a file, its retries included: for the archive 20 kB/s are enough, and who
# had less could not have installed TensorFlow.
TIME_LIMIT = 15 * 60
SIZE_LIMIT = 2**26  # bytes of a file; the archive has 17.8 million
UNPACKED_LIMIT = 2**27  # bytes of the unpacked archive, which has 28.5 million
BUSY = (429, 500, 502, 503, 504)  # answers of a server that may do better soon: it is asked again …
RETRIES = 3  # … so many times,
BACKOFF = 1  # after 0, 2 and 4 times so many seconds, or when it says (Retry-After),
WAIT_LIMIT = 60  # but never after more than so many


def download() -> None:
    """Fetch the IMDB archive and its word index, check them, and write them as plain arrays."""
    settings = load_download()
    mirrors, digests = settings.mirrors, settings.digests
    archive = fetch(ARCHIVE, mirrors, digests.archive)
    word_index = fetch(WORD_INDEX, mirrors, digests.word_index)
    splits = read_archive(archive, count_words(word_index))
    with write_folder(RAW) as folder:
        for split, (reviews, labels) in splits.items():
            tokens, offsets, ordered = flatten(reviews, labels)
            save_array(folder / f"{split}_tokens.npy", tokens)
            save_array(folder / f"{split}_offsets.npy", offsets)
            save_array(folder / f"{split}_labels.npy", ordered)
        (folder / "word_index.json").write_bytes(word_index)
    for split, (reviews, _) in splits.items():
        print(f"download: {len(reviews):,} {split} reviews in {RAW}")


def fetch(name: str, mirrors: Sequence[str], digests: Sequence[str]) -> bytes:
    """Return what the first mirror holds whose file `name` has one of `digests` (SHA-256).

    The file is read once: what was checked is what is used, whoever replaces it meanwhile. Raises
    `StageError` that says of every mirror why it would not do.
    """
    failures = []
    for mirror in mirrors:
        try:
            content = _read_in_time(mirror, name)
            _check(content, digests)
            return content
        except _MirrorError as error:
            failures.append(f"{mirror}: {error}")
    raise StageError(
        f"no mirror has {name}: {'; '.join(failures)}. Put the file into a folder and add that "
        "folder to download.mirrors in params.yaml, or add an address that can be reached."
    )


class _MirrorError(Exception):
    """Why one mirror would not do."""


def _read_in_time(mirror: str, name: str) -> bytes:
    """Return a mirror's file; raise `_MirrorError` where that takes longer than `TIME_LIMIT`.

    It is read in a thread, which is then left alone: the timeouts of network libraries are for a single read
    or connection, and a server that sends its headers byte by byte keeps all of them.
    """
    result: futures.Future[bytes] = futures.Future()

    def read() -> None:
        try:
            if mirror.startswith(("http://", "https://")):
                result.set_result(_read_url(f"{mirror.rstrip('/')}/{name}"))
            else:
                result.set_result(_read_file(Path(mirror) / name))
        except BaseException as error:
            result.set_exception(error)

    threading.Thread(target=read, daemon=True).start()
    try:
        return result.result(TIME_LIMIT)
    except futures.TimeoutError:
        raise _MirrorError(f"not done within {TIME_LIMIT} s") from None


def _read_file(file: Path) -> bytes:
    try:
        if not file.is_file():
            raise _MirrorError("no such file" if file.parent.is_dir() else "no such folder")
        print(f"download: {file}", flush=True)
        with file.open("rb") as opened:
            return opened.read(SIZE_LIMIT + 1)
    except OSError as error:
        raise _MirrorError(f"cannot be read ({error.strerror})") from None


def _read_url(url: str) -> bytes:
    # Imported here: where a folder has the file, nothing needs the network.
    import requests
    import urllib3
    from tqdm import tqdm

    print(f"download: {url}", flush=True)
    retries = urllib3.Retry(
        RETRIES,
        connect=0,
        read=False,
        status_forcelist=BUSY,
        backoff_factor=BACKOFF,
        backoff_max=WAIT_LIMIT,
        retry_after_max=WAIT_LIMIT,
        raise_on_status=False,
    )
    content = bytearray()
    try:
        with requests.Session() as session:
            for scheme in ("http://", "https://"):
                session.mount(scheme, requests.adapters.HTTPAdapter(max_retries=retries))
            session.hooks["response"].append(_close_redirect)
            with session.get(url, stream=True, timeout=STALL_LIMIT) as response:
                response.raise_for_status()
                with tqdm(unit="B", unit_scale=True, disable=None) as progress:
                    for piece in response.iter_content(2**16):
                        content += piece
                        progress.update(len(piece))
                        if len(content) > SIZE_LIMIT:
                            break
    except requests.HTTPError as error:
        status = f"{error.response.status_code} {error.response.reason}"
        raise _MirrorError(f"answers {_line(status)}") from None
    except (OSError, ValueError, urllib3.exceptions.HTTPError) as error:  # requests' own are OSErrors
        raise _MirrorError(_cause(error)) from None
    return bytes(content)


def _close_redirect(response: Any, **_: Any) -> None:
    """Close an answer that points elsewhere: requests would read all of it first, however long."""
    if response.is_redirect:
        response.close()


def _cause(error: Exception) -> str:
    """Say what is at the bottom of a chain of network errors."""
    from urllib3.exceptions import NewConnectionError
    from urllib3.exceptions import TimeoutError as NoAnswer  # of which NewConnectionError is one

    while causes := [
        each for each in (getattr(error, "reason", None), *error.args) if isinstance(each, Exception)
    ]:
        error = causes[0]
    if isinstance(error, (NoAnswer, TimeoutError)) and not isinstance(error, NewConnectionError):
        return f"silent for {STALL_LIMIT} s"
    if isinstance(error, BadStatusLine) and not isinstance(error, ConnectionError):
        return "does not answer in HTTP"
    return f"not reachable ({_line(str(error)) or type(error).__name__})"


def _line(text: str) -> str:
    """Return what others have written as the beginning of a line that a terminal prints as it is."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(printable.split())[:200]


def _check(content: bytes, digests: Sequence[str]) -> None:
    if len(content) > SIZE_LIMIT:
        raise _MirrorError(f"larger than the {SIZE_LIMIT:,} bytes that are read")
    found = hashlib.sha256(content).hexdigest()
    if found not in digests:
        raise _MirrorError(
            f"wrong digest {found} ({len(content):,} bytes), accepted are {', '.join(digests)}"
        )


def count_words(word_index: bytes) -> int:
    """Return the number of words in a word index; raise `StageError` unless it ranks them from 1."""
    try:
        index = json.loads(word_index.decode("utf-8"))
    except (ValueError, RecursionError):
        index = None
    ranks = list(index.values()) if isinstance(index, dict) else []
    if not ranks or set(map(type, ranks)) != {int} or sorted(ranks) != list(range(1, len(ranks) + 1)):
        raise StageError(f"{WORD_INDEX} does not map words to the ranks 1, 2, …")
    return len(ranks)


def read_archive(content: bytes, words: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return each split's reviews (lists of word ranks from 1 to `words`) and labels (0 or 1).

    content: an archive as Keras serves it. It is unpickled, which runs whatever code it holds: only call this
    on one whose digest is accepted. Raises `StageError` where it is not such an archive.
    """
    try:
        _check_unpacked(content)
        with np.load(io.BytesIO(content), allow_pickle=True) as archive:
            arrays = {name: archive[name] for name in ARRAYS if name in archive.files}
    except StageError:
        raise
    except Exception as error:  # what is no such archive may raise anything, above all when it is unpickled
        raise StageError(f"{ARCHIVE} is truncated or no NumPy archive: {_line(str(error))}") from None
    if lacking := [name for name in ARRAYS if name not in arrays]:
        raise StageError(f"{ARCHIVE} lacks an array: {', '.join(lacking)}")
    splits = {split: (arrays[f"x_{split}"], arrays[f"y_{split}"]) for split in ("train", "test")}
    for split, (reviews, labels) in splits.items():
        _check_split(split, reviews, labels, words)
    return splits


def _check_unpacked(content: bytes) -> None:
    """Raise `StageError` where an archive would fill the memory; zipfile keeps to the sizes it declares."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
    # Of what is compressed otherwise, zipfile unpacks more than is asked for.
    if any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in members):
        raise StageError(f"{ARCHIVE} is compressed in a way that NumPy does not use")
    unpacked = sum(member.file_size for member in members)
    if unpacked > UNPACKED_LIMIT:
        raise StageError(f"{ARCHIVE} has {unpacked:,} bytes when unpacked, allowed are {UNPACKED_LIMIT:,}")


def _check_split(split: str, reviews: Any, labels: Any, words: int) -> None:
    if not (isinstance(reviews, np.ndarray) and reviews.ndim == 1 and set(map(type, reviews)) <= {list}):
        raise StageError(f"{ARCHIVE}: x_{split} is not a one-dimensional array of lists")
    if not (isinstance(labels, np.ndarray) and labels.ndim == 1 and labels.dtype.kind in "iu"):
        raise StageError(f"{ARCHIVE}: y_{split} is not a one-dimensional array of whole numbers")
    if len(reviews) == 0:
        raise StageError(f"{ARCHIVE} holds no {split} reviews")
    if len(reviews) != len(labels):
        raise StageError(f"{ARCHIVE} holds {len(reviews)} {split} reviews and {len(labels)} labels")
    if not np.isin(labels, (0, 1)).all():
        raise StageError(f"{ARCHIVE} has {split} labels other than 0 and 1")
    if not set(map(type, itertools.chain.from_iterable(reviews))) <= {int}:
        raise StageError(f"{ARCHIVE} has {split} reviews of something else than whole numbers")
    ranks = set(itertools.chain.from_iterable(reviews))
    if ranks and not 1 <= min(ranks) <= max(ranks) <= words:
        raise StageError(
            f"{ARCHIVE} has {split} reviews with ranks outside of 1 to {words}, the word index's"
        )


def flatten(
    reviews: Sequence[Sequence[int]] | np.ndarray, labels: Sequence[int] | np.ndarray
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
