"""The report's conclusions follow the numbers: a test for every outcome."""

import pytest

from stages.reporting import verdicts

ABOVE, AROUND, BELOW = ({"interval": pair} for pair in ([0.01, 0.02], [-0.1, 0.1], [-0.2, -0.1]))


def test_ahead_is_what_the_interval_excludes() -> None:
    assert [verdicts.ahead(each) for each in (ABOVE, AROUND, BELOW)] == [1, 0, -1]
    assert [verdicts.ahead({"interval": pair}) for pair in ([0.0, 0.1], [-0.1, 0.0], [0.0, 0.0])] == [0, 0, 0]


def test_which_cell_leads() -> None:
    assert [verdicts.leading_cell(each) for each in (ABOVE, AROUND, BELOW)] == [
        "the LSTM is ahead of the RNN",
        "neither is ahead",
        "the RNN is ahead of the LSTM",
    ]
    assert [verdicts.interval_and_zero(each) for each in (ABOVE, AROUND, BELOW)] == [
        "excludes 0: the LSTM is ahead",
        "includes 0",
        "excludes 0: the RNN is ahead",
    ]


@pytest.mark.parametrize(
    ("rnn", "lstm", "said"),
    [
        (ABOVE, ABOVE, "both models beat"),
        (AROUND, AROUND, "both models are level with"),
        (BELOW, BELOW, "both models fall behind"),
        (BELOW, ABOVE, "the RNN falls behind and the LSTM beats"),
        (AROUND, BELOW, "the RNN is level with and the LSTM falls behind"),
        (ABOVE, AROUND, "the RNN beats and the LSTM is level with"),
    ],
)
def test_against_a_baseline(rnn: dict[str, list[float]], lstm: dict[str, list[float]], said: str) -> None:
    assert verdicts.against_baseline(rnn, lstm) == said


def test_equal_footing() -> None:
    assert (verdicts.equal_footing([]), verdicts.given([])) == (
        "yes",
        "the same tokens, vocabulary and train reviews",
    )
    other = ["tokens", "vocabulary", "train reviews"]
    assert verdicts.equal_footing(other) == "no: different tokens, vocabulary and train reviews"
    assert verdicts.given(other[:1]) == "different tokens"


def test_the_published_lstm() -> None:
    for published in (0.55, 0.95):
        said = verdicts.published_lstm(published, [0.8, 0.9])
        assert said == 'No. The published "LSTM" is no LSTM, and its figure is not an LSTM\'s.'
    for published in (0.8, 0.85, 0.9):
        assert "its figure alone does not give it away" in verdicts.published_lstm(published, [0.8, 0.9])
    assert "a single run does not tell" in verdicts.published_lstm(0.55, None)


def test_what_stays_significant_of_several() -> None:
    start = "After Holm's correction for 2 recipes, p is below 0.05 for "
    assert verdicts.corrected({"a": 0.01, "b": 0.049}) == f"{start}each of them."
    assert verdicts.corrected({"a": 0.01, "b": 0.05}) == f"{start}`a` only."
    assert verdicts.corrected({"a": 0.5, "b": 0.5}) == f"{start}none of them."
    assert verdicts.corrected({"a": 0.01}) == ""


def test_places_among_accuracies() -> None:
    assert verdicts.place(0.55, [0.56, 0.6]) == "1.0 points below the lowest"
    assert verdicts.place(0.57, [0.56, 0.6]) == "within the range"
    assert verdicts.place(0.62, [0.56, 0.6]) == "2.0 points above the highest"


def test_published_figures_and_prediction_intervals() -> None:
    intervals = {"rnn": [0.5, 0.6], "lstm": [0.8, 0.9]}
    assert verdicts.among_predictions(0.4, 0.55, intervals) == (
        'The published "LSTM" lies within that of the RNNs and outside that of the LSTMs; '
        "the published RNN lies outside that of the RNNs."
    )
    assert verdicts.among_predictions(0.5, 0.9, intervals) == (
        'The published "LSTM" lies outside that of the RNNs and within that of the LSTMs; '
        "the published RNN lies within that of the RNNs."
    )
    assert verdicts.among_predictions(0.5, 0.9, {"rnn": None, "lstm": None}) == ""


