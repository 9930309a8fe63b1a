"""What the report concludes: each function turns numbers into a sentence or a part of one."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from stages.reporting.formatting import bounds, lead, listed, percent, points


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


def given(other: Sequence[str]) -> str:
    """Say what the baseline was given; other: what it was not given as the models were."""
    return f"different {listed(other)}" if other else "the same tokens, vocabulary and train reviews"


def equal_footing(other: Sequence[str]) -> str:
    """Say whether a baseline was given the same as the models, and what not."""
    return f"no: different {listed(other)}" if other else "yes"


def regularisation_at_edges(found: Sequence[tuple[str, float]]) -> str:
    """Say which bag-of-words models' C is the least or the most that was tried; empty: none.

    found: model and C of each of those.
    """
    if not found:
        return ""
    models = listed([f"{name} (C = {value:g})" for name, value in found])
    return f"At an edge of what was tried, so that it may do better with another, is that of {models}."


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


def other_seeds(
    recipe: str, chose: Sequence[int], others: Sequence[int], difference: Mapping[str, Any]
) -> str:
    """Say what LSTM − RNN is with seeds that took no part in choosing a recipe's settings."""
    also, alone = (listed([str(seed) for seed in seeds]) for seeds in (chose, others))
    return (
        f"Seed{'s' if len(chose) > 1 else ''} {also} also chose settings of `{recipe}`, in the search; with "
        f"the seeds {alone} alone, LSTM − RNN is {lead(difference)}, an interval over seeds."
    )


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
        f"and {points(gap)} with `{headline}`, at their own learning rates"
    )
    if abs(gap) < abs(first_gap) / 2:
        return f"The recipe, more than the cell: {both}."
    return f"{both}: the recipe does not explain most of it."


def steps_differ(steps: Sequence[tuple[str, str, int]]) -> str:
    """Say in how many settings neighbouring recipes differ; steps: both names, and the number."""
    amounts = [{0: "nothing", 1: "one thing"}.get(number, "many at once") for _, _, number in steps]
    parts = [
        f"`{one}` and `{other}` in {amount}" for (one, other, _), amount in zip(steps, amounts, strict=True)
    ]
    said = ", ".join(parts).replace("` in ", "` differ in ", 1)
    return (
        f"{said}, so this does not tell which of those did what." if "many at once" in amounts else f"{said}."
    )


def up_to_date(changed: Sequence[str] | None, command: str) -> str:
    """Say where a side study is out of date, and nothing where it is not.

    changed: the parameters and files that are no longer those it was made with; None: it does not say with
    which it was made.
    """
    if changed is None:
        return f"**Out of date: it is not recorded which code made this; `{command}` runs it again.**"
    if not changed:
        return ""
    names = listed([f"`{name}`" for name in changed])
    return (
        f"**Out of date: {names} {'has' if len(changed) == 1 else 'have'} changed since; "
        f"`{command}` runs it again.**"
    )


def gain_on_longer(lengths: Mapping[str, tuple[int, Sequence[Mapping[str, Any]]]]) -> str:
    """Say whether LSTM − RNN is larger on the longest test reviews than on the shortest.

    lengths: recipe → how many tokens it reads, and its results by length, at least one.
    """
    said, apart = [], []
    for recipe, (maxlen, bins) in lengths.items():
        short, long = bins[0], bins[-1]
        rest = f" and {lead(long['difference'])} for those of {long['tokens']}" if long is not short else ""
        apart.append(gain_shown(bins))
        said.append(
            f"with `{recipe}`, which reads the last {maxlen:,} tokens, LSTM − RNN is "
            f"{lead(short['difference'])} percentage points for reviews of {short['tokens']} tokens{rest}"
        )
    if set(apart) == {1}:
        shown = "Yes"
    elif 1 in apart:
        shown = "With some recipes, and with others the reverse" if -1 in apart else "With some recipes"
    elif -1 in apart:
        shown = "The reverse is shown" if set(apart) == {-1} else "With some recipes the reverse is shown"
    else:
        shown = "This is not shown"
    return f"{shown}: {'; '.join(said)}."


