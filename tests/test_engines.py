"""Stages on other machines: nodes that fail and come back, coordinators that are ended, and what is refused.

Nodes are played by this machine, on a small pipeline and on the generated archive; on the latter also SLURM
and Ray run, two real nodes of each on loopback. Each node has its own clones and cache.
"""

import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from stages.runner.alone import alone
from stages.runner.coordinator import bring_up_to_date_on, check_remote, committed_revision
from stages.runner.engines import start_engine
from stages.runner.lock import entries, lock_text
from stages.runner.node import REFUSED, TRY_AGAIN, Task, run_task, versions
from stages.runner.schedule import Schedule
from stages.runner.state import load_lock
from stages.runtime.errors import StageError
from tests.changed import CELLS, RATE, Changed, listing
from tests.clusters import SPACE, in_cluster
from tests.conftest import ROOT, Project, eventually, run_in
from tests.nodes import Nodes
from tests.ticking import ENVIRONMENT, IDENTITY, STAGES, prepare

FOLDER = "nodes/$SLURMD_NODENAME"
NODE = {
    "slurm": "$SLURMD_NODENAME",
    "ray": "$NODE",
}  # what nodes are called in their environment
PACKAGES = {"slurm": ("submitit",), "ray": ("ray",)}
PROGRAMS = {"slurm": ("slurmctld", "munged", "unshare"), "ray": ("unshare",)}
TICK = """
import sys, time
from pathlib import Path
with open(sys.argv[2], "a") as file:
    file.write(sys.argv[1])
if sys.argv[1] == "1" and Path(sys.argv[2] + ".slow").exists():
    time.sleep(60)
Path("tick-" + sys.argv[1]).write_text("done")
"""
FAIL = """
  fail:
    cmd: for line in $(seq 30); do echo line $line; done; echo the reason >&2; exit 3
    deps: [first]
    outs: [never]
"""
# The first tick that comes to the node n2 ends it, as a machine ends without power: all processes from the
# engine's daemon down to the tick's own.
DYING = """
import os, signal, sys
from pathlib import Path
number, ran = sys.argv[1:]
node = os.environ.get("SLURMD_NODENAME") or os.environ["NODE"]
with open(ran, "a") as file:
    file.write(number)
if node == "n2" and not Path(ran + ".dead").exists():
    Path(ran + ".dead").touch()
    ends = [os.getpid()]
    while (parent := int(Path(f"/proc/{ends[0]}/stat").read_text().rpartition(")")[2].split()[1])) > 1:
        ends.insert(0, parent)
    for daemon in Path(ran).parent.glob("cluster/slurmd-n2.pid"):
        ends.insert(0, int(daemon.read_text()))
    for end in dict.fromkeys(ends):
        os.kill(end, signal.SIGKILL)
Path("tick-" + number).write_text("done")
"""
COORDINATE = """
import sys
from pathlib import Path
from stages.runner.alone import alone
from stages.runner.coordinator import bring_up_to_date_on
from stages.runner.engines import start_engine
from stages.runtime.command_line import protocol
from tests.nodes import Nodes

base, place, node = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
start = (lambda place: Nodes(base, "n1", "n2")) if place == "played" else start_engine
with protocol("run"), alone() as lock:
    bring_up_to_date_on(place, Path("dvc.yaml"), 1, False, lock, str(base / "nodes" / node), start)
"""


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A folder with the small pipeline, committed, and a remote; `ran` there says which ticks have run."""
    project = tmp_path / "project"
    project.mkdir()
    prepare(project)
    stages = STAGES.replace(
        "python tick.py ${item.number}", f"python tick.py ${{item.number}} {tmp_path}/ran"
    )
    (project / "dvc.yaml").write_text(stages)
    (project / "tick.py").write_text(TICK)
    (project / ".gitignore").write_text("/first\n/tick-*\n/last\n/never\n")
    run_in(project, "dvc", "remote", "add", "--quiet", "--default", "team", str(tmp_path / "team"))
    commit(project)
    return tmp_path


def commit(project: Path) -> None:
    run_in(project, "git", "add", "--all")
    run_in(project, "git", *IDENTITY, "commit", "--quiet", "--allow-empty", "--message", "now")


def coordinate(folder: Path, engine: Nodes, nodes: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the main study in a folder on an engine."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PATH", ENVIRONMENT["PATH"])
    with alone() as lock:
        bring_up_to_date_on("test", Path("dvc.yaml"), 1, False, lock, nodes, lambda place: engine)


@pytest.mark.slow
@pytest.mark.fault(
    "a coordinator is killed, and two others go on at once, in clones of their own",
    "both end well",
    "what was finished: nothing of it runs again, and both dvc.lock are those of a serial run",
)
def test_coordinators_may_be_killed_and_be_several(shared: Path, undisturbed: Path) -> None:
    script = shared / "coordinate.py"
    script.write_text(COORDINATE)
    environment = ENVIRONMENT | {"PYTHONPATH": str(ROOT)}

    def started(name: str) -> subprocess.Popen[str]:
        run_in(shared, "git", "clone", "--quiet", "project", name)
        command = [sys.executable, str(script), str(shared), "played", "$SLURMD_NODENAME"]
        return subprocess.Popen(
            command,
            cwd=shared / name,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    ran = shared / "ran"
    killed = started("killed")
    pushed = shared / "team/runs"
    try:
        assert eventually(lambda: len(list(pushed.glob("*/*/*"))) >= 2, 120)
    finally:
        killed.kill()
    assert eventually(lambda: not list((shared / "nodes").glob("n?/runs/*/")), 30)
    before = len(list(pushed.glob("*/*/*")))
    others = [started("one"), started("other")]
    said = [other.communicate(timeout=300)[0] for other in others]
    assert [other.returncode for other in others] == [0, 0], said
    assert len(list(pushed.glob("*/*/*"))) == 5
    assert all("5 stages done" in text and "taken from the cache" in text for text in said)
    assert all(len(re.findall("taken from the cache on n", text)) >= before for text in said)
    assert set(ran.read_text()) == set("012")
    locks = [(shared / name / "dvc.lock").read_text() for name in ("one", "other")]
    assert locks[0] == locks[1]
    assert list(entries(locks[0])) == ["first", "last", "tick@0", "tick@1", "tick@2"]
    for name in ("one", "other"):
        assert (shared / name / "last").read_text() == 3 * "done"
        load_lock(shared / name / "dvc.lock")
        assert run_in(shared / name, "dvc", "status").stdout == "Data and pipelines are up to date.\n"
    serial = run_in(shared / "killed", "dvc", "repro")  # from nothing: this clone's cache is its own
    assert serial.stdout.count("Running stage") == 5
    assert entries((shared / "killed/dvc.lock").read_text()) == entries(locks[0])


@pytest.mark.fault(
    "nodes of an engine: one has another NumPy, one is lost in mid-run, another joins late, the remote is "
    "away when results are pushed, a stage fails",
    "the first gets no more runs, the lost run starts over elsewhere, the push is tried again; the failed "
    "stage is named with its last lines, the others go on, exit status 1",
    "all other results",
)
def test_nodes_that_fail(
    shared: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = shared / "project"
    (project / "dvc.yaml").write_text((project / "dvc.yaml").read_text() + FAIL)
    (shared / "ran.slow").touch()
    commit(project)
    other = shared / "other/numpy-0.1.dist-info/METADATA"
    other.parent.mkdir(parents=True)
    other.write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 0.1\n")
    nodes = Nodes(shared)
    nodes.join("other", PYTHONPATH=f"{other.parent.parent}:{ROOT}")
    team, away = shared / "team", shared / "away"

    def play() -> None:
        """Let happen what happens, one after the other."""
        assert eventually(lambda: "other" in nodes.gone, 120)
        team.write_text("away")  # nothing was pushed yet
        nodes.join("n1")
        log = shared / "nodes/n1/logs/first.log"
        assert eventually(lambda: log.is_file() and "trying again in" in log.read_text(), 120)
        team.rename(away)
        slow = lambda: (shared / "ran").is_file() and "1" in (shared / "ran").read_text()  # noqa: E731
        assert eventually(slow, 120)
        (shared / "ran.slow").unlink()
        nodes.leave("n1")
        nodes.join("n2")

    def played() -> None:
        try:
            play()
        except BaseException:
            nodes.end()  # nobody must wait for them
            raise

    with ThreadPoolExecutor(1) as pool:
        player = pool.submit(played)
        with pytest.raises(StageError, match=r"^fail failed$"):
            coordinate(project, nodes, str(shared / FOLDER), monkeypatch)
        player.result()
    said = capsys.readouterr().out
    assert "first: results would not be the same bytes on this node: numpy is 0.1, not " in said
    assert "tick@1: its process ended with status -9; trying again" in said
    assert "line 30\nthe reason\n" in said and "line 5\n" not in said
    assert re.search(
        r"fail: more of what it printed is in \.dvc/tmp/logs/fail\.log\n\[\d/6\] fail: failed after", said
    )
    assert nodes.tasks[0] == ("other", "first") and ("n2", "tick@1") in nodes.tasks
    assert (shared / "ran").read_text().count("1") == 2
    assert (project / "last").read_text() == 3 * "done"
    assert list(entries((project / "dvc.lock").read_text())) == [
        "first",
        "last",
        "tick@0",
        "tick@1",
        "tick@2",
    ]


def lacking(place: str) -> str:
    """Return what an engine needs that is not here."""
    found = [each for each in PROGRAMS[place] if not shutil.which(each)]
    found += [each for each in PACKAGES[place] if not find_spec(each)]
    if not found and subprocess.run((*SPACE, "true"), check=False, capture_output=True).returncode:
        found.append("root, who may have a network and a process space of its own")
    return ", ".join(found)


def real(place: str) -> Any:
    reason = f"needs {lacking(place)}: .ci/run, as root, installs what is to be had"
    return pytest.param(place, marks=pytest.mark.skipif(bool(lacking(place)), reason=reason))


played = pytest.param("played", marks=pytest.mark.skipif(not lacking("slurm"), reason="SLURM itself runs"))


@pytest.mark.slow
@pytest.mark.parametrize("place", [played, real("slurm"), real("ray")])
def test_the_generated_archive_gives_the_serial_lock(
    place: str, changed: Changed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first recipe's RNN is trained with another learning rate: serially, and on two nodes."""
    project = Project(changed.folder).copy(tmp_path / "project")
    project.run("dvc", "remote", "add", "--quiet", "--default", "team", str(tmp_path / "team"))
    project.params["tuned"]["rnn"]["learning_rate"] = RATE
    project.save_params()
    project.commit("no results yet")
    project.run("dvc", "push", "--quiet")
    for folder in ("data", ".dvc/cache"):
        shutil.rmtree(project.folder / folder)
    project.run("git", "checkout", "--", "data")

    if place == "played":
        nodes = Nodes(tmp_path, "n1", "n2")
        coordinate(project.folder, nodes, str(tmp_path / FOLDER), monkeypatch)
        assert {stage for _, stage in nodes.tasks} == {
            *CELLS[:1],
            "score@tuned-0",
            "inspect_models@tuned",
            "release",
            "demo",
        }
    else:
        folder = f"--node-folder={tmp_path}/{NODE[place]}"
        command = (sys.executable, "-m", "stages.tools.run", "--on", place, folder)
        monkeypatch.setenv("PATH", ENVIRONMENT["PATH"])
        ended = in_cluster(place, tmp_path / "cluster", project.folder, *command)
        assert ended.returncode == 0, ended.stdout
        assert f"5 stages to run on {place}" in ended.stdout
        assert re.search(r"train_rnn@tuned-0: done in \d+ (s|min) on \w", ended.stdout)
    project.run("git", "diff", "--exit-code", "changed", "--", "dvc.lock", "params.yaml", "reports")
    assert listing(project.folder / "data") == changed.after


