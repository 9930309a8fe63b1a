"""Sharing what was trained, through real servers on this machine: whoever clones trains nothing.

The pipeline has run, and one recipe was changed and trained again, once for all tests. In the clones
`python` is a command that fails, and so would every stage that ran.
"""

import configparser
import getpass
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ruamel.yaml import YAML

from tests.changed import CELLS, Changed, listing
from tests.conftest import run_in

BOUND = ("timeout", "--kill-after=5", "600")  # seconds, whatever becomes of the test


class Remote(NamedTuple):
    """A place to share through."""

    kind: str
    commands: tuple[tuple[str, ...], ...]  # what tells DVC of it, as in README.md
    refusing: Callable[[], AbstractContextManager[None]]  # while it lets nobody in
    refusal: str  # what DVC says then
    stop: Callable[[], None]  # for good
    silence: str  # what DVC says then


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder without keys, credentials or settings of whoever runs the tests."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "SSH_", "XDG_")):
            monkeypatch.delenv(name)
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    return folder


@pytest.fixture
def folder(tmp_path: Path, home: Path) -> Remote:
    place = tmp_path / "team"

    @contextmanager
    def refusing() -> Iterator[None]:
        kept = place.rename(tmp_path / "kept")
        place.write_text("not a folder")
        yield
        place.unlink()
        kept.rename(place)

    return Remote(
        kind="folder",
        commands=(("dvc", "remote", "add", "--default", "team", str(place)),),
        refusing=refusing,
        refusal=f"Not a directory: '{place}/",
        stop=lambda: shutil.rmtree(place),
        silence="failed to pull data from the cloud - Checkout failed for following targets:\n",
    )


