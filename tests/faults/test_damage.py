"""Results, caches, locks and parameters that are damaged: the pipeline on the generated archive."""

import hashlib
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from stages.runner.state import delete_damaged
from tests.changed import Changed, listing, results
from tests.conftest import Project, run_in

RUN = ("python", "-m", "stages.tools.run")
UP_TO_DATE = "Everything is up to date\n"


def flip(file: Path) -> None:
    """Flip a bit in the middle of a file and leave its size, time and permissions, as a disk may."""
    before = file.stat()
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.chmod(0o644)
    with file.open("r+b") as same:  # not another file
        same.write(content)
    file.chmod(before.st_mode)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def cached(project: Path, file: Path) -> Path:
    """Return the file in the cache that holds an output's file."""
    found = [
        each
        for each in (project / ".dvc/cache/files").rglob("*")
        if each.is_file() and each.read_bytes() == file.read_bytes()
    ]
    return found[0]


DAMAGED = [
    "data/models/tuned/rnn-0/model.keras",
    "data/models/tuned/lstm-0/test_probabilities.npy",
    "data/padded/tuned/test_tokens.npy",
    "data/raw/train_tokens.npy",
]


RESTORED = ("`dvc repro` sees another digest; nothing is run", "everything: it is restored from DVC's cache")


@pytest.mark.fault("a flipped bit in a model", *RESTORED)
@pytest.mark.fault("a flipped bit in probabilities", *RESTORED)
@pytest.mark.fault("a flipped bit in padded reviews", *RESTORED)
@pytest.mark.fault("a flipped bit in `data/raw`", *RESTORED)
def test_damaged_results_come_from_the_cache(trained: Project) -> None:
    before, lock = results(trained), trained.text("dvc.lock")
    for name in DAMAGED:
        flip(trained.folder / name)
        (trained.folder / name).touch()
    status = trained.run("dvc", "status").stdout
    assert all(str(Path(name).parent) in status for name in DAMAGED)
    assert trained.repro() == set()
    assert (results(trained), trained.text("dvc.lock")) == (before, lock)


@pytest.mark.fault(
    "a flipped bit in a model, size and time of the file unchanged",
    "`make report` reads what DVC would believe to know, and sees it",
    "everything: it is restored from DVC's cache",
)
@pytest.mark.fault(
    "a flipped bit in DVC's cache",
    "`make report` names the file, deletes it and, where it was restored from, makes the result anew",
    "everything else; `dvc.lock` stays",
)
def test_bytes_that_dvc_does_not_look_at(trained: Project) -> None:
    before, lock = results(trained), trained.text("dvc.lock")
    fine = "Data and pipelines are up to date.\n"
    assert trained.run("dvc", "status", "dvc.yaml").stdout == fine
    flip(trained.folder / "data/models/tuned/lstm-0/model.keras")
    # From here the damage gets into data/.
    vectors = trained.folder / "data/word_vectors/tuned.npy"
    damaged = cached(trained.folder, vectors)
    flip(damaged)
    vectors.unlink()
    trained.run("dvc", "checkout", str(vectors))
    assert trained.run("dvc", "status", "dvc.yaml").stdout == fine
    assert results(trained) != before

    result = trained.run(*RUN)
    assert f"{damaged} was damaged: deleted" in result.stdout
    assert "word_vectors@tuned: done in" in result.stdout
    assert "train_lstm@tuned-0: up to date, or taken from the cache" in result.stdout
    assert "train_rnn@tuned-0: done" not in result.stdout
    assert (results(trained), trained.text("dvc.lock")) == (before, lock)


@pytest.mark.fault(
    "a file in DVC's cache that a power cut has left empty",
    "`make report` names the file and deletes it",
    "everything else in the cache, which is read once",
)
def test_the_cache_is_read_once_and_again_where_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def write(content: bytes) -> Path:
        digest = hashlib.md5(content).hexdigest()
        file = tmp_path / "cache/files/md5" / digest[:2] / digest[2:]
        file.parent.mkdir(parents=True)
        file.write_bytes(content)
        return file

    contents: list[bytes] = []
    md5 = hashlib.md5

    def noting(content: bytes) -> Any:
        contents.append(content)
        return md5(content)

    def read() -> list[bytes]:
        contents.clear()
        with monkeypatch.context() as patch:
            patch.setattr(hashlib, "md5", noting)
            delete_damaged(tmp_path / "cache")
        return contents

    monkeypatch.chdir(tmp_path)
    kept, flipped, emptied = (write(content) for content in (b"kept", b"flipped", b"emptied"))
    growing = kept.with_name(".growing.tmp")
    growing.touch()
    assert len(read()) == 3
    assert read() == []
    time.sleep(0.02)  # the clock of file systems ticks
    flip(flipped)
    emptied.write_bytes(b"")
    assert sorted(map(len, read())) == [0, 7]
    said = capsys.readouterr().out
    assert kept.exists() and growing.exists() and len(said.splitlines()) == 2
    for file in (flipped, emptied):
        assert not file.exists() and f"{file} was damaged: deleted" in said

    (tmp_path / ".dvc/tmp/read.json").write_text("[")  # nothing is noted: all is read
    assert read() == [b"kept"]