def test_the_gap_is_only_explained_where_it_closes() -> None:
    assert verdicts.gap_explained("a", 0.3, "b", -0.14) == (
        "The recipe, more than the cell: "
        "LSTM − RNN is +30.0 percentage points with `a` and −14.0 with `b`, at their own learning rates."
    )
    assert verdicts.gap_explained("a", 0.3, "b", 0.15) == (
        "LSTM − RNN is +30.0 percentage points with `a` and +15.0 with `b`, at their own learning rates: "
        "the recipe does not explain most of it."
    )


def test_what_changes_from_recipe_to_recipe() -> None:
    steps = [("a", "b", 1), ("b", "c", 2), ("c", "d", 0)]
    assert verdicts.steps_differ(steps) == (
        "`a` and `b` differ in one thing, `b` and `c` in many at once, `c` and `d` in nothing, "
        "so this does not tell which of those did what."
    )
    assert verdicts.steps_differ(steps[:1]) == "`a` and `b` differ in one thing."


def test_whether_a_side_study_is_up_to_date() -> None:
    assert verdicts.up_to_date([], "make x") == ""
    assert verdicts.up_to_date(["a"], "make x") == (
        "**Out of date: `a` has changed since; `make x` runs it again.**"
    )
    assert "`a` and `b` have changed since" in verdicts.up_to_date(["a", "b"], "make x")
    assert verdicts.up_to_date(None, "make x") == (
        "**Out of date: it is not recorded which code made this; `make x` runs it again.**"
    )


def test_short_and_long_reviews() -> None:
    short, middle, long = (
        {"tokens": tokens, "difference": {"mean": mean, "interval": [mean, mean]}}
        for tokens, mean in (("up to 9", 0.01), ("10 to 20", 0.02), ("over 20", 0.03))
    )
    assert verdicts.gain_on_longer({"a": (1200, [short, middle, long])}) == (
        "Yes: with `a`, which reads the last 1,200 tokens, LSTM − RNN is +1.0 (+1.0 to +1.0) percentage "
        "points for reviews of up to 9 tokens and +3.0 (+3.0 to +3.0) for those of over 20."
    )
    assert verdicts.gain_on_longer({"a": (200, [short, short])}).startswith("This is not shown: with `a`, wh")
    assert verdicts.gain_on_longer({"a": (200, [long, short])}).startswith(
        "The reverse is shown: with `a`, w"
    )
    mixed = {"a": (200, [long, short]), "b": (200, [short, short])}
    assert verdicts.gain_on_longer(mixed).startswith(
        "With some recipes the reverse is shown: with `a`, which"
    )
    assert (
        verdicts.elsewhere_on_longer({"a": ("pre", [short, short])}) == verdicts.elsewhere_on_longer({}) == ""
    )
    assert verdicts.elsewhere_on_longer({"a": ("pre", [short, long]), "b": ("post", [long, short])}) == (
        "With `a` it is larger on longer reviews: +1.0 (+1.0 to +1.0) percentage points for those of up to 9 "
        "tokens and +3.0 (+3.0 to +3.0) for those of over 20. With `b`, whose shorter reviews are followed "
        "by zeros, it is smaller on longer reviews: +3.0 (+3.0 to +3.0) percentage points for those of over "
        "20 tokens and +1.0 (+1.0 to +1.0) for those of up to 9."
    )
    several = verdicts.gain_on_longer({"a": (200, [long, short]), "b": (300, [short, long])})
    assert several.startswith("With some recipes, and with others the reverse: with `a`")
    assert "; with `b`, which reads" in several
    several = verdicts.gain_on_longer({"a": (200, [short, long]), "b": (300, [short, short])})
    assert several.startswith("With some recipes: with `a`")
    assert verdicts.gain_on_longer({"a": (200, [short])}).endswith("for reviews of up to 9 tokens.")


