"""Is a recurrent model worth it? Bag-of-words models beside it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from stages.reporting.comparison import Result
from stages.reporting.statistics import Estimate
from stages.reporting.verdicts import against_baseline

Bag = Mapping[str, Any]  # one bag-of-words model, as that stage wrote it
Row = tuple[Bag, Estimate, Estimate]  # with the leads of RNN and LSTM over it


class Baseline(NamedTuple):
    """The headline's models against bag-of-words models."""

    accuracies: dict[
        str, float
    ]  # "single" words or "pairs", of those that read the same tokens → test accuracy
    verdicts: dict[str, str]  # the same → how both cells fare
    rows: list[Row]


def baseline(bags: Sequence[Bag], headline: Result) -> Baseline:
    """Return the section."""
    rows = baseline_rows(bags, headline)
    cut = {bag["words"]: (bag, rnn, lstm) for bag, rnn, lstm in rows if bag["tokens"] == "cut"}
    return Baseline(
        {words: bag["test_accuracy"] for words, (bag, _, _) in cut.items()},
        {words: against_baseline(rnn, lstm) for words, (_, rnn, lstm) in cut.items()},
        rows,
    )


def baseline_rows(bags: Sequence[Bag], result: Result) -> list[Row]:
    """Return each bag-of-words model with the leads of a recipe's models over it."""
    over = result.over_bag_of_words
    return list(zip(bags, over["rnn"], over["lstm"], strict=True))
