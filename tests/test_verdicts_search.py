"""What the report concludes of the search: a test for every outcome."""

from typing import Any

from stages.reporting import verdicts_search as verdicts


def test_whether_a_recipe_is_what_the_search_chose() -> None:
    assert verdicts.followed("a", [], 12) == (
        "In the search both cells were given the same grid, the same seeds and the same number of tries, "
        "12; `a` has what it chose. The other settings were set by hand or by former searches."
    )
    assert verdicts.followed("a", ["x.y"], 12) == (
        "`a` is no longer what the search chose: `x.y` was changed since."
    )
    assert "`x.y`, `z` were changed since" in verdicts.followed("a", ["x.y", "z"], 12)


def test_choices_inside_the_grid_and_at_an_edge() -> None:
    assert verdicts.inside_the_grid([], []) == ""
    assert verdicts.inside_the_grid(["this"], []) == "This lies inside the grid."
    assert verdicts.inside_the_grid(["this", "that"], []) == "This and that lie inside the grid."
    assert verdicts.inside_the_grid([], ["this", "that"]) == (
        "This and that lie at an edge of the grid, so a value beyond it might do better."
    )
    assert verdicts.inside_the_grid(["`x.y`"], ["that"]) == (
        "`x.y` lies inside the grid; that lies at an edge of it, so a value beyond it might do better."
    )


def test_whether_more_epochs_might_help() -> None:
    ends = {"rnn": (3, 24), "lstm": (0, 24)}
    assert verdicts.enough_epochs(8, ends, {"rnn": (1, 2), "lstm": (0, 2)}) == (
        "The best epoch is the last of 8 in 3 of 24 runs of the RNN and in 0 of 24 runs of the LSTM. Of the "
        "4 runs of the chosen candidates it is the last in 1: more epochs might help them."
    )
    assert verdicts.enough_epochs(8, ends, {"rnn": (0, 2), "lstm": (0, 2)}).endswith(
        "it is the last in none: training went on past the best epoch in each of them."
    )
    assert verdicts.enough_epochs(8, {}, {}) == ""


def test_who_might_have_use_for_more_epochs() -> None:
    assert verdicts.more_epochs(5, {"rnn": (3, 3), "lstm": (0, 3)}) == (
        "The best epoch is the last of 5 in 3 of 3 runs of the RNN and in 0 of 3 runs of the LSTM: more "
        "epochs might help the RNN."
    )
    assert verdicts.more_epochs(5, {"rnn": (1, 3), "lstm": (1, 3)}).endswith("help the RNN and the LSTM.")
    assert verdicts.more_epochs(5, {"rnn": (0, 3), "lstm": (0, 3)}).endswith(f": {verdicts.PAST}.")


def row(mean: float, pooling: str = "mean", rate: float = 0.1) -> dict[str, Any]:
    """A candidate, with two seeds."""
    settings = {"model.pooling": pooling, "x": None}
    return {
        "mean": mean,
        "seeds": {"0": mean - 0.02, "1": mean + 0.02},
        "settings": settings,
        "learning_rate": rate,
    }


def test_what_the_ablation_says() -> None:
    worth = {"mean": -0.005, "interval": [-0.009, -0.002]}
    assert verdicts.worth_in_ablation("mean pooling", "lstm", worth, [2, 3]) == (
        "In the ablation, with the seeds 2 and 3, mean pooling is worth −0.5 (−0.9 to −0.2) percentage "
        "points of test accuracy to the LSTM."
    )


def test_what_equal_settings_cost() -> None:
    level, dearer = (row(0.8), row(0.8)), (row(0.85), row(0.874, "last", 0.003))
    assert verdicts.equal_settings({"rnn": level, "lstm": level}) == (
        "That both cells share their settings costs neither any validation accuracy."
    )
    assert verdicts.equal_settings({"rnn": level, "lstm": dearer}) == (
        "In validation accuracy, that both cells share their settings costs the LSTM 2.4 percentage points "
        "(85.00 % instead of 87.40 %, with `model.pooling` last, `x` none and learning rate 0.003; in 2 of 2 "
        "seeds), and the RNN nothing."
    )
    disagree = {**row(0.86), "seeds": {"0": 0.80, "1": 0.92}}
    said = verdicts.equal_settings({"rnn": level, "lstm": (row(0.85), disagree)})
    assert "learning rate 0.1; in 1 of 2 seeds)" in said
    both = verdicts.equal_settings({"rnn": dearer, "lstm": (row(0.8), row(0.9))})
    assert (
        "costs the RNN 2.4 percentage points (" in both and "), and the LSTM 10.0 percentage points (" in both
    )
    assert "nothing" not in both


def test_what_all_candidates_have_alike() -> None:
    assert verdicts.fixed_settings({}) == ""
    assert verdicts.fixed_settings({"a": 1e-05, "b": None}) == "All candidates have `a` 0.00001 and `b` none."
