"""What no stage of the main study writes under reports/, made up: no test reads the project's results."""

from itertools import product
from pathlib import Path
from typing import Any

from stages.params.recipe import CELLS
from stages.params.study import Params
from stages.runtime.files import json_text

PARAMS = Path(__file__).with_name("params.yaml")  # not the project's own, which users change


def made_up_search(params: Params) -> dict[str, Any]:
    """What `make search` would write, had it chosen what the searched recipe has."""
    search, block = params.search, params.blocks[params.search.recipe]
    chosen = {"model.pooling": block.model.pooling, "train.epsilon": block.train.epsilon}
    rates = {cell: block.learning_rate(cell) for cell in CELLS}
    rows = []
    for cell, rate, pooling, epsilon in product(CELLS, search.learning_rate, search.pooling, search.epsilon):
        settings = {"model.pooling": pooling, "train.epsilon": epsilon}
        mean = 0.7 + 0.1 * (settings == chosen) + 0.1 * (rate == rates[cell])
        seeds = {str(seed): mean for seed in search.seeds}
        rows.append({"cell": cell, "learning_rate": rate, "settings": settings, "seeds": seeds, "mean": mean})
    return {
        "recipe": search.recipe,
        "rows": rows,
        "chosen": {"settings": chosen, "learning_rates": rates},
        "provenance": {},
    }


def made_up_benchmark() -> dict[str, Any]:
    """What the report reads of what `make bench` would write."""
    steps = [
        {"cell": cell, "batch": 32, "length": 200, "threads": 1, "milliseconds": {"fused": milliseconds}}
        for cell, milliseconds in (("rnn", 10.0), ("lstm", 30.0))
    ]
    answers = {"rnn": {"fused": 50.0}, "lstm": {"fused": 200.0}}
    return {"steps": steps, "answers": answers, "machine": {"processor": "made-up processor"}}


def no_stages(params: Params) -> dict[str, str]:
    """Return the name under reports/ and the text of each file that no stage of the main study makes."""
    texts = ("answers.md", "benchmark.md", "speed.md", "walk.md")
    return {
        "benchmark.json": json_text(made_up_benchmark()),
        "search.json": json_text(made_up_search(params)),
        "whole_reviews.json": json_text({}),
        **dict.fromkeys(texts, "Nothing yet.\n"),
    }
