"""Stage `train_step`: one run after some of the steps from one recipe to another, for the ladder."""

from pathlib import Path

from stages.params.ladder import load_ladder, settings_after
from stages.params.recipe import CELLS, load_recipe
from stages.runtime.command_line import stage_main
from stages.runtime.errors import StageError


def train_step(step: str, cell: str, seed: int, *, out: Path) -> None:
    """Train the first recipe's run with what this step and those before it took over from the last."""
    if cell not in CELLS:
        raise StageError(f"cell = {cell!r}: should be {' or '.join(CELLS)}")
    ladder = load_ladder()
    settings = settings_after(ladder, step, load_recipe(ladder.first), load_recipe(ladder.last))
    (reviews,) = (each.reviews for each in ladder.steps if each.name == step)
    # Imported here: TensorFlow takes seconds and prints lines of its own; mistakes are reported before.
    from stages.networks.training import train_run

    train_run(cell, ladder.first, seed, out, settings, reviews)


if __name__ == "__main__":
    stage_main(train_step, {"step": {"help": "the name of a step of `ladder.steps` in params.yaml"}})
