"""Stage `film_groups`: which train reviews seem to be of one film."""

import numpy as np

from stages.reviews.document_terms import document_term_matrix
from stages.reviews.encoding import load_raw
from stages.reviews.film_groups import film_groups as group
from stages.runtime.command_line import stage_main
from stages.runtime.files import FILM_GROUPS, write_array


def film_groups() -> None:
    """Group the train reviews by film, as far as their words tell, for recipes that split by film."""
    ranks, offsets = load_raw("train", "tokens"), load_raw("train", "offsets")
    groups = group(document_term_matrix(ranks, offsets, 1 + int(ranks.max(initial=0))))
    write_array(FILM_GROUPS, groups)
    sizes = np.bincount(groups)
    print(
        f"film_groups: {len(groups):,} train reviews in {len(sizes):,} groups, the largest of {sizes.max()}"
    )


if __name__ == "__main__":
    stage_main(film_groups)
