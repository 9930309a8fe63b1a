"""The parameters of the ladder: the steps in which one recipe becomes another."""

from pathlib import Path
from typing import Any

from stages.params.reading import PARAMS_FILE, Block, List, Name, Seed, Set, read, validated
from stages.params.recipe import RENAMED, Recipe
from stages.runtime.errors import StageError


class Step(Block):
    """One step: the settings, dotted, that it takes over from the last recipe, and which reviews it reads."""

    name: Name
    takes: Set[str]
    reviews: Name


class Ladder(Block):
    """Two recipes, the steps from the first to the last, and the seeds of each step."""

    first: Name
    last: Name
    seeds: Set[Seed]
    steps: List[Step]


def load_ladder(path: Path = PARAMS_FILE) -> Ladder:
    """Return the block `ladder` of params.yaml; raise `StageError` where it is missing or wrong."""
    return validated(Ladder, read(path).get("ladder"), RENAMED, path=path, name="ladder")


def settings_after(ladder: Ladder, step: str, first: Recipe, last: Recipe) -> list[tuple[str, Any]]:
    """Return what a step's runs have otherwise than the first recipe: what all steps up to it took over.

    Raises `StageError` where there is no such step, where a step takes over what is no setting, or where all
    steps together do not make the first recipe the last.
    """
    before, after = (_leaves(recipe) for recipe in (first, last))
    names = [each.name for each in ladder.steps]
    if step not in names:
        raise StageError(f"step {step!r} is not in ladder.steps, which has {', '.join(names)}")
    taken = [(each.name, dotted) for each in ladder.steps for dotted in each.takes]
    for name, dotted in taken:
        if dotted not in after:
            raise StageError(f"ladder.steps: {name} takes {dotted!r}, which is no setting of a recipe")
    all_taken = {dotted for _, dotted in taken}
    if missing := [name for name in after if before[name] != after[name] and name not in all_taken]:
        raise StageError(
            f"ladder.steps: no step takes {', '.join(missing)}, in which {ladder.first!r} and "
            f"{ladder.last!r} differ"
        )
    done = names[: names.index(step) + 1]
    return [(dotted, after[dotted]) for name, dotted in taken if name in done]


def _leaves(recipe: Recipe) -> dict[str, Any]:
    """Return dotted setting → value."""
    return {
        f"{part}.{name}": value
        for part, block in recipe.model_dump().items()
        for name, value in block.items()
    }
