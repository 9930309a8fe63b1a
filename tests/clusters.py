"""Real engines on this machine, of two nodes on loopback each, which end with the test."""

import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil

from tests.conftest import ROOT, eventually, run_in

SLURM = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
ReturnToService=2
MpiDefault=none
SwitchType=switch/none
KillWait=2
SlurmdTimeout=10
SchedulerParameters=sched_interval=1,batch_sched_delay=0
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=1 RealMemory=4000
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=1 RealMemory=4000
PartitionName=all Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
"""


def free_ports(number: int) -> list[int]:
    """Return ports that nobody listens at."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextmanager
def process(folder: Path, name: str, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a daemon in the foreground, with a log; it ends, with all that it has started, when we do."""
    guard = [sys.executable, "-m", "stages.runner.guard", *command]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with (folder / f"{name}.out").open("wb") as log:
        daemon = subprocess.Popen(
            guard, cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=log, stderr=log
        )
        try:
            yield daemon
        finally:
            end(daemon)


def end(daemon: subprocess.Popen[bytes]) -> None:
    """Kill a process and all below it."""
    with suppress(psutil.NoSuchProcess):
        for process in (*psutil.Process(daemon.pid).children(recursive=True), psutil.Process(daemon.pid)):
            with suppress(psutil.NoSuchProcess):
                process.kill()
    daemon.communicate()


@contextmanager
def slurm(folder: Path) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Yield the nodes' daemons of a SLURM with one core each; SLURM_CONF says where it is."""
    folder.mkdir()
    host = socket.gethostname().partition(".")[0]
    text = SLURM.format(host=host, folder=folder, ports=free_ports(3))
    (folder / "slurm.conf").write_text(text)
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    files = {name: str(folder / f"munge.{name}") for name in ("socket", "pid-file", "log-file", "seed-file")}
    munge = [f"--{name}={file}" for name, file in files.items()]
    os.environ["SLURM_CONF"] = str(folder / "slurm.conf")
    try:
        with ExitStack() as stack:

            def start(name: str, *command: str) -> subprocess.Popen[bytes]:
                return stack.enter_context(process(folder, name, *command))

            def states() -> str:
                return run_in(folder, "sinfo", "--noheader", "--format=%D %t", check=False).stdout

            start("munged", "munged", "--foreground", "--force", f"--key-file={key}", *munge)
            assert eventually((folder / "munge.socket").exists)
            start("slurmctld", "slurmctld", "-D", "-i")
            nodes = {node: start(node, "slurmd", "-D", "-N", node) for node in ("n1", "n2")}
            assert eventually(lambda: "2 idle" in states(), 60), states()
            yield nodes
    finally:
        del os.environ["SLURM_CONF"]


@contextmanager
def ray(folder: Path) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Yield the nodes of a Ray cluster with one core each; NODE in their environment says which they are."""
    folder.mkdir()
    address = f"127.0.0.2:{free_ports(1)[0]}"  # for 127.0.0.1 Ray takes an address that others reach
    command = [
        str(Path(sys.executable).parent / "ray"),
        "start",
        "--block",
        "--num-cpus=1",
        "--disable-usage-stats",
    ]
    command += ["--node-ip-address=127.0.0.2", "--object-store-memory=100000000", "--memory=4000000000"]
    head = [
        "--head",
        f"--port={address.rpartition(':')[2]}",
        "--include-dashboard=false",
        f"--temp-dir={folder}",
    ]
    former = dict(os.environ)
    os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    try:
        with ExitStack() as stack:
            nodes = {}
            for node, own in (("n1", head), ("n2", [f"--address={address}"])):
                os.environ["NODE"] = node
                nodes[node] = stack.enter_context(process(folder, node, *command, *own))
                started = (folder / f"{node}.out").read_text
                assert eventually(lambda: "Ray runtime started" in started(), 90), started()  # noqa: B023
            os.environ["RAY_ADDRESS"] = address
            yield nodes
    finally:
        os.environ.clear()
        os.environ.update(former)
