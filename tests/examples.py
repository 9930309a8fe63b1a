"""What no stage writes under reports/, made up: tests read nothing of this project's own results."""

from pathlib import Path
from typing import Any

from stages.files import json_text
from stages.params import Params
from stages.search import candidates, finalists, table

PARAMS = Path(__file__).with_name("params.yaml")  # not the project's own, which users change


def made_up_search(params: Params) -> dict[str, Any]:
    """What `make search` would write, had it chosen what the searched recipe has."""
    search, block = params.search, params.blocks[params.search.recipe].model_dump()

    def reached(nets: list[Any]) -> dict[Any, list[float]]:
        accuracies = {}
        for net in nets:
            own = all(block[part][leaf] == value for (part, leaf), value in named(net.settings))
            accuracies[net] = [
                0.6,
                0.7 + 0.1 * own + 0.1 * (block[net.cell]["learning_rate"] == net.learning_rate),
            ]
        return accuracies

    first = reached(candidates(search))
    return table(search, first | reached(finalists(search, first)))


def named(settings: Any) -> list[tuple[list[str], Any]]:
    """Return ([part, leaf], value) for each (dotted name, value)."""
    return [(name.split("."), value) for name, value in settings]


def made_up_benchmark() -> dict[str, Any]:
    """What the report reads of what `make bench` would write."""
    steps = [
        {"cell": cell, "batch": 32, "length": 200, "threads": 1, "milliseconds": {"fused": milliseconds}}
        for cell, milliseconds in (("rnn", 10.0), ("lstm", 30.0))
    ]
    answers = {"rnn": {"fused": 50.0}, "lstm": {"fused": 200.0}}
    return {"steps": steps, "answers": answers, "machine": {"processor": "made-up processor"}}


def no_stages(params: Params) -> dict[str, str]:
    """Return the name under reports/ and the text of each file that no stage makes."""
    texts = ("answers.md", "benchmark.md", "speed.md", "walk.md")
    return {
        "apart.json": json_text({}),
        "benchmark.json": json_text(made_up_benchmark()),
        "search.json": json_text(made_up_search(params)),
        **dict.fromkeys(texts, "Nothing yet.\n"),
    }
