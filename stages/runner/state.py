"""What DVC does not notice: files of its own that are half written, and bytes that have changed.

DVC rewrites `dvc.lock` in place, and half of one can be valid YAML. It takes what lies in its cache for what
was put there, and a file for what it was while its time and size are the same.
"""

import hashlib
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from stages.runner import merge_lock
from stages.runner.dvc import MAIN_STUDY, cache_folder, printed, studies
from stages.runtime.errors import StageError
from stages.runtime.files import missing_input, write_atomically

RWLOCK = Path(".dvc/tmp/rwlock")  # which files DVC's processes read and write
READ = Path(".dvc/tmp/read.json")  # what was found whole: path → size and time of change


def check_state() -> None:
    """Raise `StageError` where a file of DVC's is damaged, which says how to put it right; mend the cache."""
    check_merged(MAIN_STUDY.with_suffix(".lock"), *studies())
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
    cache = cache_folder()
    delete_damaged(cache)
    delete_empty_records(cache)


@contextmanager
def hashed_anew() -> Iterator[None]:
    """Let the processes of DVC that are started in this block forget what they know of files' digests.

    Reading all results again takes little more than a second per gigabyte.
    """
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DVC_SITE_CACHE_DIR"] = folder
        try:
            yield
        finally:
            del os.environ["DVC_SITE_CACHE_DIR"]


def delete_damaged(cache: Path) -> None:
    """Delete what is damaged in DVC's cache: files that have another digest than their name is.

    Reads what was written since the last time, such as before a power cut, by a pull or by a former run.
    """
    try:
        known = dict(json.loads(READ.read_text()))
    except (OSError, ValueError, TypeError):
        known = {}
    whole = {}
    for file in sorted(cache.glob("files/md5/??/*")):
        name = f"{file.parent.name}{file.name}".removesuffix(".dir")
        if not re.fullmatch("[0-9a-f]{32}", name):  # not all written
            continue
        state = file.stat()
        version = [state.st_size, state.st_ctime_ns]  # a time that programs cannot set
        if known.get(str(file)) == version or hashlib.md5(file.read_bytes()).hexdigest() == name:
            whole[str(file)] = version
        else:
            file.unlink()
            print(f"{file} was damaged: deleted, what it was of is restored or made anew", flush=True)
    if whole != known:
        write_atomically(READ, json.dumps(whole))


def delete_empty_records(cache: Path) -> None:
    """Delete folders in DVC's run cache that it was ended in before it wrote anything: it fails at them."""
    for folder in cache.glob("runs/??/*"):
        with suppress(OSError):  # it holds a record
            folder.rmdir()


def check_merged(*files: Path) -> None:
    """Raise `StageError` where git has left the marks of a conflict in a file."""
    for file in filter(Path.is_file, files):
        for number, line in enumerate(file.read_bytes().splitlines(), 1):
            if line.startswith((b"<<<<<<< ", b">>>>>>> ")):
                back = "take the merge back with `git merge --abort`"
                how = (
                    f"{back}; after `make setup` git can do it"
                    if file.suffix == ".lock"
                    else f"edit it, or {back}"
                )
                raise StageError(f"{file} is half merged, line {number}: {how}")


def sort_lock(lock: Path) -> None:
    """Put the entries of a dvc.lock in the order of their names: stages side by side end in any order."""
    text = lock.read_text(encoding="utf-8")
    names = re.findall(r"^  (\S.*):$", text, re.MULTILINE)
    if names != sorted(names):
        content = merge_lock.parse(text)
        content["stages"] = dict(sorted(content["stages"].items()))
        write_atomically(lock, merge_lock.text_of(content))


def unlocked(study: Path) -> set[str]:
    """Return the stages of a dvc.yaml that its dvc.lock does not have, such as those a merge left out."""
    lock = study.with_suffix(".lock")
    entries = load_lock(lock) if lock.is_file() else {}
    prefix = "" if study == MAIN_STUDY else f"{study}:"
    names = printed("dvc", "stage", "list", "--name-only", str(study)).split()
    return set(names) - {prefix + name for name in entries}


def load_lock(lock: Path) -> Mapping[str, Mapping[str, Any]]:
    """Return what a dvc.lock says of each stage; raise `StageError` where it is missing or not whole."""
    try:
        text = lock.read_text(encoding="utf-8")
        if not text.endswith("\n"):
            raise ValueError
        stages = YAML(typ="safe").load(text)["stages"]
        files = [
            file for stage in stages.values() for kind in ("deps", "outs") for file in stage.get(kind, ())
        ]
        if not all(map(_described, files)):
            raise ValueError
    except FileNotFoundError:
        raise missing_input(lock) from None
    except (YAMLError, KeyError, TypeError, AttributeError, ValueError):
        raise StageError(
            f"{lock} is not whole: DVC was ended while it wrote it, or it was edited. "
            f"Run `{_restore(lock)}`, then the same command again: it takes what was finished from the cache"
        ) from None
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
