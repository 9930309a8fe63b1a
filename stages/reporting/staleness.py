"""Whether a side study was made with the code of the main study."""

from collections.abc import Mapping
from typing import Any

from stages.reporting.statistics import Runs


def changed_code(provenance: Mapping[str, Any] | None, runs: Runs) -> list[str] | None:
    """Return the files, among those that both studies name, of which the runs have other versions.

    provenance: the side study's; None is returned where it names no code. runs: those of the main study.
    """
    code = (provenance or {}).get("code")
    if not code:
        return None
    main = [run["provenance"]["code"] for seeds in runs.values() for run in seeds.values()]
    return sorted({path for each in main for path in code.keys() & each.keys() if code[path] != each[path]})