@pytest.mark.slow
@pytest.mark.fault(
    "DVC's cache is deleted",
    "`make report` puts the results that are here back into it; nothing is run",
    "everything but results of former parameters",
)
@pytest.mark.fault(
    "a `dvc.lock` that was edited by hand",
    "what it says differs from the files; nothing is trained",
    "everything: `dvc repro` takes models from DVC's cache and writes the undisturbed run's `dvc.lock`",
)
@pytest.mark.fault(
    "a half-merged `dvc.lock` or `params.yaml`",
    "the runner names file, line and the command that takes the merge back, exit status 1",
    "everything",
)
def test_edited_files_and_a_deleted_cache(trained: Project) -> None:
    before, lock, params = results(trained), trained.text("dvc.lock"), trained.text("params.yaml")
    digest = next(line for line in lock.splitlines() if line.endswith(".dir") and "md5:" in line)
    edited = lock.replace(digest, digest.replace("md5: ", "md5: " + "0" * 8)[: len(digest) - 4] + ".dir")
    (trained.folder / "dvc.lock").write_text(edited)
    assert edited != lock
    assert not any(stage.startswith("train_") for stage in trained.repro())
    assert (results(trained), trained.text("dvc.lock")) == (before, lock)

    back = "take the merge back with `git merge --abort`"
    helps = {"params.yaml": f"edit it, or {back}", "dvc.lock": f"{back}; after `make setup` git can do it"}
    for name, how in helps.items():
        file = trained.folder / name
        text = file.read_text()
        file.write_text(f"<<<<<<< HEAD\n{text}=======\n{text}>>>>>>> other\n")
        result = trained.run(*RUN, check=False)
        assert (result.returncode, result.stdout) == (1, "")
        assert result.stderr == f"run: {name} is half merged, line 1: {how}\n"
        file.write_text(text)
    assert trained.text("params.yaml") == params

    # Last, because the records of former runs go with it.
    shutil.rmtree(trained.folder / ".dvc/cache")
    said = trained.run(*RUN).stdout
    assert "were not in DVC's cache: put back" in said and said.endswith(UP_TO_DATE)
    assert (results(trained), trained.text("dvc.lock")) == (before, lock)


@pytest.mark.fault(
    "a flipped bit in the remote that others pull from, which was told to verify",
    "`dvc pull` fails and names what it could not get; the damaged file does not get into the cache",
    "all other results",
)
@pytest.mark.fault(
    "a flipped bit in the remote that others pull from, which was not told to verify",
    "`make report` names the file, deletes it and makes the result anew",
    "all other results; `dvc.lock` stays",
)
def test_a_damaged_remote(changed: Changed, tmp_path: Path) -> None:
    mine = Project(changed.folder).copy(tmp_path / "mine")
    mine.run("dvc", "remote", "add", "--default", "team", str(tmp_path / "team"))
    mine.run("git", "commit", "--quiet", "--all", "--message", "a place to share through")
    mine.run("dvc", "push", "dvc.yaml")
    vectors = Path("data/word_vectors/tuned.npy")
    damaged = cached(mine.folder, mine.folder / vectors)
    flip(tmp_path / "team" / damaged.relative_to(mine.folder / ".dvc/cache"))

    theirs = tmp_path / "theirs"
    run_in(tmp_path, "git", "clone", "--quiet", str(mine.folder), str(theirs))
    run_in(theirs, "dvc", "remote", "modify", "--local", "team", "verify", "true")
    result = run_in(theirs, "dvc", "pull", "dvc.yaml", check=False)
    assert result.returncode != 0 and "word_vectors" in result.stderr
    assert not (theirs / damaged.relative_to(mine.folder)).exists()
    names = set(changed.before) - {str(vectors.relative_to("data"))}
    assert {name: listing(theirs / "data").get(name) for name in names} == {
        name: changed.before[name] for name in names
    }

    run_in(theirs, "dvc", "remote", "modify", "--local", "team", "verify", "false")
    run_in(theirs, "dvc", "pull", "dvc.yaml")
    assert listing(theirs / "data") != changed.before
    said = run_in(theirs, *RUN).stdout
    assert f"{theirs / damaged.relative_to(mine.folder)} was damaged: deleted" in said
    assert "word_vectors@tuned: done in" in said and "train_rnn@tuned-0: done in" not in said
    assert listing(theirs / "data") == changed.before
