"""Stage `bag_of_words`: the baseline, TF-IDF and logistic regression.

How far one gets with which words, or pairs of neighbouring words, occur in a review, and nothing else of
their order: on the tokens that a recipe's models read, and on whole reviews with more words.
"""

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from stages.params.study import load_params
from stages.reviews.encoding import encode, load_raw, pad_rows
from stages.reviews.splitting import split_train
from stages.runtime.command_line import stage_main
from stages.runtime.files import FILM_GROUPS, PADDING, REPORTS, json_text, load_array, write_atomically
from stages.scoring.calibration import calibration
from stages.scoring.packing import pack

NGRAMS = {"single": 1, "pairs": 2}  # the longest run of words that is a feature; shorter runs are, too


def bag_of_words() -> None:
    """Fit single words and word pairs, of cut and of whole reviews, and write what each reaches as JSON."""
    params = load_params()
    recipe = params.bag_of_words.recipe
    pad = params.blocks[recipe].pad
    labels = {split: load_raw(split, "labels") for split in ("train", "test")}
    train, validation = split_train(recipe, pad, labels["train"], load_array(FILM_GROUPS))
    variants = []
    for kind, num_words, maxlen in (
        ("cut", pad.num_words, pad.maxlen),
        ("whole", params.bag_of_words.num_words, None),
    ):
        reviews = {}
        for split in ("train", "test"):
            flat = encode(load_raw(split, "tokens"), load_raw(split, "offsets"), num_words)
            reviews[split] = texts(*(cut(*flat, maxlen, pad.truncating) if maxlen else flat))
        for words, longest in NGRAMS.items():
            fitted = fit(
                (reviews["train"][train], labels["train"][train]),
                (reviews["train"][validation], labels["train"][validation]),
                longest,
                params.bag_of_words.C,
            )
            result: dict[str, Any] = {"words": words, "tokens": kind}
            result |= {"maxlen": maxlen, "num_words": num_words}
            result |= evaluate(fitted, reviews["test"], labels["test"])
            variants.append(result)
            print(
                "bag_of_words: {words}, {tokens}: validation accuracy {validation_accuracy:.4f}, "
                "test accuracy {test_accuracy:.4f}".format(**result),
                flush=True,
            )
    write_atomically(REPORTS / "bag_of_words.json", json_text(variants))


def cut(
    tokens: np.ndarray, offsets: np.ndarray, maxlen: int, truncating: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return `(tokens, offsets)` of the reviews as `pad_rows` cuts them, without its padding."""
    rows = pad_rows(tokens, offsets, maxlen, "post", truncating)
    kept = rows != PADDING
    return rows[kept], np.append(0, kept.sum(axis=1).cumsum())


def texts(tokens: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return each review as its token ids with spaces between them, an object array of strings.

    The start and out-of-vocabulary tokens stay, words like any other, as they are for the models.
    """
    ends = itertools.pairwise(offsets)
    return np.array([" ".join(map(str, tokens[begin:end].tolist())) for begin, end in ends], object)


class Fitted(NamedTuple):
    """The model with the best C, and what makes its features of texts."""

    vectoriser: TfidfVectorizer
    model: LogisticRegression
    candidates: dict[float, float]  # C → validation accuracy


def fit(
    train: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    longest: int,
    C: Sequence[float],  # noqa: N803 (scikit-learn's name)
) -> Fitted:
    """Return the model of the highest validation accuracy; of equals, the one of the first C.

    train, validation: texts and labels. Features are the runs of up to `longest` words that occur in
    two train reviews or more.
    """
    # Logarithms of counts, and no feature of one review alone: on validation, against plain counts and
    # all features, 0.001 more with pairs and 0.001 less with single words. One setting for all.
    vectoriser = TfidfVectorizer(
        lowercase=False, token_pattern=r"\S+", ngram_range=(1, longest), min_df=2, sublinear_tf=True
    )
    features = vectoriser.fit_transform(train[0])
    validating = vectoriser.transform(validation[0])
    models, candidates = {}, {}
    for strength in C:
        # liblinear: one thread, and where it ends lbfgs ends as well, later, with a hundredth of its
        # default tolerance.
        model = LogisticRegression(C=strength, solver="liblinear", random_state=0)
        models[strength] = model.fit(features, train[1])
        candidates[strength] = float(model.score(validating, validation[1]))
    return Fitted(vectoriser, models[max(candidates, key=candidates.__getitem__)], candidates)


def evaluate(fitted: Fitted, reviews: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Return how the model was chosen, and for which of the test `reviews` it is correct."""
    features = fitted.vectoriser.transform(reviews)
    correct = fitted.model.predict(features) == labels
    return {
        "features": features.shape[1],
        "candidates": [
            {"C": strength, "validation_accuracy": round(accuracy, 5)}
            for strength, accuracy in fitted.candidates.items()
        ],
        "C": fitted.model.C,
        "validation_accuracy": round(fitted.candidates[fitted.model.C], 5),
        "test_accuracy": round(float(correct.mean()), 5),
        "correct": pack(correct),
        "calibration": calibration(labels, fitted.model.predict_proba(features)[:, 1]),
    }


if __name__ == "__main__":
    stage_main(bag_of_words)
