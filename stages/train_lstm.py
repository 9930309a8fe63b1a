"""Stage `train_lstm`: one LSTM, that of one recipe and one seed."""

from stages.runtime.command_line import main
from stages.runtime.files import load_padded
from stages.params.study import Params


def train_lstm(params: Params, recipe: str, seed: int) -> None:
    """Train one LSTM and save its model, history and probabilities."""
    data = load_padded(recipe)
    # Imported here: TensorFlow takes seconds and prints lines of its own; what is wrong is said before.
    from stages.networks.training import train_run

    train_run("lstm", recipe, params.blocks[recipe], seed, data)


if __name__ == "__main__":
    main(train_lstm)
