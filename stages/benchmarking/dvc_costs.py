"""What DVC takes beside the stages that it runs."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from stages import StageError
from stages.benchmarking.processes import repeat
from stages.runtime.files import load_text


def measure_dvc() -> dict[str, float]:
    """Return the seconds that DVC takes beside what stages do, and the number of stages in dvc.lock."""
    if "download" in json.loads(_dvc("status", "--json", "download")):
        raise StageError("data/raw is not up to date: run `dvc repro download`")
    lock, yaml = load_text(Path("dvc.lock")), YAML()  # which DVC reads and writes it with
    calls: dict[str, Callable[[int], Any]] = {
        "check_all": lambda _: _dvc("status", "--json"),
        "check_one": lambda _: _dvc("repro", "--single-item", "download"),
        "rewrite_lock": lambda _: yaml.dump(yaml.load(lock), io.StringIO()),
    }
    seconds = {name: round(repeat(call).milliseconds / 1000, 2) for name, call in calls.items()}
    return seconds | {"stages": len(yaml.load(lock)["stages"])}


def _dvc(*arguments: str) -> str:
    command = [sys.executable, "-m", "dvc", *arguments]
    result = subprocess.run(command, check=False, capture_output=True, text=True)
    if result.returncode:
        raise StageError(f"dvc {' '.join(arguments)} failed: {result.stderr.strip()}")
    return result.stdout