def gain_shown(bins: Sequence[Mapping[str, Any]]) -> int:
    """Return 1 where LSTM − RNN is shown to be larger on the longest reviews than on the shortest.

    −1 where it is smaller, 0 where the two intervals overlap; bins: results by length, at least one.
    """
    short, long = (each["difference"]["interval"] for each in (bins[0], bins[-1]))
    return int(long[0] > short[1]) - int(long[1] < short[0])


def elsewhere_on_longer(lengths: Mapping[str, tuple[str, Sequence[Mapping[str, Any]]]]) -> str:
    """Say with which other recipes LSTM − RNN is larger or smaller on the longest reviews; empty: none.

    lengths: recipe → its padding, and its results by length.
    """
    size = {1: "larger", -1: "smaller"}
    zeros = {"pre": "", "post": ", whose shorter reviews are followed by zeros,"}
    return " ".join(
        f"With `{recipe}`{zeros[padding]} it is {size[shown]} on longer reviews: "
        f"{lead(bins[0]['difference'])} percentage points for those of {bins[0]['tokens']} tokens and "
        f"{lead(bins[-1]['difference'])} for those of {bins[-1]['tokens']}."
        for recipe, (padding, bins) in lengths.items()
        if (shown := gain_shown(bins))
    )


Shares = tuple[float, float]  # of the gradient at the last token: what is left in the RNN and in the LSTM


def gradients_left(
    place: int,
    seed: int,
    trained: Mapping[str, Shares],
    initial: Shares | None,
    pooled: Sequence[tuple[str, str]],
) -> str:
    """Say whether gates mitigate vanishing gradients, of recipes with last-state pooling and one seed.

    place: tokens before the last one; trained: recipe → shares; initial: those of the first recipe, before
    training; None where there is no such recipe; pooled: the other recipes, and their pooling.
    """
    if initial is None:
        return "**This run does not say: no recipe pools by the last state alone.**"
    yes = [f"`{recipe}`" for recipe, (rnn, lstm) in trained.items() if lstm > rnn]
    no = [f"`{recipe}`" for recipe in trained if f"`{recipe}`" not in yes]
    if yes and no:
        after = f"after training yes with {listed(yes)} and no with {listed(no)}"
    else:
        after = f"{'yes' if yes else 'no'} after training, with {listed(yes or no)}"
    before = "yes" if initial[1] > initial[0] else "no"
    others = "".join(f" `{name}` cannot tell: it uses {pooling} pooling." for name, pooling in pooled)
    return (
        f"**In the models of seed {seed}, {after}; before training {before}.**{others} Yes means that "
        f"{place} tokens before the last one more of the last token's gradient is left in the LSTM than in "
        "the RNN."
    )


def gradients_unlearned(models: Sequence[str], least: float) -> str:
    """Say that gradients are those of models that did not learn; empty where all did.

    models: each with its accuracy, of at most `least`.
    """
    if not models:
        return ""
    return (
        f"That does not show that gates are the reason: {listed(models)} did not learn to get more than "
        f"{percent(least, 0)} of the test reviews right, and a vanished gradient may be cause or effect."
    )


def initial_gradients(place: int, initial: Shares | None) -> str:
    """Say how fast gradients shrink before training where gates do not help; nothing where they do."""
    if not place or initial is None or initial[1] > initial[0]:
        return ""
    rnn, lstm = (share ** (1 / place) for share in initial)
    return (
        f"Before training a token passes on {percent(rnn)} of the gradient in the RNN and {percent(lstm)} in "
        f"the LSTM, the geometric mean over {place} tokens."
    )


def gate_openings(recipe: str, forget: float, units: Sequence[float]) -> str:
    """Say how far the forget gate is open; units: the bounds of single units' means."""
    return (
        f"With `{recipe}`, the forget gate keeps {percent(forget)} of the cell state at each token, the mean "
        f"over tokens, units and reviews; single units keep {bounds(units)}."
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
