"""Has test accuracy changed between two revisions, or is it the noise of a few seeds?

Prints for each recipe and cell the means over seeds, how far they are apart in percentage points, with the
95 % interval, and whether it excludes 0. Runs with the same seeds are compared seed by seed (paired t-test),
others as two samples (Welch's t-test). Both have the same test reviews: the interval is over seeds alone.

Each row is a test of its own: of twenty pairs that are equal, one seems to have changed. With five seeds, a
change by one, two or three standard deviations of seeds is seen in 23, 66 and 93 % of pairs; where the seeds
are not the same, in 26, 76 and 98 %. This was simulated with runs that have nothing in common but the mean;
where a seed makes both runs better or worse, a smaller change is seen.

Reads reports/comparison.json as git has it; nothing is trained or pulled.
"""

import argparse
import json
import subprocess
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from stages.params.recipe import CELLS
from stages.reporting.formatting import LABELS, percent
from stages.reporting.statistics import CONFIDENCE, DIGITS
from stages.runtime.command_line import Parser, protocol
from stages.runtime.errors import StageError
from stages.runtime.files import REPORTS

SOURCE = REPORTS / "comparison.json"
HERE = "here"  # how the table calls the working copy

Seeds = Mapping[str, float]  # seed → test accuracy


def main() -> None:
    """Print what has changed, as a table in Markdown."""
    parser = Parser(
        prog="python -m stages.tools.changes",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("old", nargs="?", default="HEAD", help="a commit, branch or tag (default: HEAD)")
    parser.add_argument("new", nargs="?", help="another one (default: the working copy)")
    arguments = parser.parse_args()
    with protocol("changes"):
        before, after = accuracies(arguments.old), accuracies(arguments.new)
        print(table(before, after, arguments.old, arguments.new or HERE))


def accuracies(revision: str | None) -> dict[tuple[str, str], Seeds]:
    """Return (recipe, cell) → seed → test accuracy at a revision, or in the working copy (None).

    Raises `StageError` where they are not to be had.
    """
    try:
        results = json.loads(SOURCE.read_bytes() if revision is None else shown(revision, SOURCE))
        return {
            (recipe, cell): results[recipe]["metrics"][cell]["accuracy"]["seeds"]
            for recipe in results
            for cell in CELLS
        }
    except FileNotFoundError:
        raise StageError(f"{SOURCE} does not exist: `make report` makes it") from None
    except (ValueError, KeyError, TypeError):
        where = "the working copy" if revision is None else revision
        raise StageError(f"{SOURCE} in {where} has another form: it is older, or half merged") from None


def shown(revision: str, path: Path) -> bytes:
    """Return a file as it is in a commit; raise `StageError` where there is no such file or commit."""
    for name, lacking in (
        (f"{revision}^{{commit}}", f"{revision!r} is no commit of this repository: `git fetch` may bring it"),
        (f"{revision}:./{path}", f"{path} is not in {revision}"),
    ):
        command = ("git", "rev-parse", "--quiet", "--verify", "--end-of-options", name)
        found = subprocess.run(command, check=False, capture_output=True, text=True)
        if found.returncode:
            raise StageError(lacking)
    return subprocess.run(
        ("git", "cat-file", "blob", found.stdout.strip()), check=True, capture_output=True
    ).stdout


def table(
    before: Mapping[tuple[str, str], Seeds], after: Mapping[tuple[str, str], Seeds], old: str, new: str
) -> str:
    """Return what has changed in Markdown, a row for each recipe and cell; old, new: their names."""
    head = ("recipe", "cell", old, new, "change, percentage points", "seeds", "test accuracy is")
    rows = [head, *rows_of(before, after)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, tuple("-" * width for width in widths))
    return "\n".join(
        "| " + " | ".join(f"{text:{width}}" for text, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    )


def rows_of(
    before: Mapping[tuple[str, str], Seeds], after: Mapping[tuple[str, str], Seeds]
) -> Iterator[tuple[str, ...]]:
    """Yield the cells of the table's rows."""
    for recipe, cell in dict.fromkeys((*after, *before)):
        ours, theirs = before.get((recipe, cell)), after.get((recipe, cell))
        means = [
            percent(float(np.mean(list(seeds.values()))), 2) if seeds else "–" for seeds in (ours, theirs)
        ]
        change, number, verdict = (
            compared(ours, theirs) if ours and theirs else ("–", "–", "gone" if ours else "new")
        )
        yield (recipe, LABELS[cell], *means, change, number, verdict)


def compared(before: Seeds, after: Seeds) -> tuple[str, str, str]:
    """Return the change of the mean with its interval, of how many seeds, and whether it is one, in words."""
    same = before.keys() == after.keys()
    number = f"{len(after)}, paired" if same else f"{len(before)} and {len(after)}"
    if before == after:
        return "0", number, "the same in each run"
    ours, theirs = (np.array([seeds[seed] for seed in sorted(seeds)]) for seeds in (before, after))
    change = points(theirs.mean() - ours.mean())
    if 1 in (len(ours), len(theirs)):
        return change, number, "unknown: one seed shows no noise"
    low, high = interval(ours, theirs, same)
    verdict = {1: "higher", 0: "no change that these seeds can show", -1: "lower"}
    return f"{change} ({points(low)} to {points(high)})", number, verdict[int(direction(low, high))]


def interval(before: np.ndarray, after: np.ndarray, paired: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the interval of the change of the mean of accuracies (…, seeds), rounded; two seeds or more."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # where all seeds have changed alike
        test = (
            stats.ttest_rel(after, before, axis=-1)
            if paired
            else stats.ttest_ind(after, before, axis=-1, equal_var=False)
        )
        bounds = test.confidence_interval(CONFIDENCE)
    return np.round(bounds.low, DIGITS), np.round(bounds.high, DIGITS)


def direction(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return 1 where an interval is above 0, −1 where it is below, 0 where it includes 0."""
    return np.asarray(low > 0, int) - np.asarray(high < 0, int)


def points(difference: Any) -> str:
    """0.01041 → "+1.04", in percentage points."""
    return f"{100 * round(float(difference), DIGITS) + 0.0:+.2f}".replace("-", "−")  # + 0.0: no "−0.00"


if __name__ == "__main__":
    main()
