"""What the report concludes: each function turns numbers into a sentence or a part of one."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from stages.reporting.formatting import lead, number, percent, points


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


def published_lstm(published: float, interval: Sequence[float] | None) -> str:
    """Say whether the published figure can be an LSTM's.

    interval: where one more genuine LSTM's accuracy would lie; None: a single one was trained.
    """
    if interval is None:
        return 'Its "LSTM" is no LSTM; a single run does not tell whether its figure could be one\'s.'
    if _within(published, interval) == "outside":
        return 'No. The published "LSTM" is no LSTM, and its figure is not an LSTM\'s.'
    return 'Its "LSTM" is no LSTM; its figure alone does not give it away.'


def corrected(p_values: Mapping[str, float]) -> str:
    """Say which recipes' differences stay significant together; nothing for one. p_values: corrected."""
    if len(p_values) == 1:
        return ""
    small = [f"`{name}`" for name, p in p_values.items() if p < 0.05]
    which = f"{' and '.join(small)} only" if small else "none of them"
    if len(small) == len(p_values):
        which = "each of them"
    return f"After Holm's correction for {len(p_values)} recipes, p is below 0.05 for {which}."


def place(value: float, values: Collection[float]) -> str:
    """Say where an accuracy lies among others: "2.1 points above the highest", "within the range"."""
    if value < min(values):
        return f"{100 * (min(values) - value):.1f} points below the lowest"
    if value > max(values):
        return f"{100 * (value - max(values)):.1f} points above the highest"
    return "within the range"


def among_predictions(rnn: float, lstm: float, intervals: Mapping[str, Sequence[float] | None]) -> str:
    """Say whether published accuracies lie within the prediction intervals; nothing for a single seed."""
    rnns, lstms = intervals["rnn"], intervals["lstm"]
    if rnns is None or lstms is None:
        return ""
    return (
        f'The published "LSTM" lies {_within(lstm, rnns)} that of the RNNs and {_within(lstm, lstms)} that '
        f"of the LSTMs; the published RNN lies {_within(rnn, rnns)} that of the RNNs."
    )


def _within(value: float, interval: Sequence[float]) -> str:
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


def short_and_long(recipe: str, bins: Sequence[Mapping[str, Any]]) -> str:
    """Compare LSTM − RNN on the shortest and the longest test reviews; bins: by length, at least one."""
    short, long = bins[0], bins[-1]
    rest = f" and {lead(long['difference'])} for those of {long['tokens']}" if long is not short else ""
    return (
        f"On real reviews with `{recipe}`, LSTM − RNN is {lead(short['difference'])} percentage points for "
        f"reviews of {short['tokens']} tokens{rest}."
    )


Shares = tuple[float, float]  # of the gradient at the last token: what is left in the RNN and in the LSTM


def gradients_left(place: int, trained: Mapping[str, Shares], initial: Shares | None) -> str:
    """Say whether gates mitigate vanishing gradients, of recipes with last-state pooling.

    place: tokens before the last one; trained: recipe → shares; initial: those of the first recipe, before
    training; None where there is no such recipe.
    """
    if initial is None:
        return "**This run does not say: no recipe pools by the last state alone.**"
    answers = ", ".join(f"as `{recipe}` {_mitigates(shares)}" for recipe, shares in trained.items())
    after = ", ".join(f"as `{recipe}` {_left(shares)}" for recipe, shares in trained.items())
    return (
        f"**After training {answers}, at initialisation {_mitigates(initial)}.** {place} tokens before the "
        f"last one, of the gradient at the last one, after training {after}, at initialisation "
        f"(`{next(iter(trained))}`) {_left(initial)}."
    )


def _mitigates(shares: Shares) -> str:
    rnn, lstm = shares
    return "yes" if lstm > rnn else "no"


def _left(shares: Shares) -> str:
    return f"{number(shares[0])} of it is left in the RNN and {number(shares[1])} in the LSTM"


def initial_gradients(initial: Shares | None) -> str:
    """Explain gradients at initialisation where gates do not help; nothing where they do."""
    if initial is None or initial[1] > initial[0]:
        return ""
    return (
        "At the start Keras' orthogonal recurrent weights carry the RNN's gradient almost whole from step to "
        "step, while the LSTM's forget gates stand near σ(1) = 0.73."
    )


def gate_openings(recipe: str, by_distance: Mapping[str, Sequence[float]]) -> str:
    """Say how open the gates are; by_distance: forget, input, output → means, the last token's first."""
    openings = ", ".join(
        f"the {gate} gate{' is open' if gate == 'forget' else ''} to {percent(row[0])} at the last token and "
        f"{percent(row[-1])} {len(row) - 1} tokens before it"
        for gate, row in by_distance.items()
    )
    return f"With `{recipe}`, {openings}; σ(1) = 73.1 % and σ(0) = 50.0 % are where they start."


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
