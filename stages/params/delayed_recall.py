"""The parameters of delayed recall: generated sequences whose first token is the label."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from stages.params.reading import PARAMS_FILE, Block, Positive, Set, read, validated
from stages.params.recipe import RENAMED, Cell, Model, Train


class DelayedRecall(Block):
    """Generated sequences in which the first token decides, and the models that read them."""

    delays: Set[Positive]
    sequences: Annotated[int, Field(ge=10)]
    num_tokens: Annotated[int, Field(ge=4)]
    model: Model
    train: Train
    rnn: Cell
    lstm: Cell

    def learning_rate(self, cell: str) -> float:
        """Return the learning rate of `cell`, one of CELLS."""
        return float(getattr(self, cell).learning_rate)


def load_delayed_recall(path: Path = PARAMS_FILE) -> DelayedRecall:
    """Return the block `delayed_recall` of params.yaml; raise `StageError` where it is missing or wrong."""
    block = read(path).get("delayed_recall")
    return validated(DelayedRecall, block, RENAMED, path=path, name="delayed_recall")
