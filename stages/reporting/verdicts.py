"""What the report concludes: each function turns numbers into a sentence or a part of one."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from stages.reporting.formatting import LABELS, percent, points


def ahead(difference: Mapping[str, Any]) -> int:
    """Return 1 where the interval of a difference is above 0, −1 where it is below, 0 where it includes 0."""
    low, high = difference["interval"]
    return int(low > 0) - int(high < 0)


def leading_cell(difference: Mapping[str, Any]) -> str:
    """Say which cell is ahead; difference: LSTM − RNN."""
    return {
        1: "the LSTM is ahead of the RNN",
        0: "neither is ahead",
        -1: "the RNN is ahead of the LSTM",
    }[ahead(difference)]


def interval_and_zero(difference: Mapping[str, Any]) -> str:
    """Say whether the interval of LSTM − RNN excludes 0, and which cell is ahead then."""
    return {
        1: "excludes 0: the LSTM is ahead",
        0: "includes 0",
        -1: "excludes 0: the RNN is ahead",
    }[ahead(difference)]


def against_baseline(rnn: Mapping[str, Any], lstm: Mapping[str, Any]) -> str:
    """Say how both cells fare against a baseline; rnn, lstm: their leads over it."""
    if ahead(rnn) == ahead(lstm):
        return f"both models {({1: 'beat', 0: 'are level with', -1: 'fall behind'})[ahead(rnn)]}"
    verb = {1: "beats", 0: "is level with", -1: "falls behind"}
    return f"the RNN {verb[ahead(rnn)]} and the LSTM {verb[ahead(lstm)]}"


def published_lstm(published: float, accuracies: Collection[float]) -> str:
    """Say whether the published figure can be an LSTM's; accuracies: those of genuine LSTMs."""
    if published < min(accuracies):
        return 'No. The published "LSTM" is no LSTM, and its figure is none of an LSTM.'
    return 'Its "LSTM" is no LSTM; its figure alone does not give it away.'


def place(value: float, values: Collection[float]) -> str:
    """Say where an accuracy lies among others: "2.1 points above the highest", "within the range"."""
    if value < min(values):
        return f"{100 * (min(values) - value):.1f} points below the lowest"
    if value > max(values):
        return f"{100 * (value - max(values)):.1f} points above the highest"
    return "within the range"


def within(value: float, interval: Sequence[float]) -> str:
    """Say whether a value lies "within" or "outside" an interval."""
    return "within" if interval[0] <= value <= interval[1] else "outside"


def gap_explained(first: str, first_gap: float, headline: str, gap: float) -> str:
    """Say whether LSTM − RNN shrinks to less than half from one recipe to another."""
    both = (
        f"LSTM − RNN is {points(first_gap)} percentage points with `{first}` "
        f"and {points(gap)} with `{headline}`"
    )
    if abs(gap) < abs(first_gap) / 2:
        return f"Padding and training, more than the cell: {both}."
    return f"{both}: the recipe does not explain most of it."


def steps_differ(steps: Sequence[tuple[str, str, int]]) -> str:
    """Say in how many settings neighbouring recipes differ; steps: both names, and the number."""
    amounts = [{0: "nothing", 1: "one thing"}.get(number, "many at once") for _, _, number in steps]
    parts = [
        f"`{one}` and `{other}` in {amount}" for (one, other, _), amount in zip(steps, amounts, strict=True)
    ]
    said = ", ".join(parts).replace("` in ", "` differ in ", 1)
    return f"{said}, so which of those did what stays open." if "many at once" in amounts else f"{said}."


def search_followed(recipe: str, changed: Sequence[str], tried: int) -> str:
    """Say whether a recipe is what the search chose.

    changed: the settings that it has otherwise; tried: the number of candidates of each cell.
    """
    if not changed:
        return (
            f"Both cells were given the same grid, the same seeds and the same number of tries, {tried}, "
            f"and `{recipe}` is what came of it."
        )
    names = ", ".join(f"`{name}`" for name in changed)
    return (
        f"`{recipe}` is no longer what the search chose: {names} "
        f"{'was' if len(changed) == 1 else 'were'} changed since."
    )


def at_an_edge(choices: Sequence[str]) -> str:
    """Say which choices are the least or the most of what was tried; nothing where there is none."""
    if not choices:
        return ""
    return f"; at an edge of this one {'lies' if len(choices) == 1 else 'lie'} {' and '.join(choices)}"


def up_to_date(changed: Sequence[str] | None, command: str) -> str:
    """Say where a side study is out of date, and nothing where it is not.

    changed: the parameters and files that are no longer those it was made with; None: it does not say with
    which it was made.
    """
    if changed is None:
        return f"**Out of date: it is not recorded which code made this; `{command}` runs it again.**"
    if not changed:
        return ""
    names = " and ".join(f"`{name}`" for name in changed)
    return (
        f"**Out of date: {names} {'has' if len(changed) == 1 else 'have'} changed since; "
        f"`{command}` runs it again.**"
    )


def longer_delays(rnn: int | None, lstm: int | None) -> str:
    """Compare the longest delays that each cell learns; None: not even the shortest."""
    if (lstm or 0) > (rnn or 0):
        return "They learn over longer distances than RNNs"
    if (lstm or 0) < (rnn or 0):
        return "They do not learn over as long distances as RNNs"
    return "They learn over no longer distances than RNNs"


def learns(cell: str, longest: int | None, shortest: int) -> str:
    """Say up to which delay a cell learns; longest: None where not even the shortest delay tried."""
    if longest:
        return f"the {LABELS[cell]} learns the deciding token over up to {longest} tokens of noise"
    return f"the {LABELS[cell]} does not learn it even over {shortest} tokens of noise"


def mitigates(rnn: float, lstm: float) -> str:
    """Say whether gates mitigate vanishing; rnn, lstm: shares of the gradient that are left in each."""
    return "yes" if lstm > rnn else "no"


def initial_gradients(rnn: float, lstm: float) -> str:
    """Explain gradients at initialisation where gates do not help; nothing where they do."""
    if lstm > rnn:
        return ""
    return (
        "At the start Keras' orthogonal recurrent weights carry the RNN's gradient almost whole from step to "
        "step, while the LSTM's forget gates stand near σ(1) = 0.73."
    )


def nearness(recipe: str, shared: int, validation: float, test: float) -> str:
    """Say whether validation reviews are nearer to what is trained on than test reviews.

    validation, test: the shares of them that have `shared` or more rare words in common with such a review.
    """
    nearer = "nearer" if validation > test else "no nearer"
    return (
        f"Validation reviews that are drawn one by one are {nearer} to what is trained on than test reviews "
        f"are: with `{recipe}` {percent(validation)} of them share {shared} or more rare words with a review "
        f"that is trained on, of the test reviews {percent(test)}."
    )
