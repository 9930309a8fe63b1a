"""Git's merge driver for `dvc.lock`: three versions of it become one, stage by stage.

What one side has changed, added or deleted is taken from that side, and so is what both did alike. Where they
differ, the entry is left out and named: `dvc repro --pull` then takes the stage's results from the run cache,
or makes them again. The sides may be swapped, as in a rebase or cherry-pick: the result is the same.

Other DVC projects may copy this file: it needs Python and ruamel.yaml, as DVC does, and nothing else. In each
clone, git is told once what `dvc.lock` and outputs in git (`cache: false`) are merged by:

    git config merge.dvc-lock.driver "python path/to/merge_lock.py %O %A %B %P"
    git config merge.dvc-output.driver true

and .gitattributes, which is committed, says which files these are:

    dvc.lock      merge=dvc-lock
    metrics.json  merge=dvc-output

`true` leaves an output as it is on one side. Git asks it where both sides have changed the output. Then both
have changed the entry of its stage, too, so that is left out, and the output is made anew. In a clone that
was not told, git merges line by line, and mostly finds a conflict.
"""

import io
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

USAGE = "merge_lock: needs %O %A %B %P: the common ancestor, ours, theirs, and the name for messages\n"
ABSENT = object()


def main(arguments: Sequence[str]) -> int:
    """Write to `ours` what the three files become; return 0, or 1 where that is for people to decide."""
    if len(arguments) != 4:
        sys.stderr.write(USAGE)
        return 2
    *versions, name = arguments
    try:
        base, ours, theirs = (parse(Path(version).read_text(encoding="utf-8")) for version in versions)
        merged, left_out = merge(base, ours, theirs)
    except ValueError as error:
        sys.stderr.write(f"{name}: {error}; ours is left as it is\n")
        return 1
    Path(versions[1]).write_text(text_of(merged), encoding="utf-8")
    if left_out:
        sys.stderr.write(f"{name}: both sides changed {', '.join(left_out)}: `dvc repro --pull` settles it\n")
    return 0


def parse(text: str) -> dict[str, Any]:
    """Return what a dvc.lock says, {} of an empty one; raise `ValueError` where it is none."""
    try:
        lock = YAML(typ="safe", pure=True).load(text) or {}
    except YAMLError:
        raise ValueError("one side is no YAML: it may be half merged or half written") from None
    if not (isinstance(lock, dict) and isinstance(lock.get("stages", {}), dict)):
        raise ValueError("one side is no dvc.lock: `stages` is missing")
    return lock


def text_of(lock: Mapping[str, Any]) -> str:
    """Return a dvc.lock as DVC writes it."""
    yaml = YAML()
    yaml.default_flow_style = False
    text = io.StringIO()
    yaml.dump(dict(lock), text)
    return text.getvalue()


def merge(
    base: Mapping[str, Any], ours: Mapping[str, Any], theirs: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Return what three versions of a dvc.lock become, and the stages that are left out of it.

    Raises `ValueError` where something else than a stage was changed on both sides, such as `schema`.
    """
    sides = (base, ours, theirs)
    merged, conflicts = three_way([{**lock, "stages": None} if lock else {} for lock in sides])
    if conflicts:
        raise ValueError(f"both sides changed {', '.join(conflicts)}")
    merged["stages"], left_out = three_way([lock.get("stages", {}) for lock in sides])
    return merged, left_out


def three_way(sides: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], list[str]]:
    """Return what base, ours and theirs become, key by key, and the keys that both changed, each otherwise.

    The keys stay in the base's order, new ones follow by name; where all sides are sorted, so is the result.
    """
    base, ours, theirs = sides
    new = sorted((ours.keys() | theirs.keys()) - base.keys())
    merged, conflicts = {}, []
    for key in (*base, *new):
        before, here, there = (side.get(key, ABSENT) for side in sides)
        # Compared as text: to Python, 1, 1.0 and true are equal.
        if repr(here) == repr(there) or repr(there) == repr(before):
            taken = here
        elif repr(here) == repr(before):
            taken = there
        else:
            conflicts.append(key)
            continue
        if taken is not ABSENT:
            merged[key] = taken
    if all(list(side) == sorted(side) for side in sides):
        merged = dict(sorted(merged.items()))
    return merged, conflicts


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
