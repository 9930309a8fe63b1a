"""A push that has arrived, and what is said of one that has not; also through a folder on a web server."""

import functools
import http.server
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stages.runner.dvc import printed
from stages.runner.stored import named_files
from stages.tools import push
from tests.team import Clone, Team, setting

Push = Callable[..., tuple[int, str]]


@pytest.fixture
def pushing(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Push:
    """What the command exits with and says last, in a clone."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")

    def call(clone: Clone, *arguments: str) -> tuple[int, str]:
        monkeypatch.chdir(clone.folder)
        monkeypatch.setattr(sys, "argv", ["push", *arguments])
        capfd.readouterr()
        status: Any = 0
        try:
            push.main()
        except SystemExit as end:
            status = end.code
        out, err = capfd.readouterr()
        return status, (err if status else out).splitlines()[-1]

    return call


@pytest.fixture
def trained(team: Team) -> Clone:
    """A clone with a commit whose models nobody has pushed; git has."""
    clone = team.clone("trained")
    setting("a", "rate", 2)(clone)
    clone.repro()
    return clone


def remote_file(team: Team, clone: Clone, name: str) -> Path:
    """Return where a file is on the remote."""
    with clone.dvc() as repo:
        found = named_files(repo, [repo.cache.local]).files
    digest = next(digest for digest, each in found.items() if each == name)
    return team.folder / "team/files/md5" / digest[:2] / digest[2:]


def test_a_push_arrives_and_a_forgotten_one_is_named(team: Team, trained: Clone, pushing: Push) -> None:
    assert pushing(trained) == (1, "push: dvc.lock is not as in the last commit: commit it, then push")
    trained.git("commit", "--quiet", "--all", "--message", "a faster")
    trained.git("push", "--quiet", "origin", "HEAD:main")
    reviewer = team.clone("reviewer")
    forgotten = "model-a, reports/report.html"  # where the list of a folder is not known, its files are not
    whose = "whoever trained them runs `make push`"
    assert pushing(reviewer, "--check") == (1, f"push: not on the remote: {forgotten}: {whose}")
    missing = "nor are they here: `make report` makes them again"
    assert pushing(reviewer) == (1, f"push: not on the remote: {forgotten}: {missing}")
    assert pushing(trained) == (0, "All 5 files that a fresh clone needs are on the remote")
    assert pushing(reviewer, "--check") == (0, "All 5 files that a fresh clone needs are on the remote")
    with reviewer.dvc() as repo:
        repo.pull()
    assert (reviewer.folder / "model-a/weights").read_text().startswith("a:\n  rate: 2\n")

    # A file that the remote has lost is sent again, though DVC takes it that a folder's are there.
    lost = remote_file(team, trained, "model-a/weights")
    lost.unlink()
    assert pushing(reviewer, "--check") == (1, f"push: not on the remote: model-a/weights: {whose}")
    assert pushing(trained)[0] == 0 and lost.is_file()

    # So is the list of a folder that was damaged there, once it is deleted.
    listed = remote_file(team, trained, "model-a")
    listed.unlink()
    listed.write_text("[")
    listed.chmod(0o444)
    damaged = f"delete {listed} on the remote, and push again"
    somebody = team.clone("somebody")
    assert pushing(somebody, "--check") == (1, f"push: model-a has arrived damaged: {damaged}")


def test_what_has_arrived_damaged_is_seen(
    team: Team, trained: Clone, pushing: Push, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained.git("commit", "--quiet", "--all", "--message", "a faster")
    place = remote_file(team, trained, "model-a/weights")

    def cut_short(*command: str) -> str:
        said = printed(*command)
        if "push" in command:
            place.chmod(0o644)
            place.write_text(place.read_text()[:-1])
            place.chmod(0o444)  # as DVC leaves it, or it would see the damage
        return said

    monkeypatch.setattr(push, "printed", cut_short)
    help_ = f"delete {place} on the remote, and push again"
    assert pushing(trained) == (1, f"push: model-a/weights has arrived damaged: {help_}")


def test_stages_without_results_and_remotes_that_are_none(team: Team, pushing: Push) -> None:
    clone = team.clone("somebody")
    clone.git("rm", "--quiet", "dvc.lock")
    clone.git("commit", "--quiet", "--message", "no lock")
    said = pushing(clone, "--check")
    assert said == (1, "push: dvc.lock has no train@a, train@b, page: run `make report`, and commit")
    clone.git("reset", "--quiet", "--hard", "HEAD~1")
    status, words = pushing(clone, "--check", "--remote", "none")
    assert status == 1 and words.startswith("push: the remote cannot be asked: ") and "'none'" in words
    (clone.folder / ".dvc/config").write_text("")
    address = "`dvc remote add --default team ADDRESS`, and commit .dvc/config"
    assert pushing(clone) == (1, f"push: there is no remote to share through: {address}")


@pytest.fixture
def website(team: Team) -> Iterator[tuple[str, list[str]]]:
    """The address of the remote's folder on a web server of this machine, and what it is asked for."""
    asked: list[str] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_request(self, *_: object) -> None:
            asked.append(self.command)

        def log_error(self, *_: object) -> None:
            pass

    folder = functools.partial(Handler, directory=str(team.folder / "team"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), folder) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()
        thread.join(10)


def test_anyone_pulls_from_a_folder_on_a_web_server(
    team: Team, pushing: Push, website: tuple[str, list[str]]
) -> None:
    address, asked = website
    clone = team.clone("anyone")
    (clone.folder / ".dvc/config").write_text(
        f"[core]\nremote = public\n['remote \"public\"']\nurl = {address}\n"
    )
    assert pushing(clone, "--check") == (0, "All 5 files that a fresh clone needs are on the remote")
    with clone.dvc() as repo:
        repo.pull()
    assert (clone.folder / "model-b/weights").read_text().startswith("b:\n")
    assert set(asked) <= {"GET", "HEAD"}
    trained = team.trained()
    with clone.dvc() as repo:
        assert repo.reproduce(pull=True) == []
    assert team.trained() == trained
    # It takes nothing.
    setting("a", "rate", 2)(clone)
    clone.repro()
    clone.git("commit", "--quiet", "--all", "--message", "a faster")
    assert pushing(clone)[0] == 1
