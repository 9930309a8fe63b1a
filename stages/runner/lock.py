"""The text of a dvc.lock, by its entries.

DVC reads and writes the whole file, as YAML with comments, after each stage: of a thousand stages each costs
seconds. An entry's text depends on nothing else in the file, so entries can be taken out and put together.
"""

import re
from collections.abc import Mapping

HEAD = "schema: '2.0'\nstages:\n"


def entries(text: str) -> dict[str, str]:
    """Return stage → its lines, in their order."""
    parts = re.split(r"^  (?=[^ -])", text.removeprefix(HEAD), flags=re.MULTILINE)
    return {part.partition(":\n")[0].strip("'\""): f"  {part}" for part in filter(None, parts)}


def lock_text(found: Mapping[str, str]) -> str:
    """Return the dvc.lock that has these entries, sorted by name."""
    return HEAD + "".join(found[name] for name in sorted(found))
