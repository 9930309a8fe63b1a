"""How many runs fit into a machine, from files as Linux writes them."""

import os
from pathlib import Path

import pytest

from stages.runner.jobs import default_jobs, fitting

GB = 1_000_000_000


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def test_processors_and_memory_count_and_one_run_always_fits(tmp_path: Path) -> None:
    assert fitting(4, 100 * GB, tmp_path) == 4  # no control groups, as on macOS
    assert fitting(16, 8 * GB, tmp_path) == 5
    assert fitting(16, GB // 2, tmp_path) == 1


V2 = "0::/user/job\n"
V1 = "5:cpu,cpuacct:/job\n4:memory:/job\n2:freezer:/\n"


@pytest.mark.parametrize(
    ("files", "jobs"),
    [
        ({"proc/self/cgroup": V2}, 16),
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/user/job/cpu.max": "300000 100000\n"}, 3),
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/user/job/cpu.max": "150000 100000\n"}, 2),
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/user/job/cpu.max": "20000 100000\n"}, 1),
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/user/job/cpu.max": "max 100000\n"}, 16),
        # A group above may take less; in a container its files lie at the root.
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/user/cpu.max": "200000 100000\n"}, 2),
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/cpu.max": "200000 100000\n"}, 2),
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/user/job/memory.max": f"{7 * GB}\n"}, 4),
        ({"proc/self/cgroup": V2, "sys/fs/cgroup/user/job/memory.max": "max\n"}, 16),
        (
            {
                "proc/self/cgroup": V1,
                "sys/fs/cgroup/cpu/job/cpu.cfs_quota_us": "250000\n",
                "sys/fs/cgroup/cpu/job/cpu.cfs_period_us": "50000\n",
            },
            5,
        ),
        (
            {
                "proc/self/cgroup": V1,
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
                "sys/fs/cgroup/memory/job/memory.limit_in_bytes": f"{2**63 - 4096}\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{4 * GB}\n",
            },
            2,
        ),
    ],
)
def test_control_groups_limit_it(files: dict[str, str], jobs: int, tmp_path: Path) -> None:
    write(tmp_path, files)
    assert fitting(16, 100 * GB, tmp_path) == jobs


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system has no processor affinity")
def test_affinity_counts() -> None:
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert default_jobs() == 1
    finally:
        os.sched_setaffinity(0, allowed)
