"""Stage `pad`: reviews of any length become rows of one length, split into train, validation and test."""

import numpy as np
from scipy.sparse import csr_array

from stages import StageError
from stages.command import main
from stages.files import FIRST_WORD, PADDED, PADDING, RAW, load_array, new_folder
from stages.films import RARE, films, most_shared, words_in
from stages.incidence import incidence
from stages.pairs import telling_pairs, with_pairs
from stages.params import Pad, Params

# Token ids as `keras.datasets.imdb.load_data` gives them: PADDING, these two, and words; then pairs of words.
START, OUT_OF_VOCABULARY = 1, 2


def pad(params: Params, recipe: str) -> None:
    """Encode, truncate and pad the reviews as a recipe says, and set some train reviews apart."""
    settings = params.blocks[recipe].pad
    flat, labels = {}, {}
    for split in ("train", "test"):
        flat[split] = load_array(RAW / f"{split}_tokens.npy"), load_array(RAW / f"{split}_offsets.npy")
        labels[split] = load_array(RAW / f"{split}_labels.npy")
    ranks = 1 + max(int(ranks.max(initial=0)) for ranks, _ in flat.values())
    stands = {split: incidence(*each, ranks) for split, each in flat.items()}
    kept, validating = split_train(recipe, settings, labels["train"], stands["train"])
    words = settings.vocabulary - settings.pairs
    encoded = {split: encode(*each, words) for split, each in flat.items()}
    pairs = telling_pairs(*chosen(*encoded["train"], kept), labels["train"][kept], words, settings.pairs)
    rows = {
        split: pad_rows(
            *with_pairs(*each, pairs, words), settings.length, settings.padding, settings.truncating
        )
        for split, each in encoded.items()
    }
    rare = words_in(stands["train"], RARE)
    train, test = (stands[split][:, rare] for split in ("train", "test"))

    with new_folder(PADDED / recipe) as folder:
        for split, source, which in (
            ("train", "train", kept),
            ("validation", "train", validating),
            ("test", "test", slice(None)),
        ):
            np.save(folder / f"{split}_tokens.npy", rows[source][which])
            np.save(folder / f"{split}_labels.npy", labels[source][which])
        np.save(folder / "pairs.npy", pairs)
        # How near each review is to what is trained on, which `score` asks.
        np.save(folder / "validation_shared.npy", most_shared(train[validating], train[kept]))
        np.save(folder / "test_shared.npy", most_shared(test, train[kept]))
    print(
        f"pad {recipe}: {len(kept):,} train, {len(validating):,} validation and {len(rows['test']):,} "
        f"test reviews of {settings.length} tokens in {PADDED / recipe}"
    )


def encode(ranks: np.ndarray, offsets: np.ndarray, vocabulary: int) -> tuple[np.ndarray, np.ndarray]:
    """Return `(tokens, offsets)`: word ranks as token ids below `vocabulary`, each review opened by START.

    ranks (from 1), tokens: int32, flat; offsets: int64, where each review begins and the last one ends.
    """
    words = ranks + FIRST_WORD
    words[words >= vocabulary] = OUT_OF_VOCABULARY
    tokens = np.insert(words, offsets[:-1], START)
    return tokens, offsets + np.arange(len(offsets))


def chosen(tokens: np.ndarray, offsets: np.ndarray, reviews: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return `(tokens, offsets)` of the `reviews`, their ascending numbers, alone."""
    lengths = np.diff(offsets)
    of_chosen = np.repeat(np.isin(np.arange(len(lengths)), reviews), lengths)
    return tokens[of_chosen], np.append(0, lengths[reviews].cumsum())


def pad_rows(
    tokens: np.ndarray, offsets: np.ndarray, length: int, padding: str, truncating: str
) -> np.ndarray:
    """Return int32 rows (reviews, length): each review cut at one side, or filled up with PADDING at one.

    `padding` and `truncating` are "pre" (at the beginning) or "post" (at the end), as in
    `keras.utils.pad_sequences`.
    """
    lengths = np.diff(offsets)
    kept = np.minimum(lengths, length)

    first = lengths - kept if truncating == "pre" else np.zeros_like(lengths)
    position = np.arange(len(tokens)) - np.repeat(offsets[:-1], lengths)  # of each token in its review
    first, last = np.repeat(first, lengths), np.repeat(first + kept, lengths)
    survives = (position >= first) & (position < last)

    start = length - kept if padding == "pre" else np.zeros_like(kept)
    column = np.arange(length)
    filled = (column >= start[:, None]) & (column < (start + kept)[:, None])

    rows = np.full((len(lengths), length), PADDING, np.int32)
    rows[filled] = tokens[survives]  # both run review by review, token by token
    return rows


def split_train(
    recipe: str, settings: Pad, labels: np.ndarray, stands: csr_array
) -> tuple[np.ndarray, np.ndarray]:
    """Return the ascending numbers `(train, validation)` of the train reviews, as a recipe splits them.

    stands: which words stand in which of them (`incidence`). Raises `StageError` where the recipe's
    share cannot be met.
    """
    share = settings.validation_share
    groups = films(stands) if settings.validation == "films" else None
    try:
        return split_rows(labels, share, settings.split_seed, groups)
    except ValueError as error:
        raise StageError(f"{recipe}.pad.validation_share = {share} cannot be met: {error}") from None


def split_rows(
    labels: np.ndarray, validation_share: float, seed: int, groups: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the ascending row numbers `(train, validation)`.

    Without `groups` (rows,) with the same share of each label in both; with them this share of the groups
    validates, each of them whole. Raises `ValueError` where the share leaves a label out of either.
    """
    # Imported here: it takes longer than the padding.
    from sklearn.model_selection import GroupShuffleSplit, train_test_split

    if groups is None:
        train, validation = train_test_split(
            np.arange(len(labels)), test_size=validation_share, random_state=seed, stratify=labels
        )
        return np.sort(train), np.sort(validation)
    drawn = GroupShuffleSplit(1, test_size=validation_share, random_state=seed)
    train, validation = next(drawn.split(labels, groups=groups))
    if any(len(np.unique(labels[rows])) < 2 for rows in (train, validation)):
        raise ValueError(f"of {len(np.unique(groups))} films it leaves one of both labels out")
    return np.sort(train), np.sort(validation)


if __name__ == "__main__":
    main(pad)
