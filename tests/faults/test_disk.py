"""A disk that is full: before a run, during one, and under the commands that people run by hand."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stages.runner.state import load_lock
from tests.changed import listing
from tests.conftest import Project
from tests.ticking import ENVIRONMENT, TICK, prepare

# Stage 0 fills the disk, once 1 ticks.
FILL = """
if sys.argv[1] == "0":
    while not Path("ticks-1").exists():
        time.sleep(0.1)
    with open("filler", "wb", buffering=0) as filler:
        while True:
            filler.write(bytes(1 << 20))
"""
# In a name space of its own, so that nobody else sees the disk and it goes with its last process.
NAME_SPACE = ("unshare", "--map-root-user", "--mount")
SMALL_DISK = """
set -e
mkdir disk
mount -t tmpfs -o size=$1 none disk
cp -a project/. disk
cd disk
shift
set +e
. "$1"
"""


def on_small_disk(folder: Path, size: str, script: str) -> None:
    """Run a shell script in a copy of folder/project on a disk of `size`."""
    (folder / "small.sh").write_text(SMALL_DISK)
    (folder / "script.sh").write_text(script)
    command = [*NAME_SPACE, "sh", "small.sh", size, "../script.sh"]
    subprocess.run(command, cwd=folder, env=ENVIRONMENT, check=True, timeout=300)


@pytest.fixture
def small_disk() -> None:
    trial = (*NAME_SPACE, "mount", "-t", "tmpfs", "none", "/mnt")
    if not shutil.which("unshare") or subprocess.run(trial, check=False).returncode:
        pytest.skip("needs unshare, and name spaces that users may make")


@pytest.mark.fault(
    "a disk that is full, during a run",
    "the stage fails, the others are ended at once; it names stage and reason in one line, exit status 1",
    "what was finished; with room the same command goes on, and `dvc.lock` becomes the undisturbed run's",
)
def test_the_disk_is_full_during_a_run(small_disk: None, tmp_path: Path, undisturbed: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    prepare(project)
    (project / "tick.py").write_text(TICK.format(600).replace("for number", FILL + "for number", 1))
    (project / "after.py").write_text(TICK.format(2))
    on_small_disk(
        tmp_path,
        "200m",
        f"""
        {sys.executable} run.py >../out 2>../err
        echo $? >../status
        cp ticks-1 ..; sleep 1; cmp ticks-1 ../ticks-1 || exit 1
        rm filler
        mv after.py tick.py
        {sys.executable} run.py >../out2 2>../err2
        echo $? >../status2
        cp dvc.lock ..
        """,
    )
    said = (tmp_path / "err").read_text()
    assert (tmp_path / "status").read_text() == "1\n", said
    assert said.startswith("run: tick@0 failed, the disk is full (") and len(said.splitlines()) == 1
    assert (tmp_path / "status2").read_text() == "0\n", (tmp_path / "err2").read_text()
    assert load_lock(tmp_path / "dvc.lock") == load_lock(undisturbed / "dvc.lock")


@pytest.mark.fault(
    "little room on the disk, before a run",
    "it says how much there is and how much is needed, in one line, exit status 1",
    "everything; nothing was started",
)
def test_little_room_before_a_run(small_disk: None, tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    prepare(tmp_path / "project")
    on_small_disk(
        tmp_path, "20m", f"{sys.executable} run.py >../out 2>../err; echo $? >../status; ls >../left"
    )
    assert (tmp_path / "status").read_text() == "1\n"
    said = "run: the disk has 0.02 GB left, and 5 stages need about 0.06 GB: make room first\n"
    assert (tmp_path / "err").read_text() == said
    assert (tmp_path / "out").read_text() == ""
    assert "dvc.lock" not in (tmp_path / "left").read_text()


COMMANDS = [
    "tools.run",
    "tools.quick",
    "tools.quote",
    "tools.stale",
    "tools.reproduced",
    "tools.walk",
    "audit",
    "pad tuned",
    "score tuned 0",
    "train_rnn tuned 0",
]


@pytest.mark.fault(
    "a disk that is full, under a stage or a command",
    "it says so in one line, or what failed because of it, exit status 1",
    "the former results and READMEs, all bytes",
)
def test_commands_on_a_full_disk(small_disk: None, trained: Project) -> None:
    folder = trained.folder.parent
    trained.commit("results")
    shutil.rmtree(trained.folder / ".dvc/cache")
    trained.folder.rename(folder / "project")
    own = (".git/", ".dvc/tmp/")  # which git and DVC write at every command
    before = {path: sha for path, sha in listing(folder / "project").items() if not path.startswith(own)}
    runs = "\n".join(
        f"{sys.executable} -m stages.{command} >../out{number} 2>../err{number}; echo $? >../status{number}"
        for number, command in enumerate(COMMANDS)
    )
    on_small_disk(
        folder,
        "60m",
        f"""
        mkdir tmp; export TMPDIR=$PWD/tmp DVC_SITE_CACHE_DIR=$PWD/tmp PYTHONDONTWRITEBYTECODE=1
        cat /dev/zero >filler 2>../filled
        {runs}
        rm -r filler tmp
        cp -a . ../after
        """,
    )
    assert "No space left" in (folder / "filled").read_text()
    ends = {
        command: ((folder / f"status{number}").read_text(), (folder / f"err{number}").read_text())
        for number, command in enumerate(COMMANDS)
    }
    for command, (status, said) in ends.items():
        name = command.partition(" ")[0].removeprefix("tools.")
        if name == "reproduced":  # it writes nothing
            assert status == "0\n"
            continue
        assert status == "1\n", (command, said)
        assert "Traceback" not in said and said.splitlines()[-1].startswith(f"{name}: "), said
    after = listing(folder / "after")
    assert {path: after.get(path) for path in before} == before
