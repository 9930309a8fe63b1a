"""Stage `word_vectors`: what a recipe's embeddings start from, once for all its runs."""

import numpy as np

from stages.params.recipe import load_recipe
from stages.reviews.word_vectors import ppmi_vectors
from stages.runtime.command_line import stage_main
from stages.runtime.files import WORD_VECTORS, load_padded, write_array


def word_vectors(recipe: str, reviews: str = "") -> None:
    """Compute word vectors from a recipe's train reviews; none where its `ppmi_window` is null."""
    reviews = reviews or recipe
    settings = load_recipe(recipe)
    width, window = settings.model.embedding_dim, settings.model.ppmi_window
    if window is None:
        vectors = np.empty((0, width), np.float32)
    else:
        tokens = load_padded(reviews)["train"].tokens
        vectors = ppmi_vectors(tokens, settings.pad.num_words, width, window)
    write_array(WORD_VECTORS / f"{reviews}.npy", vectors)
    print(f"word_vectors {reviews}: {len(vectors):,} vectors of {width} numbers")


if __name__ == "__main__":
    stage_main(word_vectors)
