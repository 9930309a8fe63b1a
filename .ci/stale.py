"""Exit with status 1 where dvc.lock or reports/ do not belong to the code and parameters beside them.

Needs no data: DVC tells what changed from what is merely absent, as data/ is in a fresh clone.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ABSENT = ("deleted", "not in cache")


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
    made = {out["path"]: out["md5"] for stage in stages.values() for out in stage.get("outs", ())}
    for name, stage in stages.items():
        for dep in stage.get("deps", ()):
            if dep["path"] in made and dep["md5"] != made[dep["path"]]:
                yield f"{name}: was not run again after {dep['path']} changed"


def left_over(stages: dict[str, dict[str, Any]], named: set[str]) -> Iterator[str]:
    """Yield each entry of dvc.lock whose stage dvc.yaml and params.yaml no longer name."""
    for name in sorted(stages.keys() - named):
        yield f"{name}: in dvc.lock, but params.yaml names no such run: delete its entry there"


def main() -> None:
    """Print every reason for which the results are stale."""
    lock = YAML(typ="safe", pure=True).load(Path("dvc.lock"))["stages"]
    reasons = [
        *changes(json.loads(dvc("status", "--json"))),
        *broken_links(lock),
        *left_over(lock, set(dvc("stage", "list", "--name-only").split())),
    ]
    for reason in reasons:
        print(f"stale: {reason}", file=sys.stderr)
    if reasons:
        sys.exit("The committed results are not those of this code: run `make report`, commit what changes.")
    print("The committed results belong to the committed code and parameters.")


def dvc(*arguments: str) -> str:
    """Return what a DVC command prints."""
    return subprocess.check_output(("dvc", *arguments), text=True)


if __name__ == "__main__":
    main()
