"""Show what no branch or tag needs of DVC's cache and remote; with --delete, delete it.

Branches are those here and those of origin, which is asked first; experiments, the stash and the files as
they are now count, too. The one danger: what a branch needs that is nowhere but in a colleague's clone looks
unused. So ask before you delete from a cache or remote that others use.
"""

import argparse
from collections.abc import Sequence
from typing import Any

from dvc.config import NoRemoteError
from dvc.repo import Repo
from dvc_data.hashfile.db import get_index

from stages.runner.alone import alone
from stages.runner.dvc import printed
from stages.runner.stored import named_files
from stages.runtime.command_line import Parser, protocol
from stages.runtime.errors import StageError


def main() -> None:
    """Show or delete; exit with 1 where it cannot be known what is needed."""
    parser = Parser(
        prog="python -m stages.tools.unused",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--delete", action="store_true", help="delete it")
    parser.add_argument("--cloud", action="store_true", help="of the remote as well")
    arguments = parser.parse_args()
    with protocol("unused"), alone():
        if "origin" in printed("git", "remote").split():
            printed("git", "fetch", "--prune", "--tags", "origin")
        try:
            with Repo() as repo:
                cache, remote = repo.cache.local, remote_of(repo)
                if arguments.cloud and not remote:
                    raise StageError("there is no remote: without --cloud, only the cache is looked at")
                keep = needed(repo, [cache, remote] if remote else [cache])
        except StageError:
            raise
        except Exception as error:  # of the library for this kind of remote
            raise StageError(f"nothing was deleted: {error or type(error).__name__}") from error
        clean(
            {"the cache": cache} | ({"the remote": remote} if arguments.cloud else {}), keep, arguments.delete
        )


def remote_of(repo: Repo) -> Any:
    """Return the default remote; None where there is none."""
    try:
        return repo.cloud.get_remote_odb()
    except NoRemoteError:
        return None


def needed(repo: Repo, places: Sequence[Any]) -> set[str]:
    """Return the digests that branches, tags, experiments and the present files need.

    Raises `StageError` where that is not to be known.
    """
    names = printed("git", "for-each-ref", "--format=%(refname)").split()
    commits = printed("git", "rev-parse", *(f"{name}^{{commit}}" for name in names)).split()
    keep: set[str] = set()
    for revision in repo.brancher(revs=sorted(set(commits))):
        named = named_files(repo, places)
        if named.unlisted:
            raise StageError(
                f"nothing was deleted: neither cache nor remote knows what is in {named.unlisted[0]} of "
                f"{revision}, so what that needs is unknown: push it from where it is, or delete the branch"
            )
        keep |= named.files.keys()
    return keep


def clean(places: dict[str, Any], keep: set[str], delete: bool) -> None:
    """Print how much each place has beside what is to be kept, and delete it where told to."""
    for name, place in places.items():
        paths = [place.oid_to_path(digest) for digest in place.all() if digest not in keep]
        size = sum(info["size"] for info in place.fs.info(paths))
        if delete and paths:
            place.fs.remove(paths)
            get_index(place).clear()  # what DVC remembers to be there
        done = "deleted from" if delete else "unused in"
        print(f"{len(paths)} files, {size / 1e6:.1f} MB, {done} {name}; {len(keep)} are needed")
    if not delete:
        print("Nothing was deleted; --delete does that")


if __name__ == "__main__":
    main()
