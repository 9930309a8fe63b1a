"""The parameters of `download`: where the reviews come from, and which bytes they have to be."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from stages.params.reading import PARAMS_FILE, Block, List, Set, read, validated

Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Digests(Block):
    """SHA-256 digests, in hexadecimal, of the files that are accepted."""

    archive: Set[Digest]
    word_index: Set[Digest]


class Download(Block):
    """Where the reviews come from and which bytes are accepted."""

    mirrors: List[str]
    digests: Digests


def load_download(path: Path = PARAMS_FILE) -> Download:
    """Return the block `download` of params.yaml; raise `StageError` where it is missing or wrong."""
    return validated(Download, read(path).get("download"), {}, path=path, name="download")