def test_what_the_other_seeds_say() -> None:
    difference = {"mean": 0.01, "interval": [0.005, 0.015]}
    assert verdicts.other_seeds("a", [0, 1], [2, 3], difference) == (
        "Seeds 0 and 1 also chose settings of `a`, in the search; with the seeds 2 and 3 alone, LSTM − RNN "
        "is +1.0 (+0.5 to +1.5), an interval over seeds."
    )
    assert verdicts.other_seeds("a", [0], [2, 3], difference).startswith("Seed 0 also chose")


def test_bag_of_words_models_at_an_edge() -> None:
    assert verdicts.regularisation_at_edges([]) == ""
    assert verdicts.regularisation_at_edges([("single words as `a`", 1.0), ("pairs as `b`", 100.0)]) == (
        "At an edge of what was tried, so that it may do better with another, is that of single words as `a` "
        "(C = 1) and pairs as `b` (C = 100)."
    )


def test_gates_mitigate_only_where_more_of_the_gradient_is_left() -> None:
    def said(**trained: tuple[float, float]) -> str:
        return verdicts.gradients_left(199, 0, trained, (0.3, 0.1), [])

    more, level = (0.1, 0.2), (0.2, 0.2)
    assert said(a=more, b=level, c=level) == (
        "**In the models of seed 0, after training yes with `a` and no with `b` and `c`; before training "
        "no.** Yes means that 199 tokens before the last one more of the last token's gradient is left in "
        "the LSTM than in the RNN."
    )
    assert said(a=more, b=more).startswith(
        "**In the models of seed 0, yes after training, with `a` and `b`; before training no.**"
    )
    assert said(a=level).startswith(
        "**In the models of seed 0, no after training, with `a`; before training no.**"
    )
    assert "before training yes" in verdicts.gradients_left(9, 3, {"a": more}, (0.1, 0.2), [])
    assert "no recipe pools by the last state" in verdicts.gradients_left(9, 3, {}, None, [("b", "mean")])
    other = verdicts.gradients_left(9, 3, {"a": more}, (0.1, 0.2), [("b", "mean")])
    assert "before training yes.** `b` cannot tell: it uses mean pooling. Yes means" in other


def test_gradients_of_models_that_did_not_learn() -> None:
    assert verdicts.gradients_unlearned([], 0.75) == ""
    models = ["the RNN with `a` (60.0 %)", "the LSTM with `b` (70.0 %)"]
    assert verdicts.gradients_unlearned(models, 0.75) == (
        "That does not show that gates are the reason: the RNN with `a` (60.0 %) and the LSTM with `b` "
        "(70.0 %) did not learn to get more than 75 % of the test reviews right, and a vanished gradient may "
        "be cause or effect."
    )


def test_initial_gradients_are_told_where_gates_do_not_help() -> None:
    assert verdicts.initial_gradients(2, (0.25, 0.04)) == (
        "Before training a token passes on 50.0 % of the gradient in the RNN and 20.0 % in the LSTM, the "
        "geometric mean over 2 tokens."
    )
    assert verdicts.initial_gradients(2, (0.1, 0.2)) == verdicts.initial_gradients(2, None) == ""
    assert verdicts.initial_gradients(0, (1.0, 1.0)) == ""


def test_gate_openings() -> None:
    assert verdicts.gate_openings("a", 0.9, [0.5, 0.95]) == (
        "With `a`, the forget gate keeps 90.0 % of the cell state at each token, the mean over tokens, units "
        "and reviews; single units keep 50.0 to 95.0 %."
    )


def test_nearness() -> None:
    assert verdicts.nearness("a", 4, 0.2, 0.1) == (
        "Validation reviews that are drawn one by one are nearer to what is trained on than test reviews "
        "are: with `a` 20.0 % of them share 4 or more rare words with a review that is trained on, "
        "of the test reviews 10.0 %."
    )
    assert "are no nearer to what" in verdicts.nearness("a", 4, 0.1, 0.1)
