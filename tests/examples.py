"""What stages and side studies write under reports/, made up: no test reads the project's results."""

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from stages.benchmarking.speed import NAMES, speed_text
from stages.params.delayed_recall import STARTS
from stages.params.recipe import CELLS
from stages.params.study import Params, load_params
from stages.runtime.files import json_text
from stages.scoring.packing import pack
from stages.tabulate_delayed_recall import chosen, tried

PARAMS = Path(__file__).with_name("params.yaml")  # not the project's own, which users change

REVIEWS = 400  # of a made-up test set, of which the last two are in train, too
TIMES = {"keras": 60.0, "pytorch": 30.0, "fused": 20.0, "coalesced": 15.0}  # ms for a training step
CODE = {"stages/networks/training.py": "a" * 64}


@cache
def example_params() -> Params:
    """The parameters of PARAMS."""
    return load_params(PARAMS)


def made_up_scores(rnn: float, lstm: float, pooling: str = "last", **pad: Any) -> dict[str, Any]:
    """What `score` would write of two runs with these test accuracies; `pad` changes its recipe's."""
    recipe = example_params().blocks["notebook"].model_dump()
    recipe["pad"] |= pad
    recipe["model"]["pooling"] = pooling
    result: dict[str, Any] = {
        "settings": recipe,
        "provenance": {"code": CODE, "packages": {}, "python": "3.11"},
        "padding": {"share_of_reviews": 0.4, "mean_tokens": 31.5},
    }
    for cell, accuracy in (("rnn", rnn), ("lstm", lstm)):
        correct = round(accuracy * REVIEWS)
        measured = {
            **dict.fromkeys(("accuracy", "auc", "f1"), accuracy),
            "loss": 0.5,
            "confusion": [[correct - 100, REVIEWS - correct], [0, 100]],
            "roc": [i / 100 for i in range(101)],
            "correct": pack(np.arange(REVIEWS) < correct),
            "calibration": made_up_calibration(1 - accuracy),
        }
        shared = [{"reviews": number, "accuracy": accuracy} for number in (200, 190, 10)]
        curve = [0.5, accuracy]
        result[cell] = {
            "cell_weights": {"rnn": 32896, "lstm": 131584}[cell],
            "weights": 1,
            "kept_epoch": 2,
            "history": {
                "epoch": [1, 2],
                **{f"{s}_{m}": curve for s in ("train", "validation") for m in ("accuracy", "loss")},
            },
            "validation": measured | {"by_shared": [*shared[:2], {"reviews": 40, "accuracy": accuracy}]},
            "test": measured | {"by_shared": shared},
        }
    return result


def made_up_calibration(error: float) -> dict[str, Any]:
    """What would be measured of a model that is overconfident by this, of two bins."""
    return {
        "ece": error,
        "overconfidence": error,
        "reviews": [200, 0, 200],
        "positive": [50, 0, 150],
        "probability": [0.1, None, 0.9],
    }


