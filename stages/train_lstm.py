"""Stage `train_lstm`: one LSTM, that of a recipe and a seed."""

from stages.params.recipe import load_recipe
from stages.runtime.command_line import stage_main
from stages.runtime.files import run_folder


def train_lstm(recipe: str, seed: int) -> None:
    """Train one LSTM and write its model, history and probabilities."""
    load_recipe(recipe)  # so that mistakes in params.yaml are reported before TensorFlow is loaded
    from stages.networks.training import train_run

    train_run("lstm", recipe, seed, run_folder(recipe, "lstm", seed))


if __name__ == "__main__":
    stage_main(train_lstm)
