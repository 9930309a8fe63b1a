"""What the report concludes from variants of a recipe: each function turns numbers into a sentence."""

from collections.abc import Mapping, Sequence
from typing import Any

from stages.reporting.formatting import LABELS, capitalised, lead, listed, points
from stages.reporting.verdicts import ahead

# Whether the RNN and the LSTM gain (1), lose (−1), or neither is shown (0) → how that is said of these parts.
GAINS = {
    (1, 1): "both cells gain from {}",
    (1, 0): "the RNN gains from {}, which is not shown for the LSTM",
    (0, 1): "the LSTM gains from {}, which is not shown for the RNN",
    (1, -1): "the RNN gains and the LSTM loses by {}",
    (-1, 1): "the LSTM gains and the RNN loses by {}",
    (-1, 0): "the RNN loses by {}, which is not shown for the LSTM",
    (0, -1): "the LSTM loses by {}, which is not shown for the RNN",
    (-1, -1): "both cells lose by {}",
}


def who_gains(worth: Mapping[str, Mapping[str, Mapping[str, Any]]], seeds: int) -> str:
    """Say which cells gain from which parts.

    worth: part → cell → mean and interval of what the part is worth; seeds: over how many.
    """
    if seeds < 2:
        return "One seed cannot tell what a part is worth from what another seed would change."
    said = []
    same = [
        part for part, cells in worth.items() if all(each["interval"] == [0, 0] for each in cells.values())
    ]
    if same:
        said.append(f"{listed(same)} {'leaves' if len(same) == 1 else 'leave'} every accuracy as it is")
    groups: dict[tuple[int, int], list[str]] = {key: [] for key in (*GAINS, (0, 0))}
    for part, cells in worth.items():
        if part not in same:
            groups[ahead(cells["rnn"]), ahead(cells["lstm"])].append(part)
    neither = groups.pop((0, 0))
    said += [GAINS[key].format(listed(parts)) for key, parts in groups.items() if parts]
    if neither:
        of = "the rest" if said else listed(neither)
        said.append(f"{seeds} seeds show neither gain nor loss by {of} for either cell")
    return f"{capitalised('; '.join(said))}."


def gap_changes(
    changes: Mapping[str, Mapping[str, Any]], worth: Mapping[str, Mapping[str, Mapping[str, Any]]], kind: str
) -> str:
    """Say without which part, or with which, LSTM − RNN changes, and what that part is worth to each cell.

    changes: part → mean and interval of how much larger LSTM − RNN is then; worth: as for `who_gains`;
    kind: "without" or "with".
    """
    shown = {part: change for part, change in changes.items() if ahead(change)}
    if not shown:
        return "LSTM − RNN is not shown to change."
    said = [
        f"by {lead(change)} percentage points {kind} {part}, which is worth {lead(worth[part]['rnn'])} to "
        f"the RNN and {lead(worth[part]['lstm'])} to the LSTM"
        for part, change in shown.items()
    ]
    rest = "" if len(shown) == len(changes) else "; for the rest no change of it is shown"
    return f"LSTM − RNN changes {', and '.join(said)}{rest}."


def by_chance(excluding: int, intervals: int) -> str:
    """Say how many 95 % intervals exclude 0, and how many would where there is nothing to find."""
    expected = f"{intervals / 20:.1f}".removesuffix(".0")
    return (
        f"Of the {intervals} intervals {excluding} exclude 0. Were no part worth anything, {expected} would "
        "by chance, on average; none is widened for that. They are not independent: all compare with the "
        "same runs of the recipe."
    )


def rates_decided(pilot: Mapping[str, Any], other: Sequence[str], differing: Sequence[str]) -> str:
    """Say how the variants' learning rates were decided.

    pilot: its table, empty where it was never run; other: the variants and cells with another rate than the
    recipe's; differing: those whose rate is not the one that the pilot found.
    """
    having = "Every variant has the learning rates of the recipe."
    if other:
        having = f"Another rate than the recipe's {'has' if len(other) == 1 else 'have'} {listed(other)}."
    if not pilot:
        return (
            f"{having} Whether other rates suit the variants better was not tried: `make ablation_rates` "
            "tries them."
        )
    result = (
        f"A pilot trained every variant with seed {pilot['seed']} and several learning rates. A variant gets "
        "another rate than the recipe's where that is better on validation reviews by more than "
        f"{pilot['margin']} percentage points. {having}"
    )
    if not differing:
        return result
    return f"{result} **The pilot found another rate than params.yaml has for {listed(differing)}.**"


def seeds_disagree(steps: Mapping[str, Sequence[str]]) -> str:
    """Say at which steps one seed gains and another loses; steps: cell → their names; empty: at none."""
    found = " and ".join(
        f"by the {LABELS[cell]} at {listed(names)}" for cell, names in steps.items() if names
    )
    return f"The seeds do not agree on the sign of what is gained {found}." if found else ""


def steps_taken(
    names: tuple[str, str],
    gaps: tuple[float, float],
    falls: Mapping[str, float],
    rises: Mapping[str, float],
    seeds: int,
) -> str:
    """Say from where to where LSTM − RNN goes, and at which steps.

    names, gaps: of the first and the last recipe; falls, rises: the steps at which it does so with every
    seed → by how much on average.
    """
    text = (
        f"From `{names[0]}` to `{names[1]}`, LSTM − RNN goes from {points(gaps[0])} to {points(gaps[1])} "
        "percentage points."
    )
    if seeds < 2:
        return f"{text} One seed cannot tell at which step."
    said = [
        f"{what} at {listed([f'{step} ({points(change)})' for step, change in changes.items()])}"
        for what, changes in (("falls", falls), ("rises", rises))
        if changes
    ]
    if not said:
        return f"{text} At no step do the {seeds} seeds agree that it falls or rises."
    return f"{text} With each of the {seeds} seeds it {', and '.join(said)}; in brackets the mean over seeds."


def agree_by_chance(seeds: int, steps: int, agreeing: int) -> str:
    """Say at how many steps seeds would agree on a sign by chance; agreeing: at how many they do.

    Empty for a single seed.
    """
    if seeds < 2:
        return ""
    by_chance = f"{steps / 2 ** (seeds - 1):.1f}".removesuffix(".0")
    return (
        f"Did no step change anything, {seeds} seeds would agree on a sign at {by_chance} of {steps} steps "
        f"by chance, on average; they do at {agreeing}."
    )
