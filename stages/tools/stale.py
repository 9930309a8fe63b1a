"""Exit with status 1 where dvc.lock, reports/ and README.md do not belong to the code and parameters.

Needs no data: DVC tells what changed from what is merely absent, as data/ is in a fresh clone.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ABSENT = ("deleted", "not in cache")
REPORTS = Path("reports")


def changes(status: dict[str, list[Any]]) -> Iterator[str]:
    """Yield what `dvc status --json` says has changed, but for data that is only absent."""
    for stage, reasons in status.items():
        for reason in reasons:
            if isinstance(reason, str):  # "changed command"
                yield f"{stage}: {reason}"
                continue
            for kind, paths in reason.items():
                for path, how in paths.items():
                    if not (how in ABSENT and path.startswith("data/")):
                        yield f"{stage}: {kind}: {path}: {how}"


def broken_links(stages: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Yield each data dependency in dvc.lock that is not what the stage that makes it last made.

    Where data/ is absent, `dvc status` cannot see this.
    """
    made = made_by(stages)
    for name, stage in stages.items():
        for dep in stage.get("deps", ()):
            if dep["path"] in made and dep["md5"] != made[dep["path"]]:
                yield f"{name}: was not run again after {dep['path']} changed"


def made_by(stages: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Return each output in dvc.lock and its digest."""
    return {out["path"]: out["md5"] for stage in stages.values() for out in stage.get("outs", ())}


def left_over(stages: dict[str, dict[str, Any]], named: set[str]) -> Iterator[str]:
    """Yield each entry of dvc.lock whose stage dvc.yaml and params.yaml no longer name."""
    for name in sorted(stages.keys() - named):
        yield f"{name}: in dvc.lock, but params.yaml names no such run: delete its entry there"


def misquoted(readme: str, reports: Path) -> Iterator[str]:
    """Yield each file under `reports` that the page quotes otherwise than it is."""
    for name, quoted in re.findall(
        r"^<!-- from reports/(\w+)\.md -->\n(.*?)^<!-- end of reports/\1\.md -->$",
        readme,
        flags=re.MULTILINE | re.DOTALL,
    ):
        if quoted != (reports / f"{name}.md").read_text(encoding="utf-8"):
            yield f"README.md: what it quotes is not reports/{name}.md: run `python -m stages.reporting.report`"


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


def searched(found: Mapping[str, Any], search: Mapping[str, Any]) -> Iterator[str]:
    """Yield whether reports/search.json is of another grid or other seeds than `search` in params.yaml."""
    names, values = list(search["settings"]), search["settings"].values()
    grid = list(product(("rnn", "lstm"), search["learning_rates"], *values))
    tried = [
        (row["cell"], row["learning_rate"], *(row["settings"].get(name) for name in names))
        for row in found["rows"]
    ]
    seeds = [{int(seed) for seed in row["seeds"]} for row in found["rows"]]
    of_all = seeds.count(set(search["seeds"]))
    of_first = seeds.count(set(search["seeds"][:1])) if len(search["seeds"]) > 1 else 0
    if (
        found["recipe"] != search["recipe"]
        or any(set(row["settings"]) != set(names) for row in found["rows"])
        or sorted(map(repr, tried)) != sorted(map(repr, grid))
        or of_all + of_first != len(seeds)
        or (of_first and of_all != 2 * search["finalists"])
    ):
        yield "reports/search.json: is not of the search in params.yaml: run `make search`"


def trained_apart(apart: Mapping[str, Any], seeds: list[int]) -> Iterator[str]:
    """Yield each recipe of reports/apart.json that was trained on other seeds than params.yaml has."""
    for name, each in apart.items():
        if {int(seed) for seed in each["runs"]} != set(seeds):
            command = f"python -m stages.apart {name}"
            yield f"reports/apart.json: {name} has other seeds than params.yaml: run `{command}`"


def main() -> None:
    """Print every reason for which the results are stale."""
    yaml = YAML(typ="safe", pure=True)
    lock = yaml.load(Path("dvc.lock"))["stages"]
    params = yaml.load(Path("params.yaml"))
    pipeline = [
        *changes(json.loads(dvc("status", "--json"))),
        *broken_links(lock),
        *left_over(lock, set(dvc("stage", "list", "--name-only").split())),
    ]
    beside = [
        *searched(load("search"), params["search"]),
        *trained_apart(load("apart"), params["seeds"]),
        *walked((REPORTS / "walk.md").read_text(encoding="utf-8"), load("metrics")),
        *answered((REPORTS / "answers.md").read_text(encoding="utf-8"), made_by(lock).get("data/released")),
        *misquoted(Path("README.md").read_text(encoding="utf-8"), REPORTS),
    ]
    for reason in pipeline + beside:
        print(f"stale: {reason}", file=sys.stderr)
    if pipeline:
        sys.exit("The committed results are not those of this code: run `make report`, commit what changes.")
    if beside:
        sys.exit("Run what is named above, and commit what changes.")
    print("The committed results belong to the committed code and parameters.")


def load(name: str) -> dict[str, Any]:
    """Return what is in reports/`name`.json."""
    return dict(json.loads((REPORTS / f"{name}.json").read_text(encoding="utf-8")))


def dvc(*arguments: str) -> str:
    """Return what a DVC command prints."""
    return subprocess.check_output(("dvc", *arguments), text=True)


if __name__ == "__main__":
    try:
        main()
    except FileNotFoundError as error:
        sys.exit(f"stale: {error.filename} is not there: run `make report`")