@pytest.fixture
def ssh(tmp_path: Path, home: Path) -> Iterator[Remote]:
    server = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if not (server and shutil.which("ssh-keygen") and shutil.which("timeout") and find_spec("dvc_ssh")):
        pytest.skip("needs sshd (Debian: openssh-server), ssh-keygen, timeout and dvc[ssh]")
    if os.getuid() == 0 and not Path("/run/sshd").is_dir():
        pytest.skip("needs the folder /run/sshd, into which root's sshd locks itself: mkdir -m 755 /run/sshd")
    keys = {name: tmp_path / name for name in ("host_key", "known", "unknown")}
    for key in keys.values():
        run_in(tmp_path, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
    identity = home / ".ssh/id_ed25519"
    identity.parent.mkdir(mode=0o700)
    shutil.copy(keys["known"], identity)
    port = free_port()
    (tmp_path / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {keys['host_key']}\nPidFile none\n"
        f"AuthorizedKeysFile {keys['known']}.pub\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
        f"KbdInteractiveAuthentication no\nSubsystem sftp internal-sftp\n"
    )

    @contextmanager
    def refusing() -> Iterator[None]:
        shutil.copy(keys["unknown"], identity)
        yield
        shutil.copy(keys["known"], identity)

    with serving(tmp_path, port, server, "-D", "-e", "-f", str(tmp_path / "sshd_config")) as stop:
        url = f"ssh://{getpass.getuser()}@127.0.0.1:{port}{tmp_path}/team"
        yield Remote(
            kind="ssh",
            commands=(("dvc", "remote", "add", "--default", "team", url),),
            refusing=refusing,
            refusal=f"Permission denied for user {getpass.getuser()} on host 127.0.0.1",
            stop=stop,
            silence=f"Connect call failed ('127.0.0.1', {port})",
        )


@pytest.fixture
def s3(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Remote]:
    server = shutil.which("moto_server")
    if not (server and shutil.which("timeout") and find_spec("flask") and find_spec("dvc_s3")):
        pytest.skip("needs moto_server (moto[s3], flask, flask-cors), timeout and dvc[s3]")
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    credentials = home / ".aws/credentials"
    credentials.parent.mkdir()

    def use(access_key_id: str, secret_access_key: str) -> None:
        file = configparser.ConfigParser()
        file["default"] = {
            "aws_access_key_id": access_key_id,
            "aws_secret_access_key": secret_access_key,
            "region": "us-east-1",
        }
        with credentials.open("w") as text:
            file.write(text)

    @contextmanager
    def refusing() -> Iterator[None]:
        use(key["AccessKeyId"], "wrong")
        yield
        use(key["AccessKeyId"], key["SecretAccessKey"])

    monkeypatch.setenv("INITIAL_NO_AUTH_ACTION_COUNT", "4")  # moto asks for credentials after the first four
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")  # by default a server that is gone is called for 40 seconds
    with serving(tmp_path, port, server, "-H", "127.0.0.1", "-p", str(port)) as stop:
        use("nobody", "nothing")
        boto3 = pytest.importorskip("boto3")
        iam = boto3.client("iam", endpoint_url=address)
        iam.create_user(UserName="user")
        allowed = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": allowed})
        iam.put_user_policy(UserName="user", PolicyName="all", PolicyDocument=policy)
        key = iam.create_access_key(UserName="user")["AccessKey"]
        boto3.client("s3", endpoint_url=address).create_bucket(Bucket="team")
        use(key["AccessKeyId"], key["SecretAccessKey"])
        yield Remote(
            kind="s3",
            commands=(
                ("dvc", "remote", "add", "--default", "team", "s3://team/imdb"),
                ("dvc", "remote", "modify", "team", "endpointurl", address),
            ),
            refusing=refusing,
            refusal="failed to connect to s3 (team/imdb/files/md5) - Forbidden",
            stop=stop,
            silence=f'Could not connect to the endpoint URL: "{address}/team/imdb/',
        )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def serving(folder: Path, port: int, *command: str) -> Iterator[Callable[[], None]]:
    """Run a server on a port of this machine; yield what stops it before the block ends."""
    with (
        (folder / "server.log").open("w+") as log,
        subprocess.Popen([*BOUND, *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log) as server,
    ):

        def stop() -> None:
            server.terminate()
            server.wait()

        try:
            while not answers(port):
                assert server.poll() is None, f"{command}\n{(folder / 'server.log').read_text()}"
                time.sleep(0.1)
            yield stop
        finally:
            stop()


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True


class Clone:
    """A clone in which no stage can run."""

    def __init__(self, origin: Path, folder: Path) -> None:
        self.folder = folder
        run_in(origin, "git", "clone", "--quiet", ".", str(folder))
        stub = folder.with_name(f"{folder.name}-stub") / "python"
        stub.parent.mkdir()
        stub.write_text('#!/bin/sh\necho "a stage ran: $*" >&2\nexit 1\n')
        stub.chmod(0o755)
        self.path = stub.parent

    def dvc(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        # What `run_in` puts first on the path comes second here.
        command = f'PATH="{self.path}:$PATH" exec dvc "$@"'
        return run_in(self.folder, "sh", "-c", command, "dvc", *arguments, check=check)

    def git(self, *arguments: str) -> str:
        return run_in(self.folder, "git", *arguments).stdout

    def data(self) -> dict[str, str]:
        return listing(self.folder / "data")

    def cache(self) -> dict[str, str]:
        return listing(self.folder / ".dvc/cache")

    def lock(self) -> bytes:
        return (self.folder / "dvc.lock").read_bytes()


@pytest.fixture(params=["folder", *(pytest.param(name, marks=pytest.mark.slow) for name in ("ssh", "s3"))])
def remote(request: pytest.FixtureRequest) -> Remote:
    return request.getfixturevalue(request.param)


@pytest.mark.fault(
    "a remote that lets nobody in or is gone: {remote}",
    "`dvc pull` and `dvc push` say why and fail",
    "cache and results on both sides",
)
def test_what_was_trained_is_shared(changed: Changed, remote: Remote, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(changed.folder, mine)
    for command in remote.commands:
        run_in(mine, *command)
    run_in(mine, "git", "commit", "--quiet", "--all", "-m", "a place to share through")
    run_in(mine, "dvc", "push", "--run-cache")
    lock = (mine / "dvc.lock").read_bytes()

    # A colleague clones and pulls.
    theirs = Clone(mine, tmp_path / "theirs")
    theirs.dvc("pull", "dvc.yaml")
    assert theirs.data() == changed.before

    # Another clones and has DVC bring up to date what is missing.
    late = Clone(mine, tmp_path / "late")
    said = late.dvc("repro", "--pull").stdout
    assert "Pulling data for stage: 'train_lstm@tuned-0'" in said
    assert "Running stage" not in said
    assert late.data() == changed.before
    assert late.lock() == lock
    assert late.git("status", "--porcelain") == ""

    # The changed recipe arrives; where the remote lets nobody in, nothing is lost.
    run_in(mine, "git", "cherry-pick", "changed")
    run_in(mine, "dvc", "push", "--run-cache")
    theirs.git("pull", "--quiet")
    cache = theirs.cache()
    with remote.refusing():
        refused = theirs.dvc("pull", "dvc.yaml", check=False)
    assert refused.returncode != 0
    assert remote.refusal in refused.stderr
    assert (theirs.data(), theirs.cache()) == (changed.before, cache)
    theirs.dvc("pull", "dvc.yaml")
    assert theirs.data() == changed.after
    assert theirs.dvc("status", "dvc.yaml").stdout == "Data and pipelines are up to date.\n"

    # Whoever has the same idea, but not the results, finds them among the runs.
    same = Clone(mine, tmp_path / "same")
    (same.folder / "dvc.lock").unlink()
    said = same.dvc("repro", "--pull", *CELLS).stdout
    assert said.count("is cached - skipping run, checking out outputs") == 6
    assert "Running stage" not in said
    shared = (".gitignore", "README.md", "film_groups.npy", "raw/")
    asked = (*shared, "padded/tuned/", "word_vectors/tuned.npy", "models/tuned/")
    assert same.data() == {path: now for path, now in changed.after.items() if path.startswith(asked)}
    for stage, found in stages(same.lock()).items():
        assert found == stages(theirs.lock())[stage]

    # A release is an annotated tag; whoever knows the repository's address fetches its model.
    for name in ("lstm@v1.0.0", "demo@v1.0.0"):
        run_in(mine, "git", "tag", "--annotate", name, "--message", "the first")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    address = mine.as_uri()  # cloned like any other, so the model comes from the remote
    run_in(elsewhere, "dvc", "artifacts", "get", address, "lstm")
    run_in(elsewhere, "dvc", "artifacts", "get", address, "demo")
    run_in(elsewhere, "dvc", "artifacts", "get", address, "lstm", "--rev", "v1.0.0", "--out", "first.keras")
    run_in(elsewhere, "dvc", "get", address, "data/models/tuned/rnn-0")
    model = changed.after["models/tuned/lstm-0/model.keras"]
    rnn = {
        path.removeprefix("models/tuned/"): digest
        for path, digest in changed.after.items()
        if path.startswith("models/tuned/rnn-0/")
    }
    assert (
        listing(elsewhere)
        == {"model.keras": model, "first.keras": model, "demo.html": changed.after["demo.html"]} | rnn
    )
    unknown = run_in(elsewhere, "dvc", "artifacts", "get", address, "gru", check=False)
    assert unknown.returncode != 0 and "Unable to find artifact 'gru'" in unknown.stderr

    check_without(remote, late, changed)
    if remote.kind == "folder":
        # Whoever has the data makes a folder anew that was deleted.
        run_in(mine, "dvc", "push", "--run-cache")
        late.dvc("pull", "dvc.yaml")
        assert late.data() == changed.after
    else:
        cache = listing(mine / ".dvc/cache")
        refused = run_in(mine, "dvc", "push", "--run-cache", check=False)
        assert refused.returncode != 0
        assert remote.silence in refused.stderr
        assert listing(mine / ".dvc/cache") == cache
        assert listing(mine / "data") == changed.before


def check_without(remote: Remote, late: Clone, changed: Changed) -> None:
    """Check that a clone loses nothing where the remote is gone before its pull."""
    late.git("pull", "--quiet")
    cache = late.cache()
    remote.stop()
    refused = late.dvc("pull", "dvc.yaml", check=False)
    assert refused.returncode != 0
    assert remote.silence in refused.stderr
    assert late.cache() == cache
    if remote.kind == "folder":
        # To DVC a missing folder is an empty one: it takes away the old models, which are still in the cache.
        gone = ("models/tuned/rnn-0/", "released/", "demo.html")
        assert late.data() == {path: now for path, now in changed.before.items() if not path.startswith(gone)}
        late.git("reset", "--quiet", "--hard", "ORIG_HEAD")
        late.dvc("checkout", "dvc.yaml")
        assert late.data() == changed.before
        late.git("pull", "--quiet")
    else:
        assert late.data() == changed.before


def stages(lock: bytes) -> dict[str, Any]:
    return dict(YAML(typ="safe", pure=True).load(lock)["stages"])
