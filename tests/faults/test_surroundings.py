"""Odd surroundings: the pipeline and `predict` work there as elsewhere, and make the same bytes."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import run_in
from tests.faults.isolation import isolated

STAGES = "download film_groups pad@tuned word_vectors@tuned train_rnn@tuned-0 evaluate page"

# /tmp is read-only, and with it the home; two disks are mounted below it, for a clone and for its cache.
ODD = f"""
set -e
mount --bind /tmp /tmp
mount -o remount,bind,ro /tmp
cd "$PWD"  # into what is mounted now
mount -t tmpfs none disk
mount -t tmpfs none cache
export HOME="$PWD/home"
unset TMPDIR
for place in /tmp "$HOME"; do if touch "$place/new" 2>/dev/null; then echo "$place can be written"; fi; done
mkdir "disk/Übung – eins"
cp -a "$1/." "disk/Übung – eins"
mv "disk/Übung – eins/.dvc/cache" cache/of-all
cache="$PWD/cache/of-all"
cd "disk/Übung – eins"
dvc cache dir --local "$cache"
dvc repro --force --single-item {STAGES}
cmp dvc.lock "$1/dvc.lock"
dvc status dvc.yaml
echo "= the clock was ahead"
find . -type f -exec touch -d "2 years" {{}} +
dvc repro
echo "= the clock was behind"
find . -type f -exec touch -d "1970-01-02" {{}} +
dvc repro
cmp dvc.lock "$1/dvc.lock"
python -m stages.tools.predict "Good."
python -m stages.tools.run
"""
SAME = ("the pipeline runs and makes the same bytes", "everything")


@pytest.mark.slow
@pytest.mark.fault("a folder whose name has spaces and non-ASCII letters", *SAME)
@pytest.mark.fault("a home that is read-only", *SAME)
@pytest.mark.fault("a clone on another file system than DVC's cache", *SAME)
@pytest.mark.fault("a /tmp that is read-only", *SAME)
@pytest.mark.fault(
    "a clock that was years ahead or behind when files were written",
    "nothing is run again: digests decide, not dates",
    "everything",
)
def test_odd_surroundings(pipeline: Path, tmp_path: Path) -> None:
    alone = isolated("--mount")
    if not (str(tmp_path).startswith("/tmp/") and shutil.which("mount")):
        pytest.skip("needs mount, and the tests' files below /tmp")
    for name in ("disk", "cache", "home"):
        (tmp_path / name).mkdir()
    trial = subprocess.run([*alone, "mount", "-t", "tmpfs", "none", "disk"], cwd=tmp_path, check=False)
    if trial.returncode:
        pytest.skip("may not mount")
    (tmp_path / "odd.sh").write_text(ODD)
    said = run_in(tmp_path, *alone, "sh", "odd.sh", str(pipeline / "project")).stdout
    assert "can be written" not in said
    first, ahead, behind = said.split("= the clock")
    assert first.count("Running stage") == len(STAGES.split())
    assert "Data and pipelines are up to date." in first
    assert "Running stage" not in ahead + behind
    assert "rnn   lstm  text" in behind and behind.endswith("Everything is up to date\n")
