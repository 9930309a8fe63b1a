"""Mirrors that misbehave: `download` takes the next one, or says in a line what was wrong."""

import gzip
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.faults.downloads import FILES, Answer, Handler, Place, serving

NEXT = "the next mirror is tried; without one, a line says why"
NOTHING = "what was there before; nothing half-written"
MEGABYTE = b"x" * 2**20


def stall(handler: Handler) -> None:
    handler.send(b"x", length=1000)
    handler.server.stopped.wait()


def say_nothing(handler: Handler) -> None:
    handler.server.stopped.wait()


def drip(handler: Handler) -> None:
    handler.send(b"", length=1000)
    handler.drip(b"x")


def drip_headers(handler: Handler) -> None:
    handler.send_response(200)
    handler.flush_headers()
    handler.drip(b"X-Header: x\r\n")


def drop(handler: Handler) -> None:
    handler.close_connection = True


def too_little(handler: Handler) -> None:
    handler.send(b"x" * 500, length=1000)
    handler.close_connection = True


def too_much(handler: Handler) -> None:
    handler.send(handler.content() + b"x")


def wrong_bytes(handler: Handler) -> None:
    handler.send(bytes(reversed(handler.content())))


def log_in_first(handler: Handler) -> None:
    handler.send(b"<html>Please log in</html>")


def endless(handler: Handler) -> None:
    handler.send_response(200)
    handler.end_headers()
    handler.endlessly(MEGABYTE)


def gzip_bomb(handler: Handler) -> None:
    handler.send(gzip.compress(bytes(2**26)) * 20, Content_Encoding="gzip")


def no_gzip(handler: Handler) -> None:
    handler.send(handler.content(), Content_Encoding="gzip")


def garbage(handler: Handler) -> None:
    handler.wfile.write(b"\x1b[2JSSH-2.0-server\r\n\x00\xff\r\n")
    handler.close_connection = True