@pytest.mark.slow
@pytest.mark.fault(
    "a node of a real SLURM or Ray dies in mid-run, with the engine's daemon",
    "its run starts over on the other node",
    "all results; dvc.lock names every stage",
)
@pytest.mark.parametrize("place", [real("slurm"), real("ray")])
def test_a_node_that_dies(place: str, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = shared / "project"
    (project / "tick.py").write_text(DYING)
    commit(project)
    script = shared / "coordinate.py"
    script.write_text(COORDINATE)
    monkeypatch.setenv("PATH", ENVIRONMENT["PATH"])
    command = (sys.executable, str(script), str(shared), place, NODE[place])
    ended = in_cluster(place, shared / "cluster", project, *command)
    assert ended.returncode == 0, ended.stdout
    ran = (shared / "ran").read_text()
    assert (shared / "ran.dead").exists() and len(ran) == 4 and set(ran) == set("012")
    assert (project / "last").read_text() == 3 * "done"
    assert "5 stages done" in ended.stdout
    assert len(entries((project / "dvc.lock").read_text())) == 5


def test_what_a_node_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(folder: Path | str, **packages: str) -> str:
        outcome = run_task(Task("pad", {}, 40 * "a", (), str(folder), packages))
        assert outcome.status == REFUSED
        return outcome.output

    here = versions(("python", "numpy"))
    assert here["python"] == f"{sys.version_info.major}.{sys.version_info.minor}"
    said = refused(tmp_path, **here | {"absent": "1.2"})
    assert said == "results would not be the same bytes on this node: absent is not installed, not 1.2\n"
    monkeypatch.delenv("NO_SUCH", raising=False)
    assert "this node knows no variable of /there/$NO_SUCH\n" in refused("/there/$NO_SUCH", **here)
    mine = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: mine + 1)
    assert f"--node-folder: {tmp_path} is another user's\n" in refused(tmp_path, **here)


