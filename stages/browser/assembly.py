"""The page in one file: its template, its style, its scripts and what they compute with."""

import json
import re
from collections.abc import Iterable, Mapping
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


def assembled(data: Any, reviews: int, examples: int, measured: Iterable[Mapping[str, Any]]) -> str:
    """Return the page, HTML. data: for its scripts, JSON; measured: what rounding costs each model."""
    return ENVIRONMENT.get_template("browser.html.j2").render(
        data=embedded(data),
        reviews=f"{reviews:,}",
        examples=examples,
        measured=[shown(each) for each in measured],
        style=(FOLDER / "page.css").read_text(encoding="utf-8"),
        script=script(),
    )


def shown(measured: Mapping[str, Any]) -> list[str]:
    """Return the cells of a model's row of the page's table."""
    accuracies = [f"{100 * measured[name]:.2f} %" for name in ("accuracy", "accuracy_in_page")]
    change, others = f"{measured['largest_change']:.4f}", str(measured["other_answers"])
    return [measured["models"], measured["cell"].upper(), str(measured["seed"]), *accuracies, change, others]


def script() -> str:
    """Return the modules as one script: without what they import from one another, and export."""
    texts = ((FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS)
    plain = (re.sub(r"^import [^;]*;\n|^export (?=\w)", "", text, flags=re.MULTILINE) for text in texts)
    return "\n".join(plain)


def embedded(data: Any) -> str:
    """Return `data` as JSON that may stand in an HTML script element, whatever words are in it."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")
