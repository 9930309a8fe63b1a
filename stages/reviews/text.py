"""Raw text: read from anywhere, split into words as the reviews were, and encoded as rows of tokens."""

import os
import string
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import Field, TypeAdapter, ValidationError
from tqdm import tqdm

from stages.params.recipe import Pad
from stages.reviews.encoding import encode, pad_rows
from stages.runtime.errors import StageError
from stages.runtime.files import RAW, damaged, load_json

# What Keras' Tokenizer, which split the reviews, takes for spaces: not the apostrophe. bytes.split adds the
# ASCII white space; no word of the reviews has any.
FILTERS = b'!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'
# Only ASCII letters become lower-case: the reviews' words are `à` and `À`, `amélie` and `amÉlie`.
TRANSLATION = bytes.maketrans(
    string.ascii_uppercase.encode() + FILTERS, string.ascii_lowercase.encode() + b" " * len(FILTERS)
)
RANKS = TypeAdapter(dict[str, Annotated[int, Field(ge=1, lt=2**31 - 4, strict=True)]])
BATCH_TEXTS = 2000  # texts of a batch …
BATCH_CHARACTERS = 2**24  # … or fewer, as soon as they have so many characters


def check_utf8(texts: Sequence[str]) -> Sequence[str]:
    """Return `texts`, from the command line; raises `StageError` where one is not UTF-8."""
    for number, text in enumerate(texts, 1):
        try:
            text.encode()
        except UnicodeEncodeError as error:  # Python keeps such a byte as 0xdc00 + byte
            position, byte = len(text[: error.start].encode()), ord(text[error.start]) & 0xFF
            raise _not_utf8(f"text {number}", position, byte) from None
    return texts


def read_lines(path: str | None) -> Iterator[str]:
    """Yield the lines of a file, or of standard input (- or None), one at a time and without their ends.

    Raises `StageError` where it cannot be read or is not UTF-8.
    """
    own = path in (None, "-")
    name = "standard input" if own else str(path)
    try:
        with (
            sys.stdin.buffer if own else Path(name).open("rb") as file,
            tqdm(
                desc=name,
                total=os.fstat(file.fileno()).st_size or None,
                unit="B",
                unit_scale=True,
                disable=sys.stdout.isatty() or None,  # there the predictions show how far it is
                leave=False,
            ) as progress,
        ):
            for number, line in enumerate(file, 1):
                progress.update(len(line))
                try:
                    text = line.decode().rstrip("\r\n")
                except UnicodeDecodeError as error:
                    raise _not_utf8(f"{name}, line {number}", error.start, line[error.start]) from None
                yield text.removeprefix("\ufeff") if number == 1 else text  # the byte order mark
    except OSError as error:
        raise StageError(f"{name} cannot be read: {error.strerror}") from None


def _not_utf8(where: str, position: int, byte: int) -> StageError:
    return StageError(f"{where}, byte {position + 1} is 0x{byte:02x}, which is not UTF-8: convert the text")


def batches(texts: Iterable[str]) -> Iterator[list[str]]:
    """Yield the texts in lists of BATCH_TEXTS, or fewer where they are long: never much more in memory."""
    batch: list[str] = []
    characters = 0
    for text in texts:
        batch.append(text)
        characters += len(text)
        if len(batch) == BATCH_TEXTS or characters >= BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def split_words(text: str, settings: Pad) -> list[bytes]:
    """Return the text's words as Keras' Tokenizer splits them; of more than fit a row, those that stay."""
    translated, maxlen = text.encode().translate(TRANSLATION), settings.maxlen
    if settings.truncating == "pre":
        return translated.rsplit(None, maxlen)[-maxlen:]
    return translated.split(None, maxlen)[:maxlen]


def load_ranks() -> dict[bytes, int]:
    """Return each word's rank, from 1, the words as UTF-8; raise `StageError` where the file has no ranks."""
    file = RAW / "word_index.json"
    try:
        ranks = RANKS.validate_python(load_json(file))
    except ValidationError as error:
        raise damaged(file, error) from None
    return {word.encode(): rank for word, rank in ranks.items()}


def token_rows(texts: Sequence[Sequence[bytes]], ranks: Mapping[bytes, int], settings: Pad) -> np.ndarray:
    """Return int32 tokens (texts, maxlen) of each text's words, as stage `pad` encodes and pads them."""
    unknown = settings.num_words  # no token has that rank
    flat = [ranks.get(word, unknown) for words in texts for word in words]
    offsets = np.cumsum([0, *map(len, texts)])
    tokens = encode(np.array(flat, np.int32), offsets, settings.num_words)
    return pad_rows(*tokens, settings.maxlen, settings.padding, settings.truncating)
