"""Stage `bag_of_words`: the yardstick, TF-IDF and logistic regression.

What can be had from knowing which words, or pairs of neighbouring words, stand in a review, and nothing
else of their order: from the tokens that a recipe's nets read, and from whole reviews with more words.
"""

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from stages.runtime.command_line import main
from stages.runtime.files import PADDING, RAW, REPORTS, json_text, load_array, new_file
from stages.reviews.document_terms import incidence
from stages.pad import encode, pad_rows, split_train
from stages.params.study import Params
from stages.reporting.statistics import pack

WORDS = {"single": 1, "pairs": 2}  # the longest run of words that is a feature; shorter runs are, too


def bag_of_words(params: Params) -> None:
    """Fit single words and word pairs, of cut and of whole reviews, and write what each reaches as JSON."""
    recipe, penalties = params.bag_of_words.recipe, params.bag_of_words.inverse_penalties
    settings = params.blocks[recipe].pad
    arrays = {
        (split, part): load_array(RAW / f"{split}_{part}.npy")
        for split in ("train", "test")
        for part in ("tokens", "offsets", "labels")
    }
    labels = arrays["train", "labels"]
    ranks = arrays["train", "tokens"]
    stands = incidence(ranks, arrays["train", "offsets"], int(ranks.max(initial=0)) + 1)
    train, validation = split_train(recipe, settings, labels, stands)

    variants = []
    for kind, vocabulary, length in (
        ("cut", settings.vocabulary - settings.pairs, settings.length),
        ("whole", params.bag_of_words.whole_vocabulary, None),
    ):
        reviews = {}
        for split in ("train", "test"):
            flat = encode(arrays[split, "tokens"], arrays[split, "offsets"], vocabulary)
            reviews[split] = texts(*(cut(*flat, length, settings.truncating) if length else flat))
        for words, longest in WORDS.items():
            fitted = fit(
                (reviews["train"][train], labels[train]),
                (reviews["train"][validation], labels[validation]),
                longest,
                penalties,
            )
            result = reached(fitted, reviews["test"], arrays["test", "labels"])
            variants.append(
                {"words": words, "tokens": kind, "length": length, "vocabulary": vocabulary} | result
            )
            print(
                "bag_of_words: {}, {}: validation accuracy {:.4f}, test accuracy {:.4f}".format(
                    words, kind, result["validation_accuracy"], result["test_accuracy"]
                ),
                flush=True,
            )
    new_file(REPORTS / "bag_of_words.json", json_text(variants))


def cut(
    tokens: np.ndarray, offsets: np.ndarray, length: int, truncating: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return `(tokens, offsets)` of the reviews as `pad_rows` cuts them, without its padding."""
    rows = pad_rows(tokens, offsets, length, "post", truncating)
    kept = rows != PADDING
    return rows[kept], np.append(0, kept.sum(axis=1).cumsum())


def texts(tokens: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return each review as its token ids with spaces between them, an object array of strings.

    The start and what is out of vocabulary stay: words like any other, as they are for the nets.
    """
    ends = itertools.pairwise(offsets)
    return np.array([" ".join(map(str, tokens[begin:end].tolist())) for begin, end in ends], object)


class Fitted(NamedTuple):
    """The model with the best penalty, and what makes its features of texts."""

    vectoriser: TfidfVectorizer
    model: LogisticRegression
    candidates: dict[float, float]  # inverse penalty → validation accuracy


def fit(
    train: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    longest: int,
    inverse_penalties: Sequence[float],
) -> Fitted:
    """Return the model of the highest validation accuracy; of equals, the one of the first penalty.

    train, validation: texts and labels. Features are the runs of up to `longest` words that stand in
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
    for penalty in inverse_penalties:
        # liblinear: one thread, and where it ends lbfgs ends as well, later, with a hundredth of its
        # default tolerance.
        model = LogisticRegression(C=penalty, solver="liblinear", random_state=0)
        models[penalty] = model.fit(features, train[1])
        candidates[penalty] = float(model.score(validating, validation[1]))
    return Fitted(vectoriser, models[max(candidates, key=candidates.__getitem__)], candidates)


def reached(fitted: Fitted, reviews: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Return how the model was chosen, and which of the test `reviews` it answers right."""
    features = fitted.vectoriser.transform(reviews)
    right = fitted.model.predict(features) == labels
    return {
        "features": features.shape[1],
        "candidates": [
            {"inverse_penalty": penalty, "validation_accuracy": round(accuracy, 5)}
            for penalty, accuracy in fitted.candidates.items()
        ],
        "inverse_penalty": fitted.model.C,
        "validation_accuracy": round(fitted.candidates[fitted.model.C], 5),
        "test_accuracy": round(float(right.mean()), 5),
        "right": pack(right),
    }


if __name__ == "__main__":
    main(bag_of_words)
