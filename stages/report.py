"""The report's words: templates filled with figures that other stages wrote, never with typed ones.

As a command, `python -m stages.report` puts the table of results into README.md.
"""

import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from stages import StageError
from stages.files import REPORTS, load_text, new_file
from stages.params import Published
from stages.statistics import Runs

# What stands between these marks in README.md is copied there, never typed.
BEGIN, END = "<!-- results: from reports/results.md -->\n", "<!-- end of results -->"


def render(template: str, comparison: Mapping[str, Any], runs: Runs, published: Published) -> str:
    """Return the text of the template `template`, a file beside this one."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown, from figures and validated names alone
    )
    environment.filters |= {"percent": percent, "points": points, "spread": spread}
    environment.globals["place"] = place
    return environment.get_template(template).render(
        comparison=comparison,
        runs=runs,
        published=published.model_dump(),
        changed=changed_settings(runs),
        labels={"rnn": "RNN", "lstm": "LSTM"},
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


def quote(readme: str, results: str) -> str:
    """Return `readme` with `results` between its two marks.

    Raises `StageError` where it has not each mark once.
    """
    if readme.count(BEGIN) != 1 or readme.count(END) != 1:
        raise StageError(f"README.md should hold {BEGIN.strip()!r} and {END!r}, once each")
    before, rest = readme.split(BEGIN)
    return before + BEGIN + results + END + rest.split(END)[1]


if __name__ == "__main__":
    readme = Path("README.md")
    try:
        new_file(readme, quote(load_text(readme), load_text(REPORTS / "results.md")))
    except StageError as error:
        sys.exit(f"report: {error}")
