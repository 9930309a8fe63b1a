"""What the report concludes from delayed recall: each function turns numbers into a sentence or more.

A difference is one of memory: its mean over seeds, and its interval, None for a single seed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from stages.reporting import verdicts
from stages.reporting.formatting import START_LABELS, bounds, lead, listed, percent, points, setting


def ahead(difference: Mapping[str, Any]) -> int:
    """Return 1, 0 or −1 as `verdicts.ahead` does; 0 for a single seed, which has no interval."""
    return verdicts.ahead(difference) if difference["interval"] else 0


def defaults(pair: tuple[str, str], learned: Mapping[str, Any]) -> str:
    """Say which cell learns to remember more as Keras starts them; pair, learned: see `learned_and_kept`."""
    return (
        f"As Keras starts them, {_learns(pair, learned)}: LSTM − RNN is {_lead(learned)} percentage points "
        "of memory, mean over all delays."
    )


def learned_and_kept(
    pair: tuple[str, str], learned: Mapping[str, Any], kept: Mapping[str, Any] | None, first: int
) -> str:
    """Say whether LSTMs keep long-term dependencies; both differences are LSTM − RNN.

    pair: the start of each, the LSTM's first; learned: of models that were trained at each delay; kept: of
    those that were trained at the delay `first`, at all others, None where there are no others.
    """
    text = f"With the start that learns best, {_learns(pair, learned)}: {_lead(learned)}."
    if kept is None:
        return text
    keeps = {
        1: "this LSTM keeps more",
        0: "neither of these is shown to keep more",
        -1: "this RNN keeps more",
    }[ahead(kept)]
    return f"{text} Trained over {first} tokens and asked after other delays, {keeps}: {_lead(kept)}."


def _learns(pair: tuple[str, str], learned: Mapping[str, Any]) -> str:
    lstm, rnn = (START_LABELS[start] for start in pair)
    return {
        1: f"the {lstm} learns to remember more than the {rnn}",
        0: f"neither the {lstm} nor the {rnn} is shown to learn to remember more than the other",
        -1: f"the {rnn} learns to remember more than the {lstm}",
    }[ahead(learned)]


def reaches(longest: Mapping[str, int | None], shortest: int, farthest: int) -> str:
    """Say how far each start learns; longest: start → delay, None: not even the shortest.

    shortest, farthest: of the delays that were tried.
    """
    parts = ", ".join(
        f"{START_LABELS[start]} {each or f'not even {shortest}'}" for start, each in longest.items()
    )
    text = f"The deciding token is learned over up to so many tokens of noise: {parts}."
    beyond = f" More than {farthest} were not tried." if farthest in longest.values() else ""
    return text + beyond


def kept(memory: Mapping[str, float], first: int, flipped: int, remembered: int) -> str:
    """Say how much models that were trained at the delay `first` remember at others, by start.

    flipped: of the `remembered` answers, those with a memory above one half, how many have an accuracy below.
    """
    parts = ", ".join(f"{START_LABELS[start]} {percent(mean)}" for start, mean in memory.items())
    text = f"Trained over {first} tokens, models remember after other delays, on average: {parts}."
    if not remembered:
        return f"{text} None remembers more than half at any of them."
    have = "has" if flipped == 1 else "have"
    return (
        f"{text} Of {remembered} such memories above one half, {flipped or 'none'} {have} the sign flipped: "
        "an accuracy below one half."
    )


def chrono(learned: Mapping[str, Any], kept: Mapping[str, Any] | None) -> str:
    """Say whether chrono initialisation helps; both differences are chrono − unit forget bias."""
    text = f"Chrono initialisation {_helps(learned)} the LSTM in learning: {_lead(learned)}"
    return f"{text}." if kept is None else f"{text}; it {_helps(kept)} in keeping: {_lead(kept)}."


def _helps(difference: Mapping[str, Any]) -> str:
    return {1: "helps", 0: "is not shown to help", -1: "hinders"}[ahead(difference)]


def chrono_on_reviews(
    learned: Mapping[str, Any],
    recipes: Sequence[str],
    recipe: str,
    pooling: str,
    gains: Mapping[str, Mapping[str, Any]],
) -> str:
    """Say what chrono initialisation does on real reviews, if it helps to learn.

    recipes: those that start so; gains: what the ablation adds to `recipe`, which has this pooling → what the
    LSTM gains.
    """
    if ahead(learned) < 1:
        return ""
    said = [
        f"added to `{recipe}` with {pooling} pooling, it {_helps(gain)}: {_lead(gain)} percentage points of "
        f"test accuracy ({name}, in the ablation)"
        for name, gain in gains.items()
    ]
    if recipes:
        said.append(f"it was tried with {listed([f'`{name}`' for name in recipes])}")
    if not said:
        return "This run does not say what it does on real reviews."
    return f"On real reviews{', ' if gains else ' '}{' and '.join(said)}."


def flat(rising: Sequence[tuple[str, int, int]], last: int, epochs: int, least: float, seeds: int) -> str:
    """Say whether training was long enough.

    rising: start, delay, and how many seeds' best validation accuracy still rose by more than `least` in the
    `last` of all `epochs`; without those where it is none.
    """
    when = f"in the last {last} of {epochs} epochs" if last > 1 else f"in the last of {epochs} epochs"
    amount = f"more than {100 * least:.0f} percentage points"
    if not rising:
        return f"The curves are flat: {when} no model's best validation accuracy rose by {amount}."
    where = ", ".join(
        f"the {START_LABELS[start]} at {delay} ({number} of {seeds})" for start, delay, number in rising
    )
    return (
        f"Not all curves are flat: {when} the best validation accuracy still rose by {amount} "
        f"in some seeds of {where}."
    )


def thresholds(hidden: int, forgotten: int) -> str:
    """Say whether the threshold of one half hides memory.

    hidden: of the `forgotten` answers, those with a memory of at most one half, the ones whose area under the
    ROC curve tells of more.
    """
    if not forgotten:
        return "No memory is at one half or below."
    text = f"Of {forgotten} memories of at most one half, {hidden or 'none'}"
    if not hidden:
        return f"{text} has |2 AUC − 1| above it: it is not the threshold that hides any."
    return (
        f"{text} {'has' if hidden == 1 else 'have'} |2 AUC − 1| above it: there P(positive) depends on the "
        "token, but stays on one side of the threshold."
    )


def rates_at_edges(starts: Sequence[str]) -> str:
    """Say for which starts the chosen learning rate is the least or the most of those tried."""
    if not starts:
        return "Each lies inside the grid."
    names = listed([f"the {START_LABELS[start]}" for start in starts])
    return f"At an edge of the grid {'is that' if len(starts) == 1 else 'are those'} of {names}."


def equal_rates(equal: Mapping[str, Mapping[float, float]]) -> str:
    """Say what depends on the choice between learning rates that are equally good; empty: nothing.

    equal: start → learning rate → memory after other delays than the one trained at.
    """
    return " ".join(
        f"For the {START_LABELS[start]} {listed([setting(rate) for rate in kept])} are equally good on "
        "validation sequences; with these, the mean memory of models trained at the first delay is "
        f"{_range(list(kept.values()))} at the others."
        for start, kept in equal.items()
    )


def _range(memories: Sequence[float]) -> str:
    low, high = min(memories), max(memories)
    return percent(low) if percent(low) == percent(high) else bounds([low, high])


def _lead(difference: Mapping[str, Any]) -> str:
    return (
        lead(difference)
        if difference["interval"]
        else f"{points(difference['mean'])} (one seed, no interval)"
    )