def test_what_nodes_cannot_see_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_in(tmp_path, "git", "init", "--quiet")
    (tmp_path / "params.yaml").write_text("a: 1")
    commit(tmp_path)
    (tmp_path / "reports").mkdir()
    for name in ("dvc.lock", "reports/search.json"):  # what a run changes
        (tmp_path / name).touch()
    assert re.fullmatch("[0-9a-f]{40}", committed_revision())
    (tmp_path / "params.yaml").write_text("a: 2")
    (tmp_path / "new.py").touch()
    said = "^params.yaml and 1 more not committed, and nodes see only what is committed: run `git add --all "
    with pytest.raises(StageError, match=said + "&& git commit`, or `git stash --include-untracked`$"):
        committed_revision()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (None, "names no remote, through which nodes share results"),
        ("../../team", "the remote team is ../../team, a relative path, which is elsewhere on a node"),
        ("https://team", "the remote team is https://team: DVC's run cache needs another kind than HTTP"),
    ],
)
def test_a_remote_that_does_not_serve_nodes_is_refused(url: str | None, said: str) -> None:
    config = (
        f"[core]\n    remote = team\n['remote \"team\"']\n    url = {url}\n" if url else "[core]\n    a = b\n"
    )
    with pytest.raises(
        StageError, match=re.escape(said) + ".*: run `dvc remote add --force --default NAME URL`"
    ):
        check_remote(config)
    for good in ("s3://team", "/team", "ssh://a@b:/team"):
        check_remote(f"[core]\n    remote = team\n['remote \"team\"']\n    url = {good}\n")


