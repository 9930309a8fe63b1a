"""The parameters of delayed recall: generated sequences whose first token is the label."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from stages.params.reading import PARAMS_FILE, Block, Renamed, Seed, Set, read, validated
from stages.params.recipe import RENAMED as RENAMED_IN_RECIPES
from stages.params.recipe import LearningRate, Model, NumWords, Train

# A cell, and what it starts from: the RNN's recurrent weights, or the biases of the LSTM's gates, which are
# Keras' (1 for the forget gate, else 0) or those of chrono initialisation.
STARTS = ("rnn-orthogonal", "rnn-identity", "lstm-unit", "lstm-chrono")

RENAMED: Renamed = {
    **RENAMED_IN_RECIPES,
    "delayed_recall.distances": "delayed_recall.delays",
    "delayed_recall.vocabulary": "delayed_recall.num_tokens",
    "delayed_recall.rnn": "delayed_recall.learning_rate",
    "delayed_recall.lstm": "delayed_recall.learning_rate",
}

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

    def shaping(self) -> dict[str, Any]:
        """Return what shapes every run: all but the grid's seeds and learning rates."""
        return self.model_dump(mode="json", exclude={"seeds", "learning_rate"})


def load_delayed_recall(path: Path = PARAMS_FILE) -> DelayedRecall:
    """Return the block `delayed_recall` of params.yaml; raise `StageError` where it is missing or wrong."""
    block = read(path).get("delayed_recall")
    return validated(DelayedRecall, block, RENAMED, path=path, name="delayed_recall")
