"""The report's words: templates filled with figures that other stages wrote, never with typed ones.

As a command, `python -m stages.report` puts the tables of results and of speed into README.md.
"""

import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from stages import StageError
from stages.files import REPORTS, load_text, new_file
from stages.params import Published
from stages.statistics import Runs

# Files under reports/ that README.md quotes between marks, never typed.
QUOTED = ("results", "speed")


def template(name: str) -> Template:
    """Return the template `name`.j2, a file beside this one."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown, from figures and validated names alone
    )
    environment.filters |= {"percent": percent, "points": points, "spread": spread}
    environment.globals |= {"place": place, "labels": {"rnn": "RNN", "lstm": "LSTM"}}
    return environment.get_template(f"{name}.j2")


def render(name: str, comparison: Mapping[str, Any], runs: Runs, published: Published) -> str:
    """Return the text of the template `name`, with the results in it."""
    return template(name).render(
        comparison=comparison,
        runs=runs,
        published=published.model_dump(),
        changed=changed_settings(runs),
    )


def percent(share: float) -> str:
    """0.8604 → "86.0 %"."""
    return f"{100 * share:.1f} %"


def points(difference: float) -> str:
    """0.0104 → "+1.0", in percent points."""
    return f"{100 * difference:+.1f}".replace("-", "−")


def spread(summary: Mapping[str, Any]) -> str:
    """Mean and standard deviation of accuracies: "86.0 ± 0.3 %", or the one seed's "86.0 %"."""
    if summary["sd"] is None:
        return percent(summary["mean"])
    return f"{100 * summary['mean']:.1f} ± {100 * summary['sd']:.1f} %"


def place(value: float, values: Collection[float]) -> str:
    """Say where an accuracy lies among others: "2.1 points above the highest", "within the range"."""
    if value < min(values):
        return f"{100 * (min(values) - value):.1f} points below the lowest"
    if value > max(values):
        return f"{100 * (value - max(values)):.1f} points above the highest"
    return "within the range"


def changed_settings(runs: Runs) -> dict[str, dict[str, Any]]:
    """Return dotted parameter → recipe → value, for the parameters in which the recipes differ."""
    settings = {recipe: _dotted(next(iter(seeds.values()))["settings"]) for recipe, seeds in runs.items()}
    names = next(iter(settings.values()))
    table = {name: {recipe: values[name] for recipe, values in settings.items()} for name in names}
    return {name: row for name, row in table.items() if len({str(v) for v in row.values()}) > 1}


def _dotted(block: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in block.items():
        flat |= _dotted(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return flat


def quote(readme: str, name: str, text: str) -> str:
    """Return `readme` with `text`, of the file reports/`name`.md, between its two marks.

    Raises `StageError` where it has not each mark once.
    """
    begin, end = f"<!-- from reports/{name}.md -->\n", f"<!-- end of reports/{name}.md -->"
    if readme.count(begin) != 1 or readme.count(end) != 1:
        raise StageError(f"README.md should hold {begin.strip()!r} and {end!r}, once each")
    before, rest = readme.split(begin)
    return before + begin + text + end + rest.split(end)[1]


if __name__ == "__main__":
    path = Path("README.md")
    try:
        readme = load_text(path)
        for name in QUOTED:
            readme = quote(readme, name, load_text(REPORTS / f"{name}.md"))
        new_file(path, readme)
    except StageError as error:
        sys.exit(f"report: {error}")
