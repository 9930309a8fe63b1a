"""What results that no stage tracks came from, and what a broken-off command had reached.

The search and the recipes trained apart take longer than the pipeline; they go on where they were stopped,
and say with which code they were made.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from stages.files import json_text, new_file

# What decides, beside the parameters, what a trained net is: the code of `pad` and of the training stages.
CODE = (
    "cooccurrence",
    "files",
    "films",
    "incidence",
    "nets",
    "pad",
    "pairs",
    "params",
    "processor",
    "recurrence",
    "training",
)


def code_digest() -> str:
    """Return the SHA-256 of the code that pads and trains, in hexadecimal."""
    code = hashlib.sha256()
    for name in CODE:
        code.update((Path(__file__).parent / f"{name}.py").read_bytes())
    return code.hexdigest()


def load_reached(path: Path, origin: Any) -> dict[str, Any]:
    """Return what `save_reached` wrote, nothing where there is nothing or it is of another `origin`.

    origin: the settings that all of it depends on, as JSON has them; the code is added here.
    """
    try:
        saved = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return dict(saved["reached"]) if saved["origin"] == _digest(origin) else {}


def save_reached(path: Path, origin: Any, reached: dict[str, Any]) -> None:
    """Write `reached`, name → what came of it, to go on from."""
    new_file(path, json_text({"origin": _digest(origin), "reached": reached}))


def _digest(origin: Any) -> str:
    return hashlib.sha256(f"{code_digest()} {json_text(origin)}".encode()).hexdigest()
