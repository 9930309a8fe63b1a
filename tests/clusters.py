"""Real engines of two nodes on this machine: python -m tests.clusters slurm|ray FOLDER COMMAND…

Run it by `in_cluster`, in a network that consists of loopback, because Ray listens at all addresses there
are, and as the first process of a space of its own: when it ends, all that was started ends.
"""

import atexit
import fcntl
import os
import secrets
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.conftest import ROOT, eventually, run_in

SIOCSIFFLAGS, SIOCSIFADDR, IFF_UP = 0x8914, 0x8916, 1  # of Linux' sockios.h and if.h
SPACE = ("unshare", "--net", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc")
SLURM = """
ClusterName=test
SlurmctldHost=localhost(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
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
NodeName=n1 NodeHostname=localhost NodeAddr=127.0.0.1 Port=6818 CPUs=1 RealMemory=4000
NodeName=n2 NodeHostname=localhost NodeAddr=127.0.0.1 Port=6819 CPUs=1 RealMemory=4000
PartitionName=all Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
"""


def in_cluster(kind: str, folder: Path, project: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a project's folder, in a cluster that is there as long as it runs."""
    own = [sys.executable, "-m", "tests.clusters", kind, str(folder), *command]
    with (
        folder.with_suffix(".said").open("w+") as said,
        subprocess.Popen(
            [sys.executable, "-m", "stages.runner.guard", *SPACE, *own],
            cwd=project,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,  # should we end, the guard ends the cluster
            stdout=said,
            stderr=said,
        ) as process,
    ):
        status = process.wait()
        said.seek(0)
        return subprocess.CompletedProcess(command, status, said.read())


def main() -> None:
    """Start a cluster, run the command in it, and exit with its status."""
    kind, folder, *command = sys.argv[1:]
    socket.sethostname("localhost")
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
        # SLURM wants to see an address besides 127.0.0.1 before it listens: one that is for documentation.
        address = socket.inet_aton("192.0.2.1")
        fcntl.ioctl(any_socket, SIOCSIFADDR, struct.pack("16sHH4s8x", b"lo:1", socket.AF_INET, 0, address))
    Path(folder).mkdir()
    {"slurm": slurm, "ray": ray}[kind](Path(folder))
    sys.exit(subprocess.run(command, check=False).returncode)


def start(folder: Path, name: str, *command: str) -> Path:
    """Start a daemon; return its log."""
    log = folder / f"{name}.out"
    with log.open("wb") as file:
        subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    return log


def slurm(folder: Path) -> None:
    """Start a SLURM whose nodes have one core each; SLURM_CONF says where it is."""
    (folder / "slurm.conf").write_text(SLURM.format(folder=folder))
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o400)
    files = {name: folder / f"munge.{name}" for name in ("socket", "pid-file", "log-file", "seed-file")}
    os.environ["SLURM_CONF"] = str(folder / "slurm.conf")

    def states() -> str:
        return run_in(folder, "sinfo", "--noheader", "--format=%D %t", check=False).stdout

    munge = [f"--{name}={file}" for name, file in files.items()]
    start(folder, "munged", "munged", "--foreground", "--force", f"--key-file={key}", *munge)
    assert eventually((folder / "munge.socket").exists)
    start(folder, "slurmctld", "slurmctld", "-D", "-i")
    for node in ("n1", "n2"):
        start(folder, node, "slurmd", "-D", "-N", node)
    assert eventually(lambda: "2 idle" in states(), 60), states()


def ray(folder: Path) -> None:
    """Start a Ray whose nodes have one core each; NODE in their environment says which they are."""
    os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    # By itself 15: beside other work it would take for ever.
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112
    command = [str(Path(sys.executable).parent / "ray"), "start", "--block", "--num-cpus=1"]
    command += ["--disable-usage-stats", "--object-store-memory=100000000", "--memory=4000000000"]
    address = "127.0.0.1:6379"
    short = tempfile.mkdtemp()  # its sockets' names must be short
    atexit.register(shutil.rmtree, short, ignore_errors=True)
    head = ["--head", "--port=6379", "--include-dashboard=false", f"--temp-dir={short}"]
    for node, own in (("n1", head), ("n2", [f"--address={address}"])):
        os.environ["NODE"] = node
        log = start(folder, node, *command, *own)
        assert eventually(lambda: "Ray runtime started" in log.read_text(), 120), log.read_text()  # noqa: B023
    os.environ["RAY_ADDRESS"] = address


if __name__ == "__main__":
    main()