def test_a_revision_that_no_node_can_get_is_named(tmp_path: Path) -> None:
    run_in(tmp_path, "git", "init", "--quiet", "source")
    revision = 40 * "a"
    task = Task("pad", {}, revision, (str(tmp_path / "source"), "/no/such"), str(tmp_path / "node"), {})
    outcome = run_task(task)
    assert outcome.status == TRY_AGAIN
    said = f"revision aaaaaaaaaa is not in {tmp_path}/source nor in /no/such, as this node sees them: run "
    assert outcome.output.startswith(f"{said}`git push`\n")


def test_the_text_of_a_lock_is_that_of_its_entries() -> None:
    one, two, three = (f"  {name}:\n    cmd: x\n    deps:\n    - path: y\n" for name in ("b@1", "a", "c"))
    found = entries("schema: '2.0'\nstages:\n" + one + two + three)
    assert found == {"b@1": one, "a": two, "c": three}
    assert lock_text(found) == "schema: '2.0'\nstages:\n" + two + one + three


def test_what_failed_holds_up_only_what_needs_it() -> None:
    schedule = Schedule(
        {"a": (), "b": (), "c": ("a",), "d": ("b",)}, 9, {"a": 4.0, "b": 2.0, "c": 1.0, "d": 3.0}
    )
    assert [schedule.start(0) for _ in range(3)] == ["a", "b", None]
    schedule.queued |= {"a", "b"}
    assert schedule.time_left(10) == 4 + 2 + 3 + 1  # one at a time, while none has begun
    schedule.begin("a", 10)
    assert schedule.time_left(10) == 4 + 2 + 3 + 1
    assert schedule.fail("a", 12) == 2
    schedule.begin("b", 12)
    assert schedule.finish("b", 13, ran=True) == 1
    assert schedule.start(13) == "d" and schedule.start(13) is None
    assert (schedule.failed, schedule.done, list(schedule.waiting)) == (["a"], ["b"], ["c"])


@pytest.mark.parametrize("place", ["slurm", "ray"])
def test_an_engine_that_is_not_installed_is_named(
    place: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if place == "slurm" and find_spec("submitit"):  # without SLURM itself
        monkeypatch.setenv("PATH", "")
        monkeypatch.chdir(tmp_path)
        with pytest.raises(StageError, match=r"^--on slurm: "):
            start_engine(place)
    monkeypatch.setitem(sys.modules, {"slurm": "submitit", "ray": "ray"}[place], None)
    monkeypatch.delitem(sys.modules, f"stages.runner.on_{place}", raising=False)
    with pytest.raises(
        StageError, match=rf"--on {place} needs the package \w+: run `.*requirements-{place}.txt`$"
    ):
        start_engine(place)
