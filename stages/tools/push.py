"""Push the data of the current commit, and make sure that it has arrived.

Sends data and run cache, then asks the remote for every file that a fresh clone of the commit needs, and
reads back what was sent. With --check nothing is sent: it says what somebody forgot to push.
"""

import argparse
from collections.abc import Collection
from typing import Any

from dvc.config import NoRemoteError
from dvc.repo import Repo
from dvc_data.hashfile.hash import file_md5
from dvc_data.hashfile.hash_info import HashInfo
from dvc_data.hashfile.transfer import transfer

from stages.params.reading import PARAMS_FILE
from stages.runner.dvc import DVC, MAIN_STUDY, printed, studies, study_of
from stages.runner.stored import named_files
from stages.runtime.command_line import Parser, protocol
from stages.runtime.errors import StageError

DAMAGED = "has arrived damaged: delete {} on the remote, and push again"
SHOWN = 10  # missing files that are named; all of a lost remote are too many


def main() -> None:
    """Push or check; exit with 1 where something is missing or has arrived damaged."""
    parser = Parser(
        prog="python -m stages.tools.push",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--check", action="store_true", help="send nothing")
    parser.add_argument("--remote", metavar="NAME", help="of `dvc remote list` (default: the default remote)")
    arguments = parser.parse_args()
    with protocol("push", "stopped. Nothing is lost: the same command goes on from there"):
        check_committed()
        try:
            with Repo() as repo:
                number = push(repo, arguments.remote, not arguments.check)
        except NoRemoteError:
            add = "`dvc remote add --default team ADDRESS`, and commit .dvc/config"
            raise StageError(f"there is no remote to share through: {add}") from None
        except StageError:
            raise
        except Exception as error:  # of the library for this kind of remote
            raise StageError(f"the remote cannot be asked: {error or type(error).__name__}") from error
        print(f"All {number} files that a fresh clone needs are on the remote")


def check_committed() -> None:
    """Raise `StageError` where what names the data differs from the commit: nobody could find them."""
    named = [str(path) for study in studies() for path in (study, study.with_suffix(".lock"))]
    changed = printed("git", "status", "--porcelain", "--", str(PARAMS_FILE), *named).split("\n")[0][3:]
    if changed:
        raise StageError(f"{changed} is not as in the last commit: commit it, then push")


def push(repo: Repo, name: str | None, send: bool) -> int:
    """Send what a remote lacks, unless told not to, and return how many files a fresh clone needs.

    Raises `StageError` where some are not there, or not as they were sent.
    """
    remote = repo.cloud.get_remote_odb(name)
    needed, unlisted, not_run = named_files(repo, (repo.cache.local, remote))
    if own := [stage for stage in not_run if study_of(stage) == MAIN_STUDY]:
        raise StageError(f"dvc.lock has no {', '.join(own)}: run `make report`, and commit")
    missing = lacked = absent(remote, needed)
    if send:
        printed(*DVC, "push", "--run-cache", *(("--remote", name) if name else ()))
        # Where a folder's list is on the remote, DVC takes it that all in it is.
        if missing := absent(remote, needed):
            transfer(repo.cache.local, remote, {HashInfo("md5", digest) for digest in missing})
            missing = absent(remote, needed)
    if missing:
        names = sorted(needed[digest] for digest in missing)
        more = f", and {len(names) - SHOWN} more" if names[SHOWN:] else ""
        how = (
            "nor are they here: `make report` makes them again"
            if send
            else "whoever trained them runs `make push`"
        )
        raise StageError(f"not on the remote: {', '.join(names[:SHOWN])}{more}: {how}")
    if unlisted:
        path = remote.oid_to_path(next(digest for digest, each in needed.items() if each == unlisted[0]))
        raise StageError(f"{unlisted[0]} {DAMAGED.format(path)}")
    for digest in sorted(lacked):
        path = remote.oid_to_path(digest)
        if file_md5(path, remote.fs) != digest.removesuffix(".dir"):
            raise StageError(f"{needed[digest]} {DAMAGED.format(path)}")
    return len(needed)


def absent(remote: Any, digests: Collection[str]) -> set[str]:
    """Return which of the digests a remote has no file of."""
    return set(digests) - set(remote.oids_exist(list(digests)))


if __name__ == "__main__":
    main()
