"""Which train reviews are set apart for validation, and how near a review is to those that are not."""

import numpy as np
from sklearn.model_selection import GroupShuffleSplit, train_test_split

from stages.params.recipe import Pad
from stages.runtime.errors import StageError

# Document frequency of a rare word: it occurs in the reviews of one film, or of few. Most are names.
RARE = (2, 30)
SHARED = (1, 3)  # reviews are binned by the rare words that they share: up to 1, up to 3, more


def split_train(
    recipe: str, settings: Pad, labels: np.ndarray, film_groups: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the ascending row numbers `(train, validation)` of the train reviews, as a recipe splits them.

    labels, film_groups: (reviews,). Raises `StageError` where the recipe's share cannot be met.
    """
    share = settings.validation_split
    try:
        return split_rows(
            labels, share, settings.split_seed, film_groups if settings.split_by == "film" else None
        )
    except ValueError as error:
        raise StageError(f"{recipe}.pad.validation_split = {share} cannot be met: {error}") from None


def split_rows(
    labels: np.ndarray, validation_split: float, seed: int, groups: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the ascending row numbers `(train, validation)`.

    Without `groups` (rows,) both have the same share of each label; with them this share of the groups
    validates, each of them whole. Raises `ValueError` where either would lack a label.
    """
    if groups is None:
        train, validation = train_test_split(
            np.arange(len(labels)), test_size=validation_split, random_state=seed, stratify=labels
        )
        return np.sort(train), np.sort(validation)
    drawn = GroupShuffleSplit(1, test_size=validation_split, random_state=seed)
    train, validation = next(drawn.split(labels, groups=groups))
    if any(len(np.unique(labels[rows])) < 2 for rows in (train, validation)):
        raise ValueError(f"of {len(np.unique(groups))} film groups it leaves too few for both labels")
    return np.sort(train), np.sort(validation)
