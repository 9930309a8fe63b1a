"""Whether accuracy has changed between two revisions, or only the seeds' noise shows."""

import json
import re
from typing import Any

import numpy as np
import pytest

from stages.tools import changes
from stages.tools.changes import compared, direction, interval, table
from tests.conftest import Project

PAIRS, SD = 200_000, 0.01
OURS = {"0": 0.86, "1": 0.87, "2": 0.865, "3": 0.862, "4": 0.871}


def share_seen(by: float, paired: bool, common: float = 0.0) -> float:
    """Return in which share of simulated pairs a change by so many standard deviations of seeds is seen.

    common: the share of the variance that a seed gives both runs.
    """
    random = np.random.default_rng(0)
    seeds = random.normal(size=(PAIRS, 5))
    runs = [
        np.sqrt(common) * seeds + np.sqrt(1 - common) * random.normal(size=(PAIRS, 5)) + shift
        for shift in (0, by)
    ]
    before, after = (np.round(0.85 + SD * run, 4) for run in runs)
    seen = direction(*interval(before, after, paired))
    assert by == 0 or (seen < 0).mean() < 0.01
    return float((seen != 0).mean())


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("common", [0.0, 0.5])
def test_equal_pairs_seem_to_have_changed_in_a_twentieth_at_most(paired: bool, common: float) -> None:
    """Up to what may be by chance in the simulation."""
    assert (
        (0.04 if paired else 0.01) < share_seen(0, paired, common) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / PAIRS)
    )


def test_the_power_is_as_stated() -> None:
    stated = [
        list(map(int, each)) for each in re.findall(r"in (\d+), (\d+) and\s+(\d+) %", changes.__doc__ or "")
    ]
    measured = [[round(100 * share_seen(by, paired)) for by in (1, 2, 3)] for paired in (True, False)]
    assert measured == stated
    assert min(each[2] for each in stated) >= 80
    assert share_seen(1, True, common=0.5) > share_seen(1, True)


@pytest.mark.parametrize(
    ("theirs", "said"),
    [
        (OURS, ("0", "5, paired", "the same in each run")),
        (
            {seed: value + 0.02 for seed, value in OURS.items()},
            ("+2.00 (+2.00 to +2.00)", "5, paired", "higher"),
        ),
        # By hand: d = −2, −1, −2, −1, −1.5 points; mean −1.5, sd 0.5, t(4) 2.776: ± 0.62.
        (
            {"0": 0.84, "1": 0.86, "2": 0.845, "3": 0.852, "4": 0.856},
            ("−1.50 (−2.12 to −0.88)", "5, paired", "lower"),
        ),
        # By hand: means 86.56, 86.10, s² 0.233, 0.75: standard error 0.545, Welch's t(2.77) 3.34: ± 1.82.
        (
            {"0": 0.856, "5": 0.856, "6": 0.871},
            ("−0.46 (−2.28 to +1.36)", "5 and 3", "no change that these seeds can show"),
        ),
        ({"0": 0.9}, ("+3.44", "5 and 1", "unknown: one seed shows no noise")),
    ],
)
def test_what_is_said(theirs: dict[str, float], said: tuple[str, str, str]) -> None:
    assert compared(OURS, theirs) == said


def test_the_table_has_what_came_and_went() -> None:
    said = table(
        {("a", "rnn"): OURS, ("b", "rnn"): OURS}, {("b", "rnn"): OURS, ("c", "lstm"): OURS}, "main", "here"
    )
    head, rule, *rows = [[each.strip() for each in line.strip("|").split("|")] for line in said.splitlines()]
    assert head[2:4] == ["main", "here"] and set("".join(rule)) == {"-"}
    assert rows == [
        ["b", "RNN", "86.56 %", "86.56 %", "0", "5, paired", "the same in each run"],
        ["c", "LSTM", "–", "86.56 %", "–", "–", "new"],
        ["a", "RNN", "86.56 %", "–", "–", "–", "gone"],
    ]
    assert len({len(line) for line in said.splitlines()}) == 1


def test_two_revisions_are_compared_as_git_has_them(project: Project) -> None:
    def save(rnn: dict[str, float]) -> None:
        cells: dict[str, Any] = {"rnn": rnn, "lstm": OURS}
        metrics = {cell: {"accuracy": {"seeds": seeds}} for cell, seeds in cells.items()}
        (project.folder / "reports/comparison.json").write_text(json.dumps({"tuned": {"metrics": metrics}}))

    def said(*arguments: str) -> tuple[int, str, str]:
        result = project.run("python", "-m", "stages.tools.changes", *arguments, check=False)
        return result.returncode, result.stdout, result.stderr

    assert said()[::2] == (1, "changes: reports/comparison.json is not in HEAD\n")
    save(OURS)
    project.commit("before")
    save({seed: value + 0.02 for seed, value in OURS.items()})
    status, out, _ = said()
    assert status == 0 and "| tuned  | RNN  | 86.56 % | 88.56 % | +2.00 " in out
    project.commit("after")
    assert said()[1].count("the same in each run") == 2
    assert said("HEAD~1", "HEAD")[1].splitlines()[1:] == out.splitlines()[1:]
    assert said("HEAD", "HEAD~1")[1].count("lower") == 1
    assert said("no-such")[::2] == (
        1,
        "changes: 'no-such' is no commit of this repository: `git fetch` may bring it\n",
    )
    (project.folder / "reports/comparison.json").write_text("<<<<<<< HEAD\n")
    other = "reports/comparison.json in the working copy has another form: it is older, or half merged"
    assert said()[::2] == (1, f"changes: {other}\n")
    (project.folder / "reports/comparison.json").unlink()
    assert said()[::2] == (1, "changes: reports/comparison.json does not exist: `make report` makes it\n")
