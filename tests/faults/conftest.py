"""The mark of the tests here: what goes wrong, what happens then, and what is kept."""

from pathlib import Path

import pytest

from tests.faults.downloads import Place


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault(name, happens, kept): what a test breaks")


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
