"""Bring one stage of a clone up to date, and DVC's remote with it: python -m stages.runner.one_stage STAGE.

That is `dvc repro --pull --single-item STAGE`, then `dvc push --run-cache`. Both of these copy the records of
all runs, so that the thousandth run would copy two thousand files; here the record of one run is asked for
and sent, after what it names. A remote that does not answer is asked again for a minute and a half.
"""

import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dvc.fs import generic
from dvc.repo import Repo, lock_repo
from dvc.repo.reproduce import _reproduce_stage
from dvc.stage.cache import _can_hash, _get_stage_hash
from dvc.stage.exceptions import StageCmdFailedError

from stages.runner.node import OTHER_BYTES, REFUSED, TRY_AGAIN
from stages.runtime import processor

PAUSES = (1.0, 3.0, 10.0, 25.0, 50.0)  # seconds before the remote is asked again


def main() -> None:
    """Exit with 1 where the stage fails, with `TRY_AGAIN` where the remote or a kill is at fault.

    And with `REFUSED` on a processor that does not give the same bytes: only a process that begins with this
    project can tell, and an engine's need not.
    """
    if reasons := processor.differences():
        print(f"{OTHER_BYTES}: {'; '.join(reasons)}")
        sys.exit(REFUSED)
    try:
        bring_up_to_date(sys.argv[1])
    except StageCmdFailedError as error:
        print(error)
        status = int((re.findall(r"exited with (-?\d+)$", str(error)) or ["1"])[0])
        sys.exit(TRY_AGAIN if status < 0 or status > 128 else 1)  # killed, by whom that may be
    except Exception as error:  # of DVC, the system, or the library for this kind of remote
        print(f"{type(error).__name__}: {error}")
        sys.exit(TRY_AGAIN)


def bring_up_to_date(name: str) -> None:
    """Take what the stage needs from the remote, restore or run it, and push it."""
    with Repo() as repo:
        [stage] = repo.stage.collect(name)
        needed = [each.addressing for each in repo.index.graph.successors(stage)]
        if needed:
            asked(lambda: repo.pull(needed))
        with lock_repo(repo):
            [stage] = repo.stage.collect(name)
            remote = repo.cloud.get_remote_odb(None, "push --run-cache", hash_name="md5-dos2unix")
            cache = repo.cache.legacy
            stage.save_deps()  # as if it were up to date, so the next block has it read again
            key = _get_stage_hash(stage) if _can_hash(stage) else None
            if key:
                asked(lambda: copy_records(remote, cache, key))
        with lock_repo(repo):
            [stage] = repo.stage.collect(name)
            if all(out.hash_info for out in stage.outs):
                _reproduce_stage(stage, pull=True)  # it may be up to date but for its outputs
            else:
                stage.run(pull=True)
                stage.dump(update_pipeline=False)
        asked(lambda: repo.push([name]))
        if key:
            asked(lambda: copy_records(cache, remote, key))
        kept = [str(out.def_path) for out in stage.outs if not out.use_cache]
    Path(".dvc/tmp/kept").write_text("".join(f"{path}\n" for path in kept), encoding="utf-8")


def copy_records(source: Any, target: Any, key: str) -> None:
    """Copy the run cache's records of one run, known by the digest of all that it depends on."""
    folder = source.fs.join(source.path, "runs", key[:2], key)
    if source.fs.exists(folder):
        for file in source.fs.find(folder):
            copy = target.fs.join(target.path, *source.fs.relparts(file, source.path))
            if not target.fs.exists(copy):
                generic.copy(source.fs, file, target.fs, copy)


def asked(action: Callable[[], object]) -> None:
    """Do what asks the remote, again after each of `PAUSES` while it fails."""
    for pause in PAUSES:
        try:
            action()
        except Exception as error:  # of DVC, the system, or the library for this kind of remote
            print(f"{type(error).__name__}: {error}: trying again in {pause:.0f} s", flush=True)
            time.sleep(pause)
        else:
            return
    action()


if __name__ == "__main__":
    main()
