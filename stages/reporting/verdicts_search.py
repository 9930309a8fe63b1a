"""What the report concludes of the search: each function turns numbers into a sentence or a part of one."""

from collections.abc import Mapping, Sequence
from typing import Any

from stages.reporting.formatting import LABELS, capitalised, lead, listed, percent, setting


def followed(recipe: str, changed: Sequence[str], tried: int) -> str:
    """Say whether a recipe is what the search chose.

    changed: the settings that it has otherwise; tried: the number of candidates of each cell.
    """
    if not changed:
        return (
            "In the search both cells were given the same grid, the same seeds and the same number of tries, "
            f"{tried}; `{recipe}` has what it chose. The other settings were set by hand or by former "
            "searches."
        )
    names = ", ".join(f"`{name}`" for name in changed)
    return (
        f"`{recipe}` is no longer what the search chose: {names} "
        f"{'was' if len(changed) == 1 else 'were'} changed since."
    )


def inside_the_grid(inside: Sequence[str], at_an_edge: Sequence[str]) -> str:
    """Say which choices lie between others that were tried; nothing where no number had a choice."""
    beyond = "so a value beyond it might do better"
    if inside and at_an_edge:
        return _sentence(f"{_lie(inside)} inside the grid; {_lie(at_an_edge)} at an edge of it, {beyond}")
    if at_an_edge:
        return _sentence(f"{_lie(at_an_edge)} at an edge of the grid, {beyond}")
    return _sentence(f"{_lie(inside)} inside the grid") if inside else ""


def _lie(choices: Sequence[str]) -> str:
    return f"{listed(choices)} {'lies' if len(choices) == 1 else 'lie'}"


def _sentence(text: str) -> str:
    return f"{capitalised(text)}."


Ends = Mapping[str, tuple[int, int]]  # cell → of how many runs the last epoch is the best, and of how many


PAST = "training went on past the best epoch in each of them"


def enough_epochs(epochs: int, ends: Ends, chosen: Ends) -> str:
    """Say whether runs would have had use for more epochs; chosen: the same of the chosen candidates.

    Nothing where a former search did not note it.
    """
    if not ends:
        return ""
    last, runs = (sum(each) for each in zip(*chosen.values(), strict=True))
    return (
        f"{last_epochs(epochs, ends)}. Of the {runs} runs of the chosen candidates it is "
        f"the last in {last or 'none'}: {'more epochs might help them' if last else PAST}."
    )


def last_epochs(epochs: int, ends: Ends) -> str:
    """Say in how many runs the last epoch is the best."""
    found = listed([f"in {last} of {runs} runs of the {LABELS[cell]}" for cell, (last, runs) in ends.items()])
    return f"The best epoch is the last of {epochs} {found}"


def more_epochs(epochs: int, ends: Ends) -> str:
    """Say which cells might have use for more epochs."""
    cells = [f"the {LABELS[cell]}" for cell, (last, _) in ends.items() if last]
    end = f"more epochs might help {listed(cells)}" if cells else PAST
    return f"{last_epochs(epochs, ends)}: {end}."


def equal_settings(best: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]]) -> str:
    """Say what it costs either cell to share its settings with the other.

    best: cell → its best row under the chosen settings, and under any.
    """
    costs = {
        cell: f"{(alone['mean'] - shared['mean']) * 100:.1f} percentage points ({percent(shared['mean'], 2)} "
        f"instead of {percent(alone['mean'], 2)}, with {_settings(alone)}; {_in_how_many(shared, alone)})"
        for cell, (shared, alone) in best.items()
        if alone["mean"] > shared["mean"]
    }
    if not costs:
        return "That both cells share their settings costs neither any validation accuracy."
    dearest_first = sorted(best, key=lambda cell: cell not in costs)
    parts = [f"the {LABELS[cell]} {costs.get(cell, 'nothing')}" for cell in dearest_first]
    return f"In validation accuracy, that both cells share their settings costs {', and '.join(parts)}."


def worth_in_ablation(part: str, cell: str, worth: Mapping[str, Any], seeds: Sequence[int]) -> str:
    """Say what a part is worth to a cell by the ablation, whose seeds are others than the search's."""
    return (
        f"In the ablation, with the seeds {listed([str(seed) for seed in seeds])}, {part} is worth "
        f"{lead(worth)} percentage points of test accuracy to the {LABELS[cell]}."
    )


def _in_how_many(shared: Mapping[str, Any], alone: Mapping[str, Any]) -> str:
    """Say in how many seeds a row is above another."""
    above = sum(accuracy > shared["seeds"][seed] for seed, accuracy in alone["seeds"].items())
    return f"in {above} of {len(alone['seeds'])} seeds"


def _settings(row: Mapping[str, Any]) -> str:
    names = [f"`{name}` {setting(value)}" for name, value in row["settings"].items()]
    return listed([*names, f"learning rate {row['learning_rate']}"])


def fixed_settings(fixed: Mapping[str, Any]) -> str:
    """Say what all candidates have alike; nothing where there is nothing."""
    names = listed([f"`{name}` {setting(value)}" for name, value in fixed.items()])
    return f"All candidates have {names}." if names else ""
