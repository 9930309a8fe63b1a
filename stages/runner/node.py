"""What a node does for one run: the same function for every engine.

A node has a folder of its own: a copy of the git repository, DVC's cache, a log for each run, and, while a
run lasts, a clone of the committed revision to run it in. With the rest of the world it shares DVC's remote.
"""

import fcntl
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from stages.runner.disk import full_disk
from stages.runner.dvc import NOTES, Outcome, study_of
from stages.runner.lock import entries

# How a task ends where another try, or another node, may do better.
TRY_AGAIN, REFUSED = 75, 78
OTHER_BYTES = "results would not be the same bytes on this node"
KEPT = 20_000  # characters of a run's output that it returns; its log has all


class Task(NamedTuple):
    """A stage to bring up to date, and all that a node has to know for that."""

    stage: str
    locks: Mapping[str, str]  # path of a dvc.lock → what it says of the stage and of those that it needs
    revision: str
    sources: tuple[str, ...]  # repositories that may have the revision
    folder: str  # of the node; $NAME in it is taken from the node's environment
    packages: Mapping[str, str]  # with which versions the bytes are the same; "python" among them


def run_task(task: Task) -> Outcome:
    """Bring a stage up to date in a clone, and DVC's remote with it."""
    node = os.environ.get("SLURMD_NODENAME", platform.node())
    if reasons := differences(task.packages):  # before DVC is imported, which may be missing
        return Outcome(REFUSED, False, f"{OTHER_BYTES}: {'; '.join(reasons)}\n", node)
    try:
        folder = own_folder(task.folder)
    except OSError as error:
        return Outcome(REFUSED, False, f"{error}\n", node)
    name = re.sub(r"[^\w@.-]+", "-", task.stage)
    clone, log = folder / "runs" / name, folder / "logs" / f"{name}.log"
    with (
        locked(clone.with_name(f"{name}.lock")) as lock,
        log.open("w+", encoding="utf-8", errors="replace") as said,
    ):
        try:
            check_out(task, folder, clone)
            status = _run(task, clone, log, lock)
        except (OSError, subprocess.CalledProcessError) as error:
            reason = str(getattr(error, "stderr", None) or error)
            return Outcome(REFUSED if full_disk(reason) else TRY_AGAIN, False, f"{reason}\n", node)
        try:
            output = "".join(line for line in said if not NOTES.match(line))
            ran = bool(re.search(r"^Running stage ", output, re.MULTILINE))
            if status:
                if full_disk(output):  # there may be room on another node
                    status = REFUSED
                return Outcome(status, ran, output[-KEPT:], node)
            kept = (clone / ".dvc/tmp/kept").read_text(encoding="utf-8").splitlines()
            files = tuple((path, (clone / path).read_bytes()) for path in kept)
            text = (clone / study_of(task.stage)).with_suffix(".lock").read_text(encoding="utf-8")
            entry = entries(text)[task.stage.rpartition(":")[2]]
            return Outcome(0, ran, output[-KEPT:], node, entry, files)
        finally:
            shutil.rmtree(clone, ignore_errors=True)


def differences(promised: Mapping[str, str]) -> list[str]:
    """Return which packages are here in other versions than promised; promised: of `versions`."""
    here = versions(promised)
    return [
        f"{name} is {here[name]}, not {wanted}" for name, wanted in promised.items() if here[name] != wanted
    ]


def versions(names: Iterable[str]) -> dict[str, str]:
    """Return which versions of packages, and of Python, are installed here."""
    found = {}
    for name in names:
        try:
            found[name] = ".".join(map(str, sys.version_info[:2])) if name == "python" else version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def own_folder(name: str) -> Path:
    """Return the node's folder, made where it is missing; name: with variables of the environment.

    Raises `OSError` where a variable is not set, and where the folder is somebody else's: others could put
    into it what is run here.
    """
    folder = Path(os.path.expandvars(name)).expanduser().absolute()
    if "$" in str(folder):
        raise OSError(f"--node-folder: this node knows no variable of {folder}")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise OSError(f"--node-folder: {folder} is another user's")
    for each in ("runs", "logs", "cache"):
        (folder / each).mkdir(exist_ok=True)
    return folder


def check_out(task: Task, folder: Path, clone: Path) -> None:
    """Make `clone` one of the task's revision, with the node's cache and the dvc.lock of the task."""
    repository = folder / "git"
    with locked(folder / "git.lock"):
        git("init", "--quiet", "--bare", str(repository))
        known = ("git", "-C", str(repository), "cat-file", "-e", f"{task.revision}^{{commit}}")
        reasons = []
        for source in task.sources:
            if not subprocess.run(known, check=False, capture_output=True).returncode:
                break
            wanted = f"+{task.revision}:refs/kept/{task.revision}"
            fetch = ("git", "-C", str(repository), "fetch", "--quiet", source, wanted)
            reasons.append(subprocess.run(fetch, check=False, capture_output=True, text=True).stderr)
    shutil.rmtree(clone, ignore_errors=True)
    git("clone", "--quiet", "--shared", "--no-checkout", str(repository), str(clone))
    try:
        git("-C", str(clone), "checkout", "--quiet", "--detach", task.revision)
    except subprocess.CalledProcessError:
        where = " nor in ".join(task.sources)
        raise OSError(
            f"revision {task.revision[:10]} is not in {where}, as this node sees them: run `git push`\n"
            + "".join(reasons)
        ) from None
    (clone / ".dvc/config.local").write_text(f"[cache]\n    dir = {folder / 'cache'}\n", encoding="utf-8")
    # What other studies have is no matter here, and DVC would read it.
    for lock in (clone / "dvc.lock", *clone.glob("stages/*/dvc.lock")):
        lock.unlink(missing_ok=True)
    for path, text in task.locks.items():
        (clone / path).write_text(text, encoding="utf-8")


def git(*arguments: str) -> None:
    """Run git; raise `CalledProcessError` where it fails."""
    subprocess.run(("git", *arguments), check=True, capture_output=True, text=True)


def _run(task: Task, clone: Path, log: Path, lock: int) -> int:
    """Run the stage, which ends when this process does, and holds the lock until then; return its status."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "DVC_SITE_CACHE_DIR": str(clone / ".dvc/tmp/site"),  # nothing that was known of a former clone
    }
    python = [sys.executable, "-m"]
    command = [*python, "stages.runner.guard", *python, "stages.runner.one_stage", task.stage]
    with (
        log.open("a") as file,
        subprocess.Popen(
            command,
            cwd=clone,
            env=environment,
            stdin=subprocess.PIPE,  # closed when this process ends, and then the guard ends the rest
            stdout=file,
            stderr=subprocess.STDOUT,
            pass_fds=(lock,),
        ) as process,
    ):
        status = process.wait()
    return TRY_AGAIN if status < 0 or status > 128 else status


@contextmanager
def locked(file: Path) -> Iterator[int]:
    """Hold the lock on a file, for which processes of this node wait; yield its descriptor."""
    with file.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield held.fileno()
