"""Stage `inspect_models`: gradients, gates and readings of the first seed's two models."""

from typing import Any

import numpy as np

from stages.inspection.gates import gates
from stages.inspection.gradients import gradient_norms, quartiles
from stages.inspection.readings import contrasting_reviews, reading, token_words
from stages.inspection.states import from_end
from stages.params.recipe import CELLS, load_recipe
from stages.params.study import load_params
from stages.reviews.encoding import load_raw
from stages.runtime.command_line import stage_main
from stages.runtime.errors import StageError
from stages.runtime.files import (
    PADDING,
    RAW,
    REPORTS,
    WORD_VECTORS,
    json_text,
    load_array,
    load_json,
    load_padded,
    run_folder,
    write_atomically,
)
from stages.scoring.probabilities import load_probabilities


def inspect_models(recipe: str) -> None:
    """Look into the RNN and the LSTM of a recipe and the first seed, and write what is seen as JSON."""
    params, block = load_params(), load_recipe(recipe)
    settings, seed = params.inspection, params.seeds[0]
    test, vectors = load_padded(recipe)["test"], load_array(WORD_VECTORS / f"{recipe}.npy")
    lengths = np.diff(load_raw("test", "offsets")) + 1  # before they were cut, with the start token
    words = token_words(load_json(RAW / "word_index.json"), block.pad.num_words)
    folders = {cell: run_folder(recipe, cell, seed) for cell in CELLS}
    probabilities = {
        cell: load_probabilities(folders[cell] / "test_probabilities.npy", len(test.labels)) for cell in CELLS
    }

    positions = min(settings.positions, block.pad.maxlen)
    long = evenly_spaced(test.tokens[(test.tokens != PADDING).sum(axis=1) >= positions], settings.reviews)
    if not len(long):
        raise StageError(
            f"inspection.positions = {settings.positions}: allowed is up to {lengths.max()}, "
            f"the most tokens that a test review of {recipe} has"
        )
    least, most = settings.shown_tokens
    short = (lengths >= least) & (lengths <= min(most, block.pad.maxlen))
    shown = contrasting_reviews(test.labels, probabilities["rnn"], probabilities["lstm"], short)

    # Imported here: TensorFlow takes seconds and prints lines of its own; what is wrong is said before.
    from stages.networks.models import load_network, new_network

    gradients: dict[str, Any] = {}
    weights = {}
    for cell in CELLS:
        implementation = block.train.implementation
        trained = load_network(folders[cell] / "model.keras", implementation)
        initial = new_network(
            cell, block.pad.num_words, block.model, block.own(cell), implementation, seed, vectors
        )
        weights[cell] = {name: layer.get_weights() for name, layer in trained.layers.items()}
        gradients[cell] = {
            name: quartiles(from_end(gradient_norms(network, long), long, positions))
            for name, network in (("initial", initial), ("trained", trained))
        }
    readings: dict[str, Any] = dict.fromkeys(shown)
    for name, row in shown.items():
        if row is not None:
            tokens = test.tokens[row]
            text = [words[token] for token in tokens[tokens != PADDING].tolist()]
            readings[name] = {"row": row, "label": int(test.labels[row]), "words": text}
            readings[name] |= reading(weights, block.model, tokens)
    result = {
        "seed": seed,
        "reviews": len(long),
        "gradients": gradients,
        "gates": gates(weights["lstm"], block.model, long, positions),
        "readings": readings,
    }
    write_atomically(REPORTS / "inspection" / f"{recipe}.json", json_text(result))
    print(
        f"inspect_models {recipe}: gradients and gates over {len(long)} test reviews of at least {positions} "
        f"tokens; reviews shown: {', '.join(f'{name} {row}' for name, row in shown.items())}"
    )


def evenly_spaced(rows: np.ndarray, number: int) -> np.ndarray:
    """Return `number` of `rows`, evenly spaced, or all where there are fewer.

    The reviews lie in order of label and tokens: the first would all be negative and begin alike.
    """
    return rows[np.linspace(0, len(rows) - 1, min(number, len(rows))).round().astype(int)]


if __name__ == "__main__":
    stage_main(inspect_models)
