"""What the tests of `download` need: a folder to run it in, and what it should write."""

from pathlib import Path

import pytest

from tests.faults.downloads import Place


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
