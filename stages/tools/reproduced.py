"""Does a rerun give the committed results? Compares the working copy with a commit.

Run by run, mean by mean and conclusion by conclusion. Reads dvc.lock and reports/, and needs neither data nor
models. Exits with 0 where all bytes or all conclusions are the same, with 1 where a conclusion differs,
and with 2 where the two cannot be compared.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from stages.params.recipe import CELLS
from stages.reporting.formatting import LABELS, lead
from stages.reporting.verdicts import ahead
from stages.runtime.command_line import Parser, protocol
from stages.runtime.errors import StageError
from stages.runtime.files import REPORTS, RUNS

LOCK = Path("dvc.lock")


class Results(NamedTuple):
    """What is compared, of the working copy or of a commit."""

    outputs: dict[str, str]  # path → digest, of every output in dvc.lock
    runs: dict[str, dict[str, Any]]  # RECIPE-SEED → what `score` wrote
    verdicts: dict[str, Mapping[str, Any]]  # what is compared with what → the difference and its interval


def main() -> None:
    """Print how the working copy's results compare with a commit's."""
    parser = Parser(prog="python -m stages.tools.reproduced", description=__doc__)
    parser.add_argument("revision", nargs="?", default="HEAD", help="a commit, branch or tag (default: HEAD)")
    revision = parser.parse_args().revision
    with protocol("reproduced"):
        try:
            said, same = reproduced(revision)
        except StageError as error:
            print(f"reproduced: {error}", file=sys.stderr)
            sys.exit(2)
        print(said)
        sys.exit(0 if same else 1)


def reproduced(revision: str) -> tuple[str, bool]:
    """Return how the results compare with a commit's, in words, and whether the conclusions are the same.

    Raises `StageError` where they cannot be compared.
    """
    try:
        commit = git("rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}").strip()
    except StageError:
        raise StageError(f"{revision!r} is no commit of this repository") from None
    try:
        committed, ours = load(revision, commit), load("the working copy", None)
        check_comparable(revision, committed, ours)
        return compared(revision, committed, ours)
    except KeyError as error:
        raise StageError(f"the results in {revision} have another form: {error} is missing") from None


def load(name: str, commit: str | None) -> Results:
    """Return the results of a commit, or of the working copy (None), that messages call `name`.

    Raises `StageError` where a file is missing or broken.
    """

    def text(path: Path) -> str:
        try:
            return path.read_text(encoding="utf-8") if commit is None else git("show", f"{commit}:./{path}")
        except (OSError, StageError):
            raise StageError(f"{path} is not in {name}") from None

    def parsed(path: Path) -> Any:
        try:
            return json.loads(text(path))
        except ValueError:
            raise StageError(f"{path} in {name} is not valid JSON") from None

    try:
        stages = YAML(typ="safe", pure=True).load(text(LOCK))["stages"]
        outputs = {out["path"]: out["md5"] for stage in stages.values() for out in stage.get("outs", ())}
    except (YAMLError, KeyError, TypeError):
        raise StageError(f"{LOCK} in {name} is no lock file of DVC") from None
    runs = sorted(path for path in map(Path, outputs) if path.parent == RUNS)
    if not runs:
        raise StageError(f"{LOCK} in {name} has no runs: `dvc repro` trains them")
    comparison, bags = (parsed(REPORTS / f"{each}.json") for each in ("comparison", "bag_of_words"))
    return Results(outputs, {path.stem: parsed(path) for path in runs}, dict(verdicts(comparison, bags)))


def git(*arguments: str) -> str:
    """Return what a git command prints; raises `StageError` where it fails."""
    try:
        return subprocess.run(("git", *arguments), check=True, capture_output=True, encoding="utf-8").stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise StageError(f"git {arguments[0]} failed: {error}") from None


def verdicts(
    comparison: Mapping[str, Any], bags: list[Mapping[str, Any]]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield what the report says is ahead or not: what is compared, and the difference with its interval."""
    for recipe, row in comparison.items():
        yield f"{recipe}: LSTM − RNN", row["difference"]
        for cell, differences in row["over_bag_of_words"].items():
            for bag, difference in zip(bags, differences, strict=True):
                name = f"{recipe}: {LABELS[cell]} − bag of words ({bag['words']}, {bag['tokens']})"
                yield name, difference


def check_comparable(revision: str, committed: Results, ours: Results) -> None:
    """Raise `StageError` where the working copy is no rerun of the commit, but another study."""
    for what, theirs, own in (
        ("run", committed.runs, ours.runs),
        ("comparison", committed.verdicts, ours.verdicts),
    ):
        for name in sorted(theirs.keys() ^ own.keys()):
            where = revision if name in theirs else "the working copy"
            raise StageError(f"the {what} {name!r} is only in {where}: the two have other recipes or seeds")
    for name, run in ours.runs.items():
        if run["settings"] != committed.runs[name]["settings"]:
            raise StageError(f"{name} has other settings than in {revision}: this is no rerun")


def compared(revision: str, committed: Results, ours: Results) -> tuple[str, bool]:
    """Return how the results compare, in words, and whether the conclusions are the same."""
    outputs = committed.outputs | ours.outputs
    other = [path for path in outputs if committed.outputs.get(path) != ours.outputs.get(path)]
    if not other:
        return f"Same bytes: the {len(outputs)} outputs in dvc.lock are those of {revision}.", True
    moved = largest(committed, ours)
    changed = [
        f"  {name}: {verdict(old)} in {revision}; {verdict(ours.verdicts[name])} here"
        for name, old in committed.verdicts.items()
        if ahead(old) != ahead(ours.verdicts[name])
    ]
    if not changed:
        return f"Same conclusions; {moved}.", True
    count = f"{len(changed)} of {len(committed.verdicts)}"
    first = f"Other conclusions, {count} (percentage points and 95 % interval):"
    return "\n".join([first, *changed, f"{moved[0].upper()}{moved[1:]}."]), False


def verdict(difference: Mapping[str, Any]) -> str:
    """A difference in words: "+1.0 (−0.2 to +2.1), which includes 0,"."""
    words = {1: "above 0", 0: "which includes 0", -1: "below 0"}
    return f"{lead(difference)}, {words[ahead(difference)]},"


def largest(committed: Results, ours: Results) -> str:
    """Return the largest difference of a run's test accuracy, and of a mean over seeds, in words."""
    runs: dict[str, float] = {}
    means: dict[str, list[float]] = {}
    for name, run in ours.runs.items():
        recipe, _, seed = name.rpartition("-")
        for cell in CELLS:
            difference = run[cell]["test"]["accuracy"] - committed.runs[name][cell]["test"]["accuracy"]
            runs[f"{recipe} {cell} seed {seed}"] = abs(difference)
            means.setdefault(f"{recipe} {cell}", []).append(difference)
    furthest = max(runs, key=lambda name: runs[name])
    if not runs[furthest]:
        return "every run has the same test accuracy, but some outputs have other bytes"
    of_means = {name: abs(sum(each) / len(each)) for name, each in means.items()}
    mean = max(of_means, key=lambda name: of_means[name])
    return (
        f"the largest difference of a run's test accuracy is {100 * runs[furthest]:.2g} percentage points "
        f"({furthest}), of a mean {100 * of_means[mean]:.2g} ({mean})"
    )


if __name__ == "__main__":
    main()