def made_up_audit() -> dict[str, Any]:
    """What `audit` would write: every other review has more than 100 tokens."""
    split = {
        "reviews": REVIEWS,
        "distinct": REVIEWS - 1,
        "positive": 0.5,
        "longer": {"100": 0.5, "200": 0.4},
        "tokens": dict.fromkeys(("median", "lower_quartile", "upper_quartile", "p5", "p95", "max"), 100.0),
        "histogram": [1, 2, 1],
    }
    return {
        "train": split | {"reviews": 5 * REVIEWS},
        "test": split,
        "length_edges": [100, 200],
        "histogram_edges": [100, 200],
        "test_lengths": "01" * (REVIEWS // 2),
        "duplicates": {"rows": [REVIEWS - 2, REVIEWS - 1], "rows_of_other_label": []},
    }


def made_up_bags(accuracy: float = 0.8) -> list[dict[str, Any]]:
    """What `bag_of_words` would write of baselines with this test accuracy."""
    return [
        {
            "words": words,
            "tokens": tokens,
            "recipe": recipe,
            "pad": example_params().blocks[recipe].pad.model_dump(),
            "trained_on": 300,
            "features": 9,
            "C": 3.0 if words == "single" else 10.0,
            "candidates": [{"C": value, "validation_accuracy": accuracy} for value in (1.0, 3.0, 10.0)],
            "validation_accuracy": accuracy,
            "test_accuracy": accuracy,
            "correct": pack(np.arange(REVIEWS) < accuracy * REVIEWS),
            "calibration": made_up_calibration(1 - accuracy),
        }
        for tokens, recipe in (("cut", "tuned"), ("whole", "long"))
        for words in ("single", "pairs")
    ]


def made_up_recall(
    params: Params,
    learned: Mapping[str, Sequence[float]] | None = None,
    kept: Mapping[str, Sequence[float]] | None = None,
) -> dict[str, Any]:
    """What `make delayed_recall` would write, had all seeds these accuracies: start → one for each delay.

    learned: trained at each delay, 1 where it is not given; kept: trained at the first, 0.5 after others.
    """
    asked = params.delayed_recall
    delays = len(asked.delays)
    rows = []
    for start, rate, seed in product(STARTS, asked.learning_rate, asked.seeds):
        pairs = zip(
            asked.delays,
            (learned or {}).get(start, [1.0] * delays),
            (kept or {}).get(start, [1.0] + [0.5] * (delays - 1)),
            strict=True,
        )
        answers = [
            {
                "delay": delay,
                "test": {"accuracy": own, "auc": own},
                "transferred": {"accuracy": first, "auc": first},
                "validation_accuracy": [0.5] + [own] * (asked.train.epochs - 1),
                "kept_epoch": 2,
            }
            for delay, own, first in pairs
        ]
        each = {"start": start, "learning_rate": rate, "seed": seed, "test_sequences": 50, "delays": answers}
        rows.append(each)
    means = tried(rows)
    return {
        "rows": rows,
        "tried": means,
        "chosen": chosen(means),
        "settings": asked.shaping(),
        "provenance": {"code": CODE, "packages": {}, "python": "3.11"},
    }


def made_up_inspection(rnn: float = 0.5, lstm: float = 0.9, positions: int = 60) -> dict[str, Any]:
    """What `inspect_models` would write where the gradient shrinks by these factors per token."""
    gradients = {
        cell: {
            when: dict.fromkeys(
                ("lower_quartile", "median", "upper_quartile"),
                (factor ** np.arange(float(positions))).tolist(),
            )
            for when in ("initial", "trained")
        }
        for cell, factor in (("rnn", rnn), ("lstm", lstm))
    }
    reading = {"row": 3, "label": 1, "words": ["<start>", "good"]} | {
        cell: {"after_word": [0.5, 0.75], "final": 0.75} for cell in CELLS
    }
    gate = {"by_distance": [0.5] * positions, "units": [0.2, 0.9]}
    return {
        "seed": 0,
        "reviews": 5,
        "gradients": gradients,
        "gates": dict.fromkeys(("forget", "input", "output"), gate),
        "readings": {"lstm_only": None, "both_wrong": reading},
    }


def made_up_release(recipe: str, seed: int) -> dict[str, Any]:
    """What `release` would write."""
    run = {"recipe": recipe, "seed": seed, "validation_accuracy": 0.5}
    return {cell: run | {"cell": cell} for cell in CELLS}


def made_up_whole_reviews(params: Params, rnn: float, lstm: float) -> dict[str, Any]:
    """What `make whole_reviews` would write."""
    asked = params.whole_reviews
    settings = params.blocks[asked.recipe].model_dump()
    tried = [
        {"cell": cell, "pooling": pooling, "validation_accuracy": 0.9}
        for cell, pooling in product(CELLS, asked.poolings)
    ]
    run = made_up_scores(rnn, lstm) | {"settings": settings}
    return {
        "recipe": asked.recipe,
        "tried": tried,
        "runs": {str(seed): run for seed in asked.seeds},
        "provenance": run["provenance"],
    }


def made_up_search(params: Params) -> dict[str, Any]:
    """What `make search` would write, had it chosen what the searched recipe has."""
    search, block = params.search, params.blocks[params.search.recipe]
    chosen = {"model.pooling": block.model.pooling, "train.epsilon": block.train.epsilon}
    rates = {cell: block.own(cell).learning_rate for cell in CELLS}
    rows = []
    for cell, rate, pooling, epsilon in product(CELLS, search.learning_rate, search.pooling, search.epsilon):
        settings = {"model.pooling": pooling, "train.epsilon": epsilon}
        mean = 0.7 + 0.1 * (settings == chosen) + 0.1 * (rate == rates[cell])
        seeds, epochs = {str(seed): mean for seed in search.seeds}, {str(seed): 2 for seed in search.seeds}
        row = {"cell": cell, "learning_rate": rate, "settings": settings, "mean": mean}
        rows.append(row | {"seeds": seeds, "epochs": epochs})
    kept = block.model_dump()
    del kept["model"]["pooling"], kept["train"]["epsilon"]
    for cell in CELLS:
        del kept[cell]["learning_rate"]
    return {
        "recipe": search.recipe,
        "settings": kept,
        "rows": rows,
        "chosen": {"settings": chosen, "learning_rates": rates},
        "provenance": {},
    }


def made_up_learning_rates(
    params: Params, runs: Mapping[str, Mapping[int, Any]], rnn: list[float], lstm: list[float]
) -> dict[str, Any]:
    """What `make learning_rates` would write of each recipe in `runs`, where each rate reaches this accuracy.

    Each LSTM's seed is a little better than the one before.
    """
    asked = params.learning_rates
    rows = [
        {"recipe": recipe, "cell": cell, "learning_rate": rate, "seed": seed, "kept_epoch": 2}
        | dict.fromkeys(("validation_accuracy", "test_accuracy"), value + (cell == "lstm") * seed / 1000)
        for recipe in runs
        for cell, values in (("rnn", rnn), ("lstm", lstm))
        for rate, value in zip(asked.learning_rate, values, strict=True)
        for seed in asked.seeds
    ]
    return {"runs": rows, "settings": without_rates(runs), "provenance": {"code": CODE}}


def made_up_best_rates(
    params: Params, runs: Mapping[str, Mapping[int, Any]], rnn: list[float], lstm: list[float]
) -> dict[str, Any]:
    """What `make best_rates` would write of each recipe in `runs`, whose seeds reach these accuracies."""
    rows = [
        {"recipe": rates.recipe, "cell": cell, "learning_rate": rates.of(cell), "seed": seed, "kept_epoch": 2}
        | dict.fromkeys(("validation_accuracy", "test_accuracy"), value)
        for rates in params.best_rates.rates
        for cell, values in (("rnn", rnn), ("lstm", lstm))
        for seed, value in zip(params.best_rates.seeds, values, strict=True)
    ]
    return {"runs": rows, "settings": without_rates(runs), "provenance": {"code": CODE}}


def without_rates(runs: Mapping[str, Mapping[int, Any]]) -> dict[str, Any]:
    """Return the settings of each recipe without its learning rates."""
    return {
        recipe: {
            part: {name: value for name, value in block.items() if name != "learning_rate"}
            for part, block in next(iter(seeds.values()))["settings"].items()
        }
        for recipe, seeds in runs.items()
    }


def benchmark_row(cell: str, threads: int, length: int = 200, factor: float = 1.0) -> dict[str, Any]:
    """A step that takes `factor` times TIMES, and an LSTM's three times that."""
    factor *= 3 if cell == "lstm" else 1
    return {
        "cell": cell,
        "batch": 32,
        "length": length,
        "threads": threads,
        "milliseconds": {name: factor * time for name, time in TIMES.items()},
        "share_of_matmul_rate": dict.fromkeys(NAMES, 0.25),
        "minor_page_faults": dict.fromkeys(NAMES, 1234.4),
    }


def made_up_benchmark(avx512: bool = True) -> dict[str, Any]:
    """What `make bench` would write."""
    both = list(product(("rnn", "lstm"), (1, 2)))
    rates = dict.fromkeys(NAMES, 100)
    return {
        "machine": {"processor": "made-up processor", "cores": 2},
        "versions": {"keras": "3"},
        "matmul_gflop_per_second": {"1": 80.0, "2": 150.0},
        "matmul_gflop_per_second_fixed": {"1": 70.0, "2": 140.0},
        "steps": [benchmark_row(*each, length=length) for each in both for length in (100, 200)],
        "same_allocator": [benchmark_row(*each) for each in both],
        "same_instructions": [
            benchmark_row(*each, factor=0.8 / i) for i, each in enumerate(both, 1) if avx512
        ],
        "reviews_per_second": {
            "one_after_another": rates,
            "same_allocator": rates,
            "side_by_side": rates | {"fused": 300, "coalesced": 400, "keras": 150, "pytorch": 160},
        },
        "parts_of_a_step": [{"part": "all backward", "rnn": 9.0, "lstm": 9.0}],
        "answers": {"rnn": dict.fromkeys(NAMES, 50.0), "lstm": dict.fromkeys(NAMES, 200.0)},
        "fresh_process": [
            {
                "implementation": "keras",
                "cell": "rnn",
                "seconds_to_import": 2.5,
                "seconds_to_first_step": 1.5,
                "peak_megabytes": 900.0,
            }
        ],
        "dvc": {"check_all": 2.0, "check_one": 0.5, "rewrite_lock": 1.0, "stages": 60},
    }


def no_stages(params: Params) -> dict[str, str]:
    """Return the name under reports/ and the text of each file that no stage of the main study makes."""
    return {
        "ablation.json": json_text({}),
        "ablation_rates.json": json_text({}),
        "answers.md": "Nothing yet.\n",
        "benchmark.json": json_text(made_up_benchmark()),
        "best_rates.json": json_text({}),
        "learning_rates.json": json_text({}),
        "benchmark.md": speed_text(made_up_benchmark()),
        "delayed_recall.json": json_text({}),
        "engines.md": "Nothing yet.\n",
        "ladder.json": json_text({}),
        "search.json": json_text(made_up_search(params)),
        "walk.md": "Nothing yet.\n",
        "whole_reviews.json": json_text({}),
    }
