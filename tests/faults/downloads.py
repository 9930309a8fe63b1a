"""The stage `download` alone, in a folder of its own, and servers on loopback that misbehave."""

import functools
import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from stages import download
from tests.conftest import ROOT, sha256

FILES = ("imdb.npz", "imdb_word_index.json")

Answer = Callable[["Handler"], None]


class Place:
    """A folder where `download` runs, as a process, with a params.yaml that has nothing else."""

    def __init__(self, folder: Path, good: Path) -> None:
        """good: the mirror whose files are accepted."""
        self.folder = folder
        self.mirrors: list[str] = []
        self.digests = {"archive": [sha256(good / FILES[0])], "word_index": [sha256(good / FILES[1])]}

    def run(
        self, *before: str, preamble: str = "", env: Mapping[str, str] | None = None, **limits: float
    ) -> subprocess.CompletedProcess[str]:
        """Run it with other limits than its own; before: a command that runs it; preamble: Python.

        It gets no more memory than 1 GiB.
        """
        assert set(limits) <= set(vars(download))
        settings = {"download": {"mirrors": self.mirrors, "digests": self.digests}}
        (self.folder / "params.yaml").write_text(json.dumps(settings))
        code = f"""
import resource
resource.setrlimit(resource.RLIMIT_DATA, (2**30, 2**30))
from stages import download
vars(download).update({limits})
{preamble}
download.stage_main(download.download)
"""
        no_proxy = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        return subprocess.run(
            [*before, sys.executable, "-c", code],
            cwd=self.folder,
            check=False,
            text=True,
            capture_output=True,
            env=no_proxy | {"PYTHONPATH": str(ROOT), "LC_ALL": "C"} | dict(env or {}),
            timeout=120,
        )

    def fails(self, said: str, *before: str, **arguments: Any) -> str:
        """Check that it ends with one line that has `said` in it, and changes nothing; return the line."""
        written = self.written()
        result = self.run(*before, **arguments)
        assert result.returncode == 1, result
        assert len(result.stderr.splitlines()) == 1, result.stderr
        assert result.stderr.startswith("download: ")
        assert said in result.stderr
        assert result.stderr.strip().isprintable()
        assert self.written() == written
        return result.stderr

    def succeeds(self, *before: str, **arguments: Any) -> dict[str, str]:
        """Check that it ends well and return the digests of what it wrote."""
        result = self.run(*before, **arguments)
        assert result.returncode == 0, result.stderr
        assert not result.stderr
        written = self.written()
        assert len(written) == 7
        return written

    def written(self) -> dict[str, str]:
        """Return the digests of all files under data/, left-overs included."""
        data = self.folder / "data"
        return {str(path.relative_to(data)): sha256(path) for path in data.rglob("*") if path.is_file()}


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers as the server's `answers` say: by the first part of the path."""

    server: "Server"

    def do_GET(self) -> None:
        self.server.seen.append(self.path)
        with suppress(BrokenPipeError, ConnectionResetError):  # the client has had enough
            self.server.answers[self.path.strip("/").partition("/")[0]](self)

    def name(self) -> str:
        """Return the file that is asked for."""
        return self.path.rpartition("/")[2]

    def content(self) -> bytes:
        """Return what the good mirror has of it."""
        return (self.server.good / self.name()).read_bytes()

    def send(self, content: bytes, length: int | None = None, **headers: str) -> None:
        """Send a file, or as if it had another length."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def redirect(self, to: str) -> None:
        """Send the client elsewhere."""
        self.send_response(302)
        self.send_header("Location", to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def endlessly(self, content: bytes) -> None:
        """Send the same again and again, until the client goes."""
        while True:
            self.wfile.write(content)

    def drip(self, line: bytes, seconds: float = 0.1) -> None:
        """Send bytes of `line`, over and over, one at a time, until the server stops or the client goes."""
        while True:
            for byte in line:
                self.wfile.write(bytes([byte]))
                if self.server.stopped.wait(seconds):
                    return

    def log_message(self, *_: object) -> None: ...


class Server(http.server.ThreadingHTTPServer):
    """A server on loopback."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, good: Path, answers: Mapping[str, Answer]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.good = good  # a folder with the files that are accepted
        self.answers = {"good": lambda handler: handler.send(handler.content()), **answers}
        self.seen: list[str] = []  # the paths that were asked for
        self.stopped = threading.Event()
        self.address = f"http://127.0.0.1:{self.server_port}"


@contextmanager
def serving(good: Path, **answers: Answer) -> Iterator[Server]:
    """Run a server that answers to /NAME/… as the argument of that name does, and to /good/… as it should."""
    with Server(good, answers) as server:
        thread = threading.Thread(target=functools.partial(server.serve_forever, poll_interval=0.05))
        thread.start()
        try:
            yield server
        finally:
            server.stopped.set()
            server.shutdown()
            thread.join()
