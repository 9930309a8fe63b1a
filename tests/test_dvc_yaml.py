"""What dvc.yaml says of the stages is what their code says."""

import ast
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.conftest import ROOT

PIPELINE: dict[str, Any] = YAML(typ="safe", pure=True).load(ROOT / "dvc.yaml")


def imported(file: Path) -> set[Path]:
    """Return the files of this project that a file imports, also inside of its functions."""
    files = {ROOT / "stages/__init__.py"}
    for node in ast.walk(ast.parse(file.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{each.name}" for each in node.names)]
        files |= {ROOT / f"{name.replace('.', '/')}.py" for name in names if name.startswith("stages.")}
    return {each for each in files if each.is_file()}


def closure(file: Path) -> set[str]:
    """Return a file and all that it imports, directly or not, as dvc.yaml names them."""
    found, left = set(), {file}
    while left:
        found |= left
        left = set().union(*map(imported, left)) - found
    return {str(each.relative_to(ROOT)) for each in found}


@pytest.mark.parametrize("stage", PIPELINE["stages"])
def test_a_stage_depends_on_all_that_it_imports(stage: str) -> None:
    assert closure(ROOT / f"stages/{stage}.py") <= set(PIPELINE["stages"][stage]["deps"])


def test_the_released_models_are_those_of_the_registry() -> None:
    (folder,) = (out for out in PIPELINE["stages"]["release"]["outs"] if isinstance(out, str))
    paths = {name: each["path"] for name, each in PIPELINE["artifacts"].items()}
    assert paths == {cell: f"{folder}/{cell}/model.keras" for cell in ("rnn", "lstm")}
