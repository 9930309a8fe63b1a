"""Everything that the pipeline makes of the generated archive has the bytes that digests.json names."""

import json
import platform
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from ruamel.yaml import YAML

from stages.runtime import processor
from stages.runtime.files import json_text
from tests.conftest import ROOT, sha256

DIGESTS = Path(__file__).with_name("digests.json")
PYTHON = "3.11"  # with which it was written, and the versions of these that requirements.txt pins for it
PINNED = (
    "jinja2",
    "keras",
    "markdown-it-py",
    "matplotlib",
    "networkx",
    "numpy",
    "pandas",
    "pillow",
    "scikit-learn",
    "scipy",
    "tensorflow",
)


def outside(requirements: str) -> list[str]:
    """Return why other bytes are to be expected here; normally there is no reason."""
    lines = (line.removesuffix(" \\") for line in requirements.splitlines() if line[:1].isalnum())
    pins = [each for each in map(Requirement, lines) if not each.marker or each.marker.evaluate()]
    reasons = [
        f"{each.name} is {version(each.name)}, not {each.specifier}"
        for each in pins
        if each.name in PINNED and not each.specifier.contains(version(each.name))
    ]
    if not platform.python_version().startswith(f"{PYTHON}."):
        reasons.append(f"this is Python {platform.python_version()}, not {PYTHON}")
    return reasons + processor.differences()


def digests(project: Path) -> dict[str, str]:
    """Return path → SHA-256 of every file that a stage has made, by dvc.lock."""
    lock = YAML(typ="safe", pure=True).load(project / "dvc.lock")
    outs = [project / out["path"] for stage in lock["stages"].values() for out in stage["outs"]]
    files = [file for out in outs for file in ([out] if out.is_file() else out.rglob("*")) if file.is_file()]
    return {str(file.relative_to(project)): sha256(file) for file in files}


def test_the_pipeline_makes_the_same_bytes_everywhere(
    pipeline: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processor, "LOADED_EARLY", [])  # stages have processes of their own
    if reasons := outside((ROOT / "requirements.txt").read_text()):
        pytest.skip("; ".join(reasons))
    found = digests(pipeline / "project")
    if request.config.getoption("--write-digests"):
        DIGESTS.write_text(json_text(found))
    named = json.loads(DIGESTS.read_text())
    different = sorted(name for name in found | named if found.get(name) != named.get(name))
    assert not different, (
        f"other bytes than {DIGESTS.name} names: {', '.join(different)}; where that is meant: "
        "python -m pytest -n0 tests/test_digests.py --write-digests"
    )


def test_other_versions_are_outside_of_the_promise() -> None:
    pins = "numpy==0.1 \\\n    --hash=sha256:0\nwrapt==0.1 \\\nscipy==0.1 ; python_version < '3' \\\n"
    reasons = outside(pins)
    assert f"numpy is {version('numpy')}, not ==0.1" in reasons
    assert not any("wrapt" in reason or "scipy" in reason for reason in reasons)