def odd_status(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 404 \x1b[2J\x07\r\n\r\n")
    handler.close_connection = True


def endless_header(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Header: ")
    handler.endlessly(MEGABYTE)


def not_found(handler: Handler) -> None:
    handler.send_error(404)


def circle(handler: Handler) -> None:
    handler.redirect(handler.path)


def to_a_local_file(handler: Handler) -> None:
    handler.redirect("file:///etc/passwd")


def endless_redirect(handler: Handler) -> None:
    handler.send_response(302)
    handler.send_header("Location", f"/not_found/{FILES[0]}")
    handler.end_headers()
    handler.endlessly(MEGABYTE)


def case(answer: Answer, said: str, fault: str, happens: str = NEXT, **limits: float) -> Any:
    """Return a mirror's answer, what is then said, and limits that save time here."""
    mark = pytest.mark.fault(fault, happens, NOTHING)
    return pytest.param(answer, said, limits, id=answer.__name__, marks=mark)


@pytest.mark.parametrize(
    ("answer", "said", "limits"),
    [
        case(stall, "silent for 2 s", "a mirror stops in the middle", f"after 30 s {NEXT}", STALL_LIMIT=2),
        case(say_nothing, "silent for 2 s", "a mirror never answers", f"after 30 s {NEXT}", STALL_LIMIT=2),
        case(
            drip,
            "not done within 5 s",
            "a mirror drips a byte every 20 s",
            f"after 15 minutes {NEXT}",
            TIME_LIMIT=5,
        ),
        case(
            drip_headers,
            "not done within 5 s",
            "a mirror drips its headers",
            f"after 15 minutes {NEXT}",
            TIME_LIMIT=5,
        ),
        case(drop, "closed connection without response", "a mirror drops the connection"),
        case(too_little, "500 bytes read, 500 more expected", "a mirror sends less than it announces"),
        case(too_much, "wrong digest", "a mirror sends a file with more at its end"),
        case(wrong_bytes, "wrong digest", "a mirror sends other bytes of the right length"),
        case(log_in_first, "(26 bytes), accepted are", "a network wants a login and sends its page instead"),
        case(
            endless,
            "larger than the 67,108,864 bytes",
            "a mirror sends without end",
            f"after 64 MiB {NEXT}",
        ),
        case(
            gzip_bomb,
            "larger than the 67,108,864 bytes",
            "a mirror sends a file that decompresses without end",
            f"after 64 MiB {NEXT}",
        ),
        case(no_gzip, "not reachable (", "a mirror calls gzip what is none"),
        case(garbage, "does not answer in HTTP", "a mirror answers with garbage instead of HTTP"),
        case(odd_status, "answers 404", "a mirror answers with control characters for the terminal"),
        case(endless_header, "got more than 65536 bytes", "a mirror sends a header without end"),
        case(circle, "Exceeded 30 redirects", "redirects go round in circles", f"after 30 {NEXT}"),
        case(
            to_a_local_file,
            "No connection adapters were found for 'file:///etc/passwd'",
            "a mirror redirects to a file of this machine",
            f"it is not read; {NEXT}",
        ),
        case(
            endless_redirect, "answers 404 Not Found", "a redirect has a body without end", "it is not read"
        ),
    ],
)
def test_a_broken_mirror_is_left_for_the_next(
    place: Place, mirror: Path, intact: dict[str, str], answer: Answer, said: str, limits: dict[str, float]
) -> None:
    def broken(handler: Handler) -> None:
        (answer if handler.name() == FILES[0] else not_found)(handler)

    with serving(mirror, broken=broken, not_found=not_found) as server:
        place.mirrors = [f"{server.address}/broken"]
        line = place.fails(f"no mirror has imdb.npz: {place.mirrors[0]}: ", **limits)
        assert said in line
        place.mirrors.append(str(mirror))
        assert place.succeeds(**limits) == intact


@pytest.mark.fault("a mirror answers 404", f"it is not asked again; {NEXT}", NOTHING)
def test_a_mirror_without_the_file_is_not_asked_again(place: Place, mirror: Path) -> None:
    with serving(mirror, not_found=not_found) as server:
        place.mirrors = [f"{server.address}/not_found"]
        place.fails("/not_found: answers 404 Not Found. Put the file into a folder")
        assert server.seen == ["/not_found/imdb.npz"]


@pytest.mark.fault("a mirror redirects to another address", "the file is taken from there", "everything")
def test_redirects_are_followed_to_another_host(place: Place, mirror: Path, intact: dict[str, str]) -> None:
    with serving(mirror) as other:
        away = f"http://localhost:{other.server_port}/good"
        with serving(mirror, moved=lambda handler: handler.redirect(f"{away}/{handler.name()}")) as server:
            place.mirrors = [f"{server.address}/moved"]
            assert place.succeeds() == intact
        assert other.seen == [f"/good/{name}" for name in FILES]


@pytest.mark.fault("an https:// mirror does not speak TLS", NEXT, NOTHING)
def test_a_mirror_without_tls_is_no_https_mirror(place: Place, mirror: Path) -> None:
    with serving(mirror) as server:
        place.mirrors = [f"{server.address}/good".replace("http:", "https:")]
        place.fails("not reachable (")


@pytest.mark.parametrize(
    "address", ["http://", "http://[", f"http://{'a' * 64}.example", "http://127.0.0.1:99999"]
)
@pytest.mark.fault("an address in params.yaml is none", NEXT, NOTHING)
def test_an_address_that_is_none_is_said(place: Place, address: str) -> None:
    place.mirrors = [address]
    place.fails(f"{address}: not reachable (")


@pytest.mark.fault("Ctrl-C while a mirror is silent", "the download ends at once", NOTHING)
def test_ctrl_c_ends_a_download_at_once(place: Place, mirror: Path) -> None:
    def interrupt(handler: Handler) -> None:
        os.kill(int((place.folder / "pid").read_text()), signal.SIGINT)
        handler.server.stopped.wait()

    with serving(mirror, interrupt=interrupt) as server:
        place.mirrors = [f"{server.address}/interrupt"]
        result = place.run(preamble="import os; open('pid', 'w').write(str(os.getpid()))")
    assert result.returncode == 130
    assert result.stderr == "download: interrupted\n"
    assert not place.written()


@pytest.mark.fault("a proxy is set in the environment", "all goes through it", "everything")
def test_a_proxy_sees_the_requests(place: Place, mirror: Path, intact: dict[str, str]) -> None:
    with serving(mirror, **{"http:": lambda handler: handler.send(handler.content())}) as proxy:
        place.mirrors = ["http://mirror.example/reviews"]
        assert place.succeeds(env={"http_proxy": proxy.address}) == intact
        assert proxy.seen == [f"http://mirror.example/reviews/{name}" for name in FILES]


@pytest.mark.fault("the proxy in the environment is gone", NEXT, NOTHING)
def test_a_proxy_that_is_gone_is_named(place: Place, mirror: Path) -> None:
    with serving(mirror) as server:
        place.mirrors = [f"{server.address}/good"]
        line = place.fails("not reachable (", env={"http_proxy": "http://127.0.0.1:9"})
        assert "port=9" in line
        assert not server.seen
