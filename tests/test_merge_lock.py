"""The merge driver of dvc.lock, by itself: 1,000 triples of lock files, and what people decide."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.serialize import dumps_yaml, loads_yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.runner import merge_lock
from stages.runner.merge_lock import merge, parse, text_of
from stages.runner.state import sort_lock
from tests.conftest import ROOT

Lock = dict[str, Any]
# Few names and few values, so that versions often agree; values that YAML could take for others.
NAMES = st.sampled_from(["page", "train@a-0", "train@a-1", "train@yes", "é: #", "no"])
VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [0, 1, True, 1.0, 1e-05, None, "1", "yes", "12:30", "a: b", "", "line\nline", [], {"x": [1]}]
)
ENTRIES = st.fixed_dictionaries(
    {"cmd": st.sampled_from(["python -m a", "python -m b " + "--long " * 20])},
    optional={"params": st.dictionaries(st.sampled_from(["lr", "no"]), VALUES, max_size=2)},
)
LOCKS = st.one_of(
    st.just({}),
    st.builds(
        lambda stages: {"schema": "2.0", "stages": stages}, st.dictionaries(NAMES, ENTRIES, max_size=5)
    ),
)


def stages(lock: Lock) -> Lock:
    return dict(lock.get("stages", {}))


@settings(max_examples=1000, deadline=None)
@given(LOCKS, LOCKS, LOCKS)
def test_a_thousand_triples(base: Lock, ours: Lock, theirs: Lock) -> None:
    merged, left_out = merge(base, ours, theirs)
    assert repr(loads_yaml(text_of(merged))) == repr(merged)
    assert repr(merge(base, theirs, ours)) == repr((merged, left_out))
    for name in stages(base) | stages(ours) | stages(theirs):
        before, here, there = (repr(stages(lock).get(name)) for lock in (base, ours, theirs))
        expected = {before, here, there} - {before} or {before}  # what either has changed it to
        if len(expected) == 1:
            assert repr(stages(merged).get(name)) == expected.pop() and name not in left_out
        else:
            assert name not in stages(merged) and name in left_out
    assert stages(merged).keys() <= stages(ours).keys() | stages(theirs).keys()


@given(LOCKS, LOCKS)
def test_what_one_side_did_is_the_result(base: Lock, changed: Lock) -> None:
    merged, left_out = merge(base, changed, base)
    assert (stages(merged), left_out) == (stages(changed), [])
    assert text_of(merged) == dumps_yaml(merged) and repr(parse(text_of(merged))) == repr(merged)
    assert merge(base, changed, changed) == (merged, [])


def driver(folder: Path, *texts: str) -> tuple[int, str, str]:
    """Run the driver as git does, where nothing of this project can be imported."""
    names = ("base", "ours", "theirs")
    for name, text in zip(names, texts, strict=True):
        (folder / name).write_text(text)
    command = (sys.executable, "-I", ROOT / "stages/runner/merge_lock.py", *names, "sub/dvc.lock")
    ended = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)
    assert ended.stdout == ""
    return ended.returncode, (folder / "ours").read_text(), ended.stderr


def lock(**cmds: str) -> str:
    return dumps_yaml({"schema": "2.0", "stages": {name: {"cmd": cmd} for name, cmd in cmds.items()}})


def test_what_git_runs(tmp_path: Path) -> None:
    base, ours = lock(a="1", b="1", c="1", gone="1"), lock(a="2", b="2", c="1", gone="1", new="1")
    status, merged, said = driver(tmp_path, base, ours, lock(a="3", b="1", c="1", alike="1"))
    assert (status, merged) == (0, lock(b="2", c="1", alike="1", new="1"))
    assert said == "sub/dvc.lock: both sides changed a: `dvc repro --pull` settles it\n"
    # Both made one, where none was.
    assert driver(tmp_path, "", lock(a="1", b="1"), lock(a="1", c="1"))[:2] == (0, lock(a="1", b="1", c="1"))


def test_new_entries_follow_and_what_is_sorted_stays_sorted() -> None:
    base, ours, theirs = ({"stages": dict.fromkeys(names, 1)} for names in ("ca", "cad", "cab"))
    assert list(stages(merge(base, ours, theirs)[0])) == ["c", "a", "b", "d"]
    base, ours, theirs = ({"stages": dict.fromkeys(names, 1)} for names in ("bd", "bcd", "abd"))
    assert list(stages(merge(base, ours, theirs)[0])) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("theirs", "said"),
    [
        ("stages:\n<<<<<<< HEAD\n  a: 1\n", "one side is no YAML: it may be half merged or half written"),
        ("stages: [a]\n", "one side is no dvc.lock: `stages` is missing"),
        ("[]\n- a\n", "one side is no YAML: it may be half merged or half written"),
        ("schema: '3.0'\nstages: {}\n", "both sides changed schema"),
    ],
)
def test_what_people_decide(theirs: str, said: str, tmp_path: Path) -> None:
    ours = lock(a="1").replace("2.0", "2.1")
    status, left, words = driver(tmp_path, lock(), ours, theirs)
    assert (status, left, words) == (1, ours, f"sub/dvc.lock: {said}; ours is left as it is\n")


def test_a_lock_is_sorted_where_it_is_not(tmp_path: Path) -> None:
    file = tmp_path / "dvc.lock"
    file.write_text(lock(b="1", a="1"))
    sort_lock(file)
    assert file.read_text() == lock(a="1", b="1")
    before = file.stat().st_ino
    sort_lock(file)
    assert file.stat().st_ino == before


def test_it_is_for_git() -> None:
    assert merge_lock.main([]) == 2
