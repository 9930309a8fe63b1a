"""What the tests here share: a folder to run `download` in, what it should write, and released models."""

import json
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stages.networks.provenance import FILE
from stages.params.recipe import CELLS
from stages.runtime.files import RAW, RELEASED, json_text
from tests.faults.downloads import Place
from tests.faults.random_models import TINY, save_random


@pytest.fixture
def place(tmp_path: Path, mirror: Path) -> Place:
    """A folder to run `download` in."""
    (tmp_path / "place").mkdir()
    return Place(tmp_path / "place", mirror)


@pytest.fixture(scope="session")
def intact(tmp_path_factory: pytest.TempPathFactory, mirror: Path) -> dict[str, str]:
    """The digests of what `download` writes where nothing goes wrong."""
    place = Place(tmp_path_factory.mktemp("intact"), mirror)
    place.mirrors = [str(mirror)]
    return place.succeeds()


@pytest.fixture
def released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The present folder: it has two released models and knows the words one to four."""
    monkeypatch.chdir(tmp_path)
    RAW.mkdir(parents=True)
    words = {word: rank for rank, word in enumerate(("one", "two", "three", "four"), 1)}
    (RAW / "word_index.json").write_text(json.dumps(words))
    for cell in CELLS:
        (RELEASED / cell).mkdir(parents=True)
        save_random(RELEASED / cell / "model.keras", cell)
        (RELEASED / cell / FILE).write_text(json_text({"settings": TINY.settings(cell)}))
    return tmp_path


@pytest.fixture
def predicting(
    released: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """What `predict` exits with and prints."""
    from stages.tools import predict

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["predict", *arguments])
        status = 0
        try:
            predict.main()
        except SystemExit as end:
            status = int(end.code or 0)
        printed = capsysbinary.readouterr()
        return status, printed.out.decode(), printed.err.decode()

    yield call
    for number, handler in before.items():
        signal.signal(number, handler)
