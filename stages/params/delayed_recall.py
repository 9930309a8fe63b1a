"""The parameters of delayed recall: generated sequences whose first token is the label."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from stages.params.reading import PARAMS_FILE, Block, Seed, Set, read, validated
from stages.params.recipe import RENAMED, LearningRate, Model, NumWords, Train

Delay = Annotated[int, Field(ge=2, le=100_000)]


class DelayedRecall(Block):
    """Generated sequences in which the first token decides, and how the models that read them are trained."""

    seeds: Set[Seed]
    learning_rate: Set[LearningRate]
    delays: Set[Delay]
    sequences: Annotated[int, Field(ge=10, le=10_000_000)]
    num_tokens: NumWords
    model: Model
    train: Train


def load_delayed_recall(path: Path = PARAMS_FILE) -> DelayedRecall:
    """Return the block `delayed_recall` of params.yaml; raise `StageError` where it is missing or wrong."""
    block = read(path).get("delayed_recall")
    return validated(DelayedRecall, block, RENAMED, path=path, name="delayed_recall")
