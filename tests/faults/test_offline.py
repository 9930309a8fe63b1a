"""Without a network: `download` says so, and nothing else needs one."""

import pytest

from tests.conftest import Project
from tests.faults.downloads import Place
from tests.faults.isolation import isolated


@pytest.mark.fault("there is no network", "a line says so", "what was there before; nothing half-written")
def test_a_download_without_a_network_says_so(place: Place) -> None:
    place.mirrors = ["http://127.0.0.1:9", "http://mirror.example"]
    line = place.fails("http://127.0.0.1:9: not reachable (", *isolated("--net"))
    assert "http://mirror.example: not reachable (" in line


@pytest.mark.fault("there is no network after the download", "everything but `download` runs", "everything")
def test_all_but_the_download_needs_no_network(trained: Project) -> None:
    lock = trained.text("dvc.lock")
    stages = ("train_rnn@prepadded-0", "evaluate", "page")
    alone = isolated("--net")
    trained.run(*alone, "dvc", "repro", "--force", "--single-item", *stages)
    trained.run(*alone, "python", "-m", "stages.tools.predict", "Good.")
    assert trained.text("dvc.lock") == lock  # the same bytes
