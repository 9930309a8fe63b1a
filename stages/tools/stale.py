"""Do dvc.lock, reports/ and what is quoted belong to the code and parameters? Exits with 1 where not.

A side study that is not up to date is only mentioned: the report says so, too. Needs no data: DVC tells what
changed from what is merely absent, as data/ is in a fresh clone.
"""

import hashlib
import json
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from packaging.markers import default_environment
from packaging.requirements import Requirement
from ruamel.yaml import YAML

from stages.benchmarking.speed import speed_text
from stages.publishing.quoting import PAGES, SHOWN, all_commands, quoted
from stages.reporting.formatting import LABELS
from stages.runner.dvc import MAIN_STUDY, printed, study_of
from stages.runner.state import load_lock
from stages.runtime.command_line import Parser, protocol
from stages.runtime.errors import StageError
from stages.runtime.files import RELEASED, REPORTS, RUNS, load_json, load_text

ABSENT = ("deleted", "not in cache")
Stages = Mapping[str, Mapping[str, Any]]


def main() -> None:
    """Print every reason for which the results are stale."""
    Parser(prog="python -m stages.tools.stale", description=__doc__).parse_args()
    with protocol("stale"):
        main_lock, left_over = locked(MAIN_STUDY)
        cached = cached_outputs(load_yaml(MAIN_STUDY)["stages"])
        status = json.loads(printed("dvc", "status", "--json"))
        pipeline = [
            *changes({name: each for name, each in status.items() if study_of(name) == MAIN_STUDY}, cached),
            *broken_links(main_lock, made_by(main_lock)),
            *left_over,
            *not_released(load_json(REPORTS / "released.json"), made_by(main_lock)),
        ]
        beside = [
            *walked(load_text(REPORTS / "walk.md"), load_json(REPORTS / "metrics.json")),
            *answered(load_text(REPORTS / "answers.md"), made_by(main_lock).get(RELEASED.as_posix())),
            *other_commands(all_commands()),
            *not_rendered(load_json(REPORTS / "benchmark.json"), load_text(REPORTS / "benchmark.md")),
            *misquoted(PAGES),
            *unpinned(provenances(), load_text(Path("requirements.txt"))),
        ]
        for study in sorted(Path("stages").glob("*/dvc.yaml")):
            lock, left_over = locked(study) if study.with_suffix(".lock").is_file() else ({}, [])
            own = {name: each for name, each in status.items() if study_of(name) == study}
            reasons = [*changes(own), *broken_links(lock, made_by(main_lock) | made_by(lock))]
            if reasons:
                print(f"not up to date: {side_note(study, reasons, bool(lock))}")
            for reason in left_over:
                print(f"left over: {reason}")
            beside += not_copied(study.parent.name, lock)
        for reason in pipeline + beside:
            print(f"stale: {reason}", file=sys.stderr)
        if pipeline:
            raise StageError(
                "these results are not those of this code: run `make report`, commit what changes"
            )
        if beside:
            raise StageError("run what is named above, and commit what changes")
    print("The committed results belong to the committed code and parameters.")


def changes(status: Mapping[str, list[Any]], cached: Collection[str] = ()) -> Iterator[str]:
    """Yield what `dvc status --json` says has changed, but for data that is only absent.

    cached: the outputs outside data/ that DVC keeps, and not git.
    """
    for stage, reasons in status.items():
        for reason in reasons:
            if isinstance(reason, str):  # "changed command"
                yield f"{stage}: {reason}"
                continue
            for kind, paths in reason.items():
                for path, how in paths.items():
                    if not (how in ABSENT and (path.startswith("data/") or path in cached)):
                        yield f"{stage}: {kind}: {path}: {how}"


def cached_outputs(stages: Stages) -> set[str]:
    """Return the outputs of a dvc.yaml that are in DVC's cache, by the names that they have there."""
    return {out for stage in stages.values() for out in stage.get("outs", ()) if isinstance(out, str)}


def broken_links(stages: Stages, made: Mapping[str, str]) -> Iterator[str]:
    """Yield each data dependency in a dvc.lock that is not what the stage that makes it last made.

    made: of `made_by`. Where data/ is absent, `dvc status` cannot see this.
    """
    for name, stage in stages.items():
        for dep in stage.get("deps", ()):
            if dep["path"] in made and dep["md5"] != made[dep["path"]]:
                yield f"{name}: was not run again after {dep['path']} changed"


def made_by(stages: Stages) -> dict[str, str]:
    """Return each output in a dvc.lock and its digest."""
    return {out["path"]: out["md5"] for stage in stages.values() for out in stage.get("outs", ())}


def not_released(released: Mapping[str, Any], outputs: Iterable[str]) -> Iterator[str]:
    """Yield each cell whose released run is not the one that the scores of its runs prefer.

    released: reports/released.json; outputs: in dvc.lock, the scores among them. Where data/ is absent, DVC
    cannot tell whether the models are those that `release` has chosen from.
    """
    for cell, run in released.items():
        accuracies = {}
        for report in map(Path, outputs):
            recipe, _, seed = report.stem.rpartition("-")
            if (report.parent, recipe) == (RUNS, run["recipe"]):
                scored = load_json(report)[cell]
                kept = scored["history"]["epoch"].index(scored["kept_epoch"])
                accuracies[int(seed)] = scored["history"]["validation_accuracy"][kept]
        best = max(sorted(accuracies), key=lambda seed: accuracies[seed], default=None)
        if best is None or (run["seed"], run["validation_accuracy"]) != (best, accuracies[best]):
            yield f"release: was not run again after the {LABELS[cell]} runs of {run['recipe']} changed"


