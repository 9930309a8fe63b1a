"""The report's words: templates filled with figures that other stages wrote, never with typed ones.

As a command, `python -m stages.reporting.report` puts the tables of results and of speed into README.md.
"""

import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from stages import StageError
from stages.runtime.files import REPORTS, load_text, new_file
from stages.reporting.statistics import CELLS, Runs, summarise

LABELS = {"rnn": "RNN", "lstm": "LSTM"}
READINGS = {
    "lstm_only": "A review that only the LSTM gets right",
    "both_wrong": "A review that both get wrong",
}
HALFWAY = 0.75  # between guessing and always right

# Files under reports/ that README.md quotes between marks, never typed.
QUOTED = ("results", "speed", "walk", "answers")


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
    environment.filters |= {
        "percent": percent,
        "points": points,
        "spread": spread,
        "bounds": bounds,
        "lead": lead,
        "ahead": ahead,
        "number": number,
    }
    environment.globals |= {"place": place, "labels": LABELS, "READINGS": READINGS}
    return environment.get_template(f"{name}.j2")


def render(name: str, facts: Mapping[str, Any]) -> str:
    """Return the text of the template `name`, with the facts that `evaluate` gathers in it."""
    return template(name).render(facts)


def percent(share: float) -> str:
    """0.8604 → "86.0 %"."""
    return f"{100 * share:.1f} %"


def points(difference: float) -> str:
    """0.0104 → "+1.0", in percent points."""
    return f"{round(100 * difference, 1) + 0.0:+.1f}".replace("-", "−")  # + 0.0: no "−0.0"


def spread(summary: Mapping[str, Any]) -> str:
    """Mean and standard deviation of accuracies: "86.0 ± 0.3 %", or the one seed's "86.0 %"."""
    if summary["sd"] is None:
        return percent(summary["mean"])
    return f"{100 * summary['mean']:.1f} ± {100 * summary['sd']:.1f} %"


def bounds(interval: Sequence[float]) -> str:
    """Two accuracies: "85.2 to 86.9 %"."""
    return f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f} %"


def lead(difference: Mapping[str, Any]) -> str:
    """A difference and its interval, in percent points: "+1.0 (−0.2 to +2.1)"."""
    low, high = (points(bound) for bound in difference["interval"])
    return f"{points(difference['mean'])} ({low} to {high})"


def ahead(difference: Mapping[str, Any]) -> int:
    """Return 1 where a difference is above zero for sure, −1 where below, 0 where its interval has zero."""
    low, high = difference["interval"]
    return int(low > 0) - int(high < 0)


def number(value: float) -> str:
    """12345 → "12,345", 0.00001234 → "1.2e-05"."""
    return f"{value:,}" if isinstance(value, int) else f"{value:.2g}"


def remembered(probe: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    """Return cell → distance → summary of accuracies over seeds, and how far each cell remembers.

    `transferred` has the same of the nets that were trained at the first distance alone.

    `reach` is the largest distance up to which the mean accuracy stays above HALFWAY; None: not even
    the smallest.
    """
    result: dict[str, Any] = {"test_sequences": next(iter(probe.values()))["test_sequences"], "reach": {}}
    for cell in CELLS:
        distances = [row["distance"] for row in next(iter(probe.values()))[cell]]
        result[cell] = {
            distance: summarise({seed: each[cell][place]["test_accuracy"] for seed, each in probe.items()})
            for place, distance in enumerate(distances)
        }
        result["transferred"] = result.get("transferred", {}) | {
            cell: {
                distance: summarise({seed: each[cell][place]["transferred"] for seed, each in probe.items()})
                for place, distance in enumerate(distances)
            }
        }
        failed = [distance for distance, row in result[cell].items() if row["mean"] <= HALFWAY]
        reached = [distance for distance in distances if distance < min(failed, default=np.inf)]
        result["reach"][cell] = max(reached, default=None)
    return result


def place(value: float, values: Collection[float]) -> str:
    """Say where an accuracy lies among others: "2.1 points above the highest", "within the range"."""
    if value < min(values):
        return f"{100 * (min(values) - value):.1f} points below the lowest"
    if value > max(values):
        return f"{100 * (value - max(values)):.1f} points above the highest"
    return "within the range"


def settings(runs: Runs) -> dict[str, Mapping[str, Any]]:
    """Return recipe → its settings, which all its seeds share."""
    return {recipe: next(iter(seeds.values()))["settings"] for recipe, seeds in runs.items()}


def changed_settings(runs: Runs) -> dict[str, dict[str, Any]]:
    """Return dotted parameter → recipe → value, for the parameters in which the recipes differ."""
    dotted = {recipe: _dotted(block) for recipe, block in settings(runs).items()}
    names = next(iter(dotted.values()))
    table = {name: {recipe: values[name] for recipe, values in dotted.items()} for name in names}
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
