"""Stage `demo`: a page in which both networks run, for a browser that has nothing else."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from stages.browser.assembly import assembled
from stages.browser.examples import chosen, words_below
from stages.browser.quantised import packed, restored
from stages.params.recipe import CELLS, Recipe
from stages.params.study import Params, load_params
from stages.reviews.encoding import encode, load_raw, pad_rows
from stages.runtime.command_line import stage_main
from stages.runtime.files import (
    RAW,
    RELEASED,
    REPORTS,
    json_text,
    load_json,
    missing_input,
    run_folder,
    write_atomically,
)

DEMO = Path("data/demo.html")


class Models(NamedTuple):
    """Both cells of a recipe: where they lie, and of which seeds they are."""

    title: str
    recipe: Recipe
    folders: dict[str, Path]
    seeds: dict[str, int]


def demo() -> None:
    """Write data/demo.html; and to reports/demo.json what rounding the weights costs."""
    params = load_params()
    ranks = load_json(RAW / "word_index.json")
    labels, tokens, offsets = (np.array(load_raw("test", part)) for part in ("labels", "tokens", "offsets"))
    every = models_shown(params)

    shown, measured, predicted = [], [], []
    for models in every:
        pad = models.recipe.pad
        rows = pad_rows(*encode(tokens, offsets, pad.num_words), pad.maxlen, pad.padding, pad.truncating)
        cells, results, probabilities = rounded(models, rows, labels)
        shown.append(settings(models) | {"cells": cells})
        measured += results
        predicted.append(probabilities)

    lengths = np.diff(offsets)
    examples = chosen(labels, predicted[0]["rnn"], predicted[0]["lstm"], lengths, params.demo.examples)
    of_rank = {rank: word for word, rank in ranks.items()}
    data = {
        "words": words_below(ranks, max(models.recipe.pad.num_words for models in every)),
        "models": shown,
        "examples": [
            {
                "kind": kind,
                "positive": bool(labels[row]),
                "words": int(lengths[row]),
                "text": " ".join(of_rank[rank] for rank in tokens[offsets[row] : offsets[row + 1]].tolist()),
            }
            for kind, rows in examples.items()
            for row in rows
        ],
    }
    page = assembled(data, reviews=len(labels), examples=params.demo.examples, measured=measured)
    megabytes = round(len(page.encode()) / 1e6, 1)
    write_atomically(DEMO, page)
    write_atomically(REPORTS / "demo.json", json_text({"megabytes": megabytes, "models": measured}))
    print(f"demo: {DEMO}, {megabytes} MB: {' and '.join(models.title for models in every)}")


def models_shown(params: Params) -> list[Models]:
    """Return the released models and those of `demo.recipe`; raise `StageError` where one is missing."""
    released, other, seed = params.release.recipe, params.demo.recipe, params.seeds[0]
    folders = [
        {cell: RELEASED / cell for cell in CELLS},
        {cell: run_folder(other, cell, seed) for cell in CELLS},
    ]
    for path in (folder / "model.keras" for each in folders for folder in each.values()):
        if not path.is_file():
            raise missing_input(path)
    seeds = {cell: load_json(folder / "run.json")["seed"] for cell, folder in folders[0].items()}
    return [
        Models(f"{released}, released", params.blocks[released], folders[0], seeds),
        Models(f"{other}, seed {seed}", params.blocks[other], folders[1], dict.fromkeys(CELLS, seed)),
    ]


def settings(models: Models) -> dict[str, Any]:
    """Return what the page must know to run models as they were trained."""
    pad, model = models.recipe.pad, models.recipe.model
    return {
        "title": models.title,
        "padding": "skipped" if model.mask_zero else {"pre": "before", "post": "after"}[pad.padding],
        "maxlen": pad.maxlen,
        "truncating": pad.truncating,
        "num_words": pad.num_words,
        "pooling": model.pooling,
        "activation": model.activation,
    }


def rounded(
    models: Models, rows: np.ndarray, labels: np.ndarray
) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, np.ndarray]]:
    """Return both models' weights for the page, what rounding them costs, and what they then predict.

    rows: the test reviews, int32 (reviews, maxlen). The predictions: cell → P(positive) (reviews,).
    """
    # Imported here: TensorFlow takes seconds and prints lines of its own; what is wrong is said before.
    from stages.networks.models import load_network

    cells, measured, probabilities = {}, [], {}
    for cell, folder in models.folders.items():
        network = load_network(folder / "model.keras", models.recipe.train.implementation)
        weights = {name: layer.get_weights() for name, layer in network.layers.items()}
        before = network.probabilities(rows)
        for name, arrays in restored(weights, cell).items():
            network.layers[name].set_weights(arrays)
        after = network.probabilities(rows)
        cells[cell], probabilities[cell] = packed(weights, cell), after
        accuracies = [round(float(((each > 0.5) == labels).mean()), 5) for each in (before, after)]
        measured.append(
            {
                "models": models.title,
                "cell": cell,
                "seed": models.seeds[cell],
                "accuracy": accuracies[0],
                "accuracy_in_page": accuracies[1],
                "largest_change": round(float(np.abs(after - before).max()), 4),
                "other_answers": int(((after > 0.5) != (before > 0.5)).sum()),
            }
        )
        print(f"demo: {models.title}, {cell}: test accuracy {accuracies[0]}, in the page {accuracies[1]}")
    return cells, measured, probabilities


if __name__ == "__main__":
    stage_main(demo)