def side_note(study: Path, reasons: list[str], ran: bool) -> str:
    """Return one line on a side study that is not up to date."""
    if not ran:
        why = "was never run"
    else:
        why = reasons[0].removeprefix(f"{study}:") + (f", and {len(reasons) - 1} more" if reasons[1:] else "")
    return f"{study}: {why}; `python -m stages.tools.run {study}` runs it"


def not_copied(study: str, lock: Stages) -> Iterator[str]:
    """Yield whether reports/`study`.json is not the table that a side study has made."""
    copy = REPORTS / f"{study}.json"
    table = made_by(lock).get(f"data/{study}/table.json")
    if table and not (copy.is_file() and hashlib.md5(copy.read_bytes()).hexdigest() == table):
        command = f"python -m stages.tools.run stages/{study}/dvc.yaml"
        yield f"{copy}: is not what the side study made: run `{command}`"


def unpinned(made: Iterable[tuple[Path, Mapping[str, Any]]], requirements: str) -> Iterator[str]:
    """Yield each package version that models were made with and requirements.txt no longer pins.

    made: a report on models, and their provenance; of all reports on the same version, the first is named.
    """
    lines = re.findall(r"^[a-z0-9][^ ]*==[^\\\n]+", requirements, flags=re.MULTILINE)
    pins = [Requirement(line.strip()) for line in lines]
    seen = set()
    for report, provenance in made:
        python = provenance["python"]
        environment = default_environment() | {"python_version": python, "python_full_version": f"{python}.0"}
        for name, version in provenance["packages"].items():
            own = [pin for pin in pins if pin.name == name]
            pinned = [pin for pin in own if pin.marker is None or pin.marker.evaluate(dict(environment))]
            if not any(version in pin.specifier for pin in pinned) and (name, version, python) not in seen:
                seen.add((name, version, python))
                now = " or ".join(str(pin.specifier) for pin in pinned) or "no version"
                yield (
                    f"{report}: made with {name} {version}, and requirements.txt pins {now} for Python "
                    f"{python}: pin the former version, or train again with `dvc repro --force`"
                )


def provenances() -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield each of the main study's reports on trained models, and what these were made with."""
    for report in sorted(RUNS.glob("*.json")):
        yield report, load_json(report)["provenance"]


def misquoted(pages: Iterable[Path]) -> Iterator[str]:
    """Yield each page that quotes other results than those under reports/."""
    for page in pages:
        if quoted(page) != load_text(page):
            yield f"{page}: quotes other results than those in {REPORTS}: run `python -m stages.tools.quote`"


def walked(walk: str, metrics: Mapping[str, Any]) -> Iterator[str]:
    """Yield whether reports/walk.md starts from other figures than those of reports/metrics.json."""
    for name, old in re.findall(
        r"^\| reports/metrics\.json +\| ([\w.]+) +\| (-?[\d.]+) ", walk, flags=re.MULTILINE
    ):
        recipe, column, metric = name.split(".")
        now = metrics.get(recipe, {}).get(column, {}).get(metric)
        if now != float(old):
            yield (
                f"reports/walk.md: starts from {name} = {old}, and reports/metrics.json has {now}: "
                "commit the results, then run `make walk`"
            )
            return


def answered(answers: str, released: str | None) -> Iterator[str]:
    """Yield whether reports/answers.md was answered by other models than dvc.lock has in data/released."""
    for by in re.findall(r"^<!-- by data/released (\S+) -->$", answers, flags=re.MULTILINE):
        if by != released:
            yield (
                "reports/answers.md: answered by other models than data/released now has: "
                "commit the results, then run `make walk`"
            )


def other_commands(shown: Mapping[str, list[str]]) -> Iterator[str]:
    """Yield each report whose commands are not those that the READMEs show beside it.

    shown: name of the report → commands. A report without a command is not written yet.
    """
    for name, commands in shown.items():
        run = re.findall(r"^\$ (.*)$", load_text(REPORTS / f"{name}.md"), flags=re.MULTILINE)
        if run and run != [command for command in commands if command.startswith(SHOWN)]:
            yield f"reports/{name}.md: the READMEs show other commands than it has: run `make walk`"


def not_rendered(measured: Mapping[str, Any], page: str) -> Iterator[str]:
    """Yield whether reports/benchmark.md is not what its template makes of reports/benchmark.json."""
    if speed_text(measured) != page:
        yield (
            "reports/benchmark.md: is not what its templates make of reports/benchmark.json: "
            "run `python -m stages.tools.benchmark --render`"
        )


def locked(study: Path) -> tuple[Stages, list[str]]:
    """Return what the dvc.lock beside a dvc.yaml says of each stage, and a line on each entry left over.

    That is one whose stage dvc.yaml and params.yaml no longer name.
    """
    lock = study.with_suffix(".lock")
    stages = load_lock(lock)
    named = printed("dvc", "stage", "list", "--name-only", str(study)).split()
    current = {name.removeprefix(f"{study}:") for name in named}
    return {name: stage for name, stage in stages.items() if name in current}, [
        f"{name}: in {lock}, but params.yaml names no such run: delete its entry there"
        for name in sorted(stages.keys() - current)
    ]


def load_yaml(path: Path) -> Any:
    """Return what is in a YAML file."""
    return YAML(typ="safe", pure=True).load(load_text(path))


if __name__ == "__main__":
    main()
