"""The parameters of delayed recall: generated sequences whose first token is the label."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from stages.params.reading import PARAMS_FILE, Positive, Set, read, validated
from stages.params.recipe import RENAMED, Cells


class DelayedRecall(Cells):
    """Generated sequences in which the first token decides, and the models that read them."""

    delays: Set[Positive]
    sequences: Annotated[int, Field(ge=10)]
    num_tokens: Annotated[int, Field(ge=4)]


def load_delayed_recall(path: Path = PARAMS_FILE) -> DelayedRecall:
    """Return the block `delayed_recall` of params.yaml; raise `StageError` where it is missing or wrong."""
    block = read(path).get("delayed_recall")
    return validated(DelayedRecall, block, RENAMED, path=path, name="delayed_recall")
