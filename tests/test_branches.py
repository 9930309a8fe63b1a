"""Whichever way branches come together, the result is one, and nothing is trained for it.

On a small pipeline of shell commands: how git and DVC go together. tests/test_merged.py has the real one.
"""

import pytest

from tests.team import Change, Team, add, drop_b, setting

HOW = {
    "merge": ("merge", "--no-commit", "origin/theirs"),
    "rebase": ("rebase", "origin/theirs"),
    "cherry-pick": ("cherry-pick", "origin/theirs"),
}
A, B = setting("a", "rate", 2), setting("b", "rate", 2)


@pytest.mark.parametrize(
    ("how", "mine", "theirs"),
    [
        ("merge", [A], [B]),
        ("merge", [B], [A]),
        ("rebase", [A, setting("a", "epochs", 2)], [B]),
        ("cherry-pick", [A], [B]),
        ("merge", [drop_b], [A]),
        ("merge", [A], [drop_b]),
        ("rebase", [drop_b], [A]),
    ],
)
def test_the_result_is_that_of_one_person(
    team: Team, how: str, mine: list[Change], theirs: list[Change]
) -> None:
    team.branch("theirs", *theirs)
    clone = team.branch("mine", *mine)
    expected, trained = team.alone(*mine, *theirs), team.trained()
    clone.git("fetch", "--quiet")
    said = clone.git(*HOW[how]).stderr
    assert "dvc.lock: both sides changed evaluate, page: `dvc repro --pull` settles it\n" in said
    assert clone.results() != expected
    clone.repro()
    assert clone.results() == expected
    assert team.trained() == trained


def test_three_branches(team: Team) -> None:
    changes = {"one": A, "two": B, "three": add("c")}
    clones = [team.branch(name, change) for name, change in changes.items()]
    expected, trained = team.alone(*changes.values()), team.trained()
    for clone in clones:
        clone.git("fetch", "--quiet")
        for name in changes:
            clone.git("merge", "--quiet", f"origin/{name}")
            clone.repro()
            clone.git("commit", "--quiet", "--all", "--allow-empty", "--message", name)
        assert clone.results() == expected
    assert team.trained() == trained


def test_a_recipe_is_added_on_both_sides(team: Team) -> None:
    """Whose names are in one line's place: that is for people to decide."""
    team.branch("theirs", add("d"))
    clone = team.branch("mine", add("c"))
    expected, trained = team.alone(add("c", "d")), team.trained()
    clone.git("fetch", "--quiet")
    assert clone.git(*HOW["merge"], check=False).returncode == 1
    assert clone.git("diff", "--name-only", "--diff-filter=U").stdout == "params.yaml\n"
    clone.write_params(r"^<<<<<<<.*\n(.*\n)=======\n(.*\n)>>>>>>>.*\n", r"\1\2")
    clone.repro()
    clone.git("commit", "--quiet", "--all", "--message", "both")
    assert clone.results() == expected
    assert team.trained() == trained


def test_both_change_the_same_recipe(team: Team) -> None:
    other = setting("a", "epochs", 2)
    team.branch("theirs", A)
    clone = team.branch("mine", other)
    trained = team.trained()
    clone.git("fetch", "--quiet")
    said = clone.git(*HOW["merge"]).stderr
    assert "both sides changed evaluate, page, score@a, train@a: `dvc repro --pull` settles it\n" in said
    # That was never trained.
    clone.repro()
    assert team.trained() == [*trained, "a"]
    clone.push("merged")
    assert clone.results() == team.alone(A, other)
    assert team.trained() == [*trained, "a"]


def test_both_change_the_same_number(team: Team) -> None:
    theirs = team.branch("theirs", setting("a", "rate", 3))
    clone, trained = team.branch("mine", A), team.trained()
    clone.git("fetch", "--quiet")
    assert clone.git(*HOW["merge"], check=False).returncode == 1
    assert clone.git("diff", "--name-only", "--diff-filter=U").stdout == "params.yaml\n"
    clone.git("checkout", "--theirs", "params.yaml")
    clone.make_merged()
    assert clone.results() == theirs.results()
    assert team.trained() == trained


def test_one_drops_what_the_other_changes(team: Team) -> None:
    """Git wants to know what becomes of a file under reports/: what the command makes of it."""
    team.branch("theirs", B)
    clone = team.branch("mine", drop_b)
    expected, trained = team.alone(B, drop_b), team.trained()
    clone.git("fetch", "--quiet")
    merged = clone.git(*HOW["merge"], check=False)
    assert "CONFLICT (modify/delete): reports/runs/b.json" in merged.stdout
    assert "both sides changed evaluate, page, score@b, train@b: " in merged.stderr
    clone.repro()
    clone.git("commit", "--quiet", "--all", "--message", "without b")
    assert clone.git("status", "--porcelain").stdout == ""
    assert clone.results() == expected
    assert team.trained() == trained


def test_a_clone_without_the_drivers_can_take_the_merge_back(team: Team) -> None:
    team.branch("theirs", B)
    team.branch("mine", A)
    clone = team.clone("unregistered", drivers=False)
    clone.git("switch", "--quiet", "mine")
    refused = clone.git(*HOW["merge"], check=False)
    assert refused.returncode == 1 and "CONFLICT (content): Merge conflict in dvc.lock" in refused.stdout
    clone.git("merge", "--abort")
    clone.register()
    clone.git(*HOW["merge"])
