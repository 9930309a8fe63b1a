"""Whether a side study's runs are what params.yaml asks for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stages.networks.provenance import FILE, check_current
from stages.runtime.files import load_json
from stages.scoring.provenance import common_provenance


def checked_provenance(runs: Mapping[Path, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what all runs were made with; runs: folder → the settings that it should have.

    Raises `StageError` where a run is missing, or was made with other settings, code or packages.
    """
    made = {str(run): load_json(run / FILE) for run in runs}
    for run, settings in runs.items():
        check_current(str(run), made[str(run)], settings)
    return common_provenance(made)
