"""How the templates become text: they write down what they are given, and compute nothing."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from stages.reporting import formatting

TEMPLATES = Path(__file__).parent / "templates"
FILTERS = ("percent", "points", "spread", "bounds", "lead", "number", "p_value", "fixed", "setting")


def render(name: str, folder: Path = TEMPLATES, **values: Any) -> str:
    """Return the text of `folder`'s template `name`.j2 with these values."""
    return _environment(folder).get_template(f"{name}.j2").render(values, labels=formatting.LABELS)


@cache  # and with it the compiled templates
def _environment(folder: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {each: getattr(formatting, each) for each in FILTERS}
    return environment
