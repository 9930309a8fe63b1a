"""What a killed DVC or a full disk leaves half of: the files that DVC rewrites in place.

Half a `dvc.lock` can be valid YAML: the last digest, size or entry is then another than it was.
"""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from stages.runner.dvc import studies
from stages.runtime.errors import StageError
from stages.runtime.files import load_text

RWLOCK = Path(".dvc/tmp/rwlock")  # which files DVC's processes read and write


def check_state() -> None:
    """Raise `StageError` where a file of DVC's is damaged; it says how to put it right."""
    for study in studies():
        lock = study.with_suffix(".lock")
        if lock.is_file():
            load_lock(lock)
    if RWLOCK.is_file():
        try:
            json.loads(RWLOCK.read_text(encoding="utf-8"))
        except ValueError:
            raise StageError(
                f"{RWLOCK} is damaged: run `rm {RWLOCK}` while no DVC is at work here; nothing is lost"
            ) from None


def load_lock(lock: Path) -> Mapping[str, Mapping[str, Any]]:
    """Return what a dvc.lock says of each stage; raise `StageError` where it is not whole."""
    try:
        text = load_text(lock)
        stages = YAML(typ="safe").load(text)["stages"]
        files = [
            file for stage in stages.values() for kind in ("deps", "outs") for file in stage.get(kind, ())
        ]
        whole = text.endswith("\n") and all(map(_described, files))
    except (StageError, YAMLError, KeyError, TypeError, AttributeError, ValueError):
        whole = False
    if not whole:
        raise StageError(
            f"{lock} is not whole: DVC was ended while it wrote it, or it was edited. "
            f"Run `{_restore(lock)}`, then the same command again: it takes what was finished from the cache"
        )
    return stages


def _described(file: Mapping[str, Any]) -> bool:
    """Return whether an entry on a file or folder has all that DVC writes of one."""
    digest = str(file["md5"])
    return (
        {"path", "hash", "size"} <= file.keys()
        and len(digest.removesuffix(".dir")) == 32
        and digest.endswith(".dir") == ("nfiles" in file)
    )


def _restore(lock: Path) -> str:
    """Return the command that puts a dvc.lock right: the committed one's return, where there is one."""
    known = subprocess.run(("git", "cat-file", "-e", f"HEAD:./{lock}"), check=False, capture_output=True)
    return f"rm {lock}" if known.returncode else f"git checkout HEAD {lock}"
