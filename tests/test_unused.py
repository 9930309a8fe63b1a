"""What no branch or tag needs is shown, then deleted, and nothing else."""

import json
import os
import sys
from pathlib import Path

import pytest

from stages.tools import unused
from tests.team import Clone, Team, setting


def files(folder: Path) -> int:
    return sum(path.is_file() for path in folder.rglob("*"))


def test_what_a_branch_or_tag_needs_stays(
    team: Team, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    team.branch("theirs", setting("b", "rate", 2))  # a branch that this clone does not have
    clone = team.branch("mine", setting("a", "rate", 2))
    clone.git("tag", "--annotate", "v1", "--message", "the first")
    clone.git("push", "--quiet", "origin", "v1")
    setting("a", "units", 3)(clone)
    clone.repro()
    clone.push("mine")
    clone.git("reset", "--quiet", "--hard", "HEAD~1")  # and nobody has that commit any more
    clone.git("push", "--quiet", "--force", "origin", "HEAD:mine")
    clone.git("remote", "prune", "origin")

    def said(*arguments: str) -> list[str]:
        monkeypatch.chdir(clone.folder)
        monkeypatch.setattr(sys, "argv", ["unused", *arguments])
        capfd.readouterr()
        unused.main()
        return capfd.readouterr().out.splitlines()

    cache, remote = clone.folder / ".dvc/cache/files", team.folder / "team/files"
    before = files(remote)
    shown = said("--cloud")
    assert [line.partition(" MB, ")[2].partition(";")[0] for line in shown[:2]] == [
        "unused in the cache",
        "unused in the remote",
    ]
    assert {line.split()[0] for line in shown[:2]} == {"3"}  # a folder, the file in it, and the page
    assert shown[2:] == ["Nothing was deleted; --delete does that"]
    assert files(remote) == before
    said("--delete")
    assert files(remote) == before
    kept = files(cache)
    said("--delete", "--cloud")
    assert (files(cache), files(remote)) == (kept, before - 3)
    assert said("--cloud")[1].startswith("0 files, 0.0 MB, unused in the remote")

    trained = team.trained()
    for number, revision in enumerate(("origin/main", "origin/mine", "origin/theirs", "v1")):
        reader: Clone = team.clone(f"reader-{number}")
        reader.git("switch", "--quiet", "--detach", revision)
        with reader.dvc() as repo:
            repo.pull()
            assert repo.status() == {}
    assert team.trained() == trained

    # The list of a folder that a branch needs is lost: what it needs is not known.
    (listed,) = (path for path in remote.rglob("*.dir") if "rate: 2" in rates(remote, path, "b"))
    listed.unlink()
    assert not (cache / listed.relative_to(remote)).exists()
    monkeypatch.setattr(sys, "argv", ["unused", "--delete", "--cloud"])
    with pytest.raises(SystemExit) as end:
        unused.main()
    assert end.value.code == 1
    assert capfd.readouterr().err.splitlines()[-1].startswith("unused: nothing was deleted: neither cache ")
    assert (files(cache), files(remote)) == (kept, before - 4)

    # A tag that is another commit at origin stays what it is here.
    clone.git("tag", "--force", "--annotate", "v1", "HEAD~1", "--message", "another")
    with pytest.raises(SystemExit) as end:
        unused.main()
    assert end.value.code == 1
    said_of_tag = capfd.readouterr().err
    assert "would clobber existing tag" in said_of_tag and "Traceback" not in said_of_tag


def rates(remote: Path, folder: Path, recipe: str) -> str:
    """Return the settings in a folder on the remote, where they are of a recipe."""
    digest = json.loads(folder.read_text())[0]["md5"]
    text = (remote / "md5" / digest[:2] / digest[2:]).read_text()
    return text if text.startswith(f"{recipe}:") else ""
