"""The page in one file: its template, its style, its scripts and what they compute with."""

import json
import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

FOLDER = Path(__file__).parent
SCRIPTS = (
    "words",
    "cells",
    "gradients",
    "drawing",
    "state",
    "figures",
    "texts",
    "main",
)  # each uses those before it
ENVIRONMENT = Environment(
    loader=FileSystemLoader(FOLDER),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=True,
)


def assembled(data: Any, **values: Any) -> str:
    """Return the page, HTML, with `data` for its scripts, JSON, and `values` for its template."""
    return ENVIRONMENT.get_template("browser.html.j2").render(
        data=embedded(data),
        style=(FOLDER / "page.css").read_text(encoding="utf-8"),
        script=script(),
        **values,
    )


def script() -> str:
    """Return the modules as one script: without what they import from one another, and export."""
    texts = ((FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS)
    plain = (re.sub(r"^import [^;]*;\n|^export (?=\w)", "", text, flags=re.MULTILINE) for text in texts)
    return "\n".join(plain)


def embedded(data: Any) -> str:
    """Return `data` as JSON that may stand in an HTML script element, whatever words are in it."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")
