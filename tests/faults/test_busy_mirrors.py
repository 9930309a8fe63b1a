"""Mirrors that are busy: `download` asks again, ever later or when they say, and not for ever."""

import time
from email.utils import formatdate
from itertools import pairwise
from pathlib import Path

import pytest

from tests.faults.downloads import Handler, Place, serving

NEXT = "the next mirror is tried; without one, a line says why"
NOTHING = "what was there before; nothing half-written"


class Busy:
    """A mirror that is busy some times before it has the file; it notes when it was asked."""

    def __init__(self, status: int, times: int, retry_after: str | None = None) -> None:
        self.status, self.times, self.retry_after = status, times, retry_after
        self.asked: list[float] = []

    def __call__(self, handler: Handler) -> None:
        self.asked.append(time.monotonic())
        if len(self.asked) > self.times:
            handler.send(handler.content())
            return
        handler.send_response(self.status)
        if self.retry_after is not None:
            handler.send_header("Retry-After", self.retry_after)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    def waits(self) -> list[float]:
        """Return the seconds between the first requests, those for the archive."""
        return [later - earlier for earlier, later in pairwise(self.asked)][: self.times]


AGAIN = "it is asked again after 0, 2 and 4 s, or when it says; then it gets on"


@pytest.mark.parametrize(
    "status",
    [
        pytest.param(429, marks=pytest.mark.fault("a mirror answers 429 for a while", AGAIN, "everything")),
        pytest.param(503, marks=pytest.mark.fault("a mirror answers 503 for a while", AGAIN, "everything")),
    ],
)
def test_a_busy_mirror_is_asked_again_ever_later(
    place: Place, mirror: Path, intact: dict[str, str], status: int
) -> None:
    busy = Busy(status, times=3)
    with serving(mirror, busy=busy) as server:
        place.mirrors = [f"{server.address}/busy"]
        assert place.succeeds(BACKOFF=0.2) == intact
    assert len(busy.asked) == 5
    assert busy.waits()[1] >= 0.4
    assert busy.waits()[2] >= 0.8


@pytest.mark.fault("a mirror answers 503 without end", f"after four times {NEXT}", NOTHING)
def test_a_mirror_that_stays_busy_is_given_up(place: Place, mirror: Path) -> None:
    busy = Busy(503, times=1000)
    with serving(mirror, busy=busy) as server:
        place.mirrors = [f"{server.address}/busy"]
        place.fails("/busy: answers 503 Service Unavailable.", BACKOFF=0.1)
    assert len(busy.asked) == 4


@pytest.mark.parametrize(
    ("after", "limit", "least"),
    [
        pytest.param(
            "2", 60, 2.0, marks=pytest.mark.fault("a busy mirror says when", "it is asked then", "everything")
        ),
        pytest.param(
            "86400",
            2,
            2.0,
            marks=pytest.mark.fault(
                "a busy mirror says tomorrow", "it is asked after a minute", "everything"
            ),
        ),
        pytest.param(
            formatdate(time.time() + 86400, usegmt=True),
            2,
            2.0,
            marks=pytest.mark.fault(
                "a busy mirror gives a date", "it is asked after a minute at most", "everything"
            ),
        ),
    ],
    ids=["seconds", "tomorrow", "date"],
)
def test_a_busy_mirror_is_asked_when_it_says_within_limits(
    place: Place, mirror: Path, intact: dict[str, str], after: str, limit: float, least: float
) -> None:
    busy = Busy(429, times=1, retry_after=after)
    with serving(mirror, busy=busy) as server:
        place.mirrors = [f"{server.address}/busy"]
        assert place.succeeds(WAIT_LIMIT=limit) == intact
    assert least <= busy.waits()[0] < 60


@pytest.mark.fault("a busy mirror says nonsense about when", NEXT, NOTHING)
def test_a_busy_mirror_that_says_nonsense_is_given_up(place: Place, mirror: Path) -> None:
    with serving(mirror, busy=Busy(503, times=1000, retry_after="soon")) as server:
        place.mirrors = [f"{server.address}/busy"]
        place.fails("Invalid Retry-After header: soon")
