"""Which files of DVC's a commit names: those that a cache or remote has to hold for it."""

from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import Any, NamedTuple

from dvc.repo import Repo
from dvc_data.hashfile.tree import Tree
from dvc_objects.errors import ObjectFormatError


class Named(NamedTuple):
    """What the dvc.lock of every pipeline names, in the files as they are or at a revision that DVC reads."""

    files: dict[str, str]  # digest → name, also of the lists of what is in folders
    unlisted: list[str]  # folders whose list is nowhere, or damaged: what they hold is not among the files
    not_run: list[str]  # stages without an entry


def named_files(repo: Repo, places: Iterable[Any]) -> Named:
    """Return them; places: the cache, the remote, or both, where lists of folders are looked for."""
    named = Named({}, [], [])
    for out in repo.index.outs:
        name = PurePath(out.fs_path).relative_to(repo.root_dir).as_posix()
        if not out.use_cache:
            continue
        if not out.hash_info:
            named.not_run.append(out.stage.addressing)
            continue
        named.files[out.hash_info.value] = name
        if out.hash_info.isdir:
            listed = next(_lists(out.hash_info, places), None)
            if listed is None:
                named.unlisted.append(name)
            for key, _, info in listed or ():
                named.files[info.value] = "/".join((name, *key))
    return named


def _lists(folder: Any, places: Iterable[Any]) -> Iterator[Tree]:
    """Yield the list of what is in a folder, from each place that has it, undamaged."""
    for place in places:
        try:
            yield Tree.load(place, folder)
        except (FileNotFoundError, ObjectFormatError):
            continue
