"""Do LSTMs keep long-term dependencies? Generated sequences whose first token is the label."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from stages.networks.provenance import differing
from stages.params.recipe import CELLS
from stages.params.study import Params
from stages.reporting import verdicts_delayed_recall as verdicts
from stages.reporting.comparison import out_of_date
from stages.reporting.formatting import START_LABELS
from stages.reporting.sections.ablation import Ablation
from stages.reporting.statistics import Difference, Runs, Summary, mean_difference, summarise
from stages.reporting.verdicts import up_to_date

DEFAULTS = ("lstm-unit", "rnn-orthogonal")  # as Keras starts its layers
CHRONO = re.compile(r"lstm\.chrono_t_max=\d")  # in the settings of an ablation's variant
HALF = 0.5  # of memory: what is above it counts as learned
LEAST_RISE = 0.02  # of validation accuracy: a curve that rises by no more is called flat

Rows = Sequence[Mapping[str, Any]]  # a run's results, for each seed


class Start(NamedTuple):
    """The runs of a cell and start at the learning rate that suits it best."""

    name: str
    learning_rate: float
    rows: Rows
    longest: (
        int | None
    )  # the longest delay that it learns, with all shorter ones; None: not even the shortest
    learned: dict[int, Summary]  # delay → memory, of models that were trained at that delay
    kept: dict[int, Summary]  # delay → memory, of models that were trained at the first delay


class DelayedRecall(NamedTuple):
    """How far each cell recalls, from which start."""

    verdict: str
    reaches: str
    chrono: str
    kept: str
    flat: str
    thresholds: str
    edges: str
    out_of_date: str
    starts: list[Start]
    labels: Mapping[str, str]  # of the starts
    delays: list[int]
    # title → start → memory by seed and delay
    panels: dict[str, dict[str, list[list[float]]]]
    # start, the delay that it was trained at (None: at each), seed, and accuracy and memory at each delay
    seed_rows: list[tuple[str, int | None, int, list[tuple[float, float]]]]
    half: float
    settings: Mapping[str, Any]
    seeds: list[int]
    test_sequences: int


def delayed_recall_section(
    study: Mapping[str, Any], ablation: Ablation | None, params: Params, runs: Runs
) -> DelayedRecall | None:
    """Return the section, None where the study was never run.

    study: reports/delayed_recall.json; ablation: of the report; runs: of the main study, for their code.
    """
    if not study:
        return None
    starts = [best_runs(study, name) for name in START_LABELS]
    delays, seeds = list(starts[0].learned), [row["seed"] for row in starts[0].rows]
    learned = {each.name: memories(each.rows, "test") for each in starts}
    kept = {each.name: memories(each.rows, "transferred") for each in starts}
    pairs = (best_start(study, CELLS[1]), best_start(study, CELLS[0])), ("lstm-chrono", "lstm-unit")
    cells, chrono = (
        (difference(learned, *pair), difference(kept, *pair, skipped=1) if len(delays) > 1 else None)
        for pair in pairs
    )
    after_others = {name: float(each[:, 1:].mean()) for name, each in kept.items() if len(delays) > 1}
    answers = [each["test"] for start in starts for row in start.rows for each in row["delays"]]
    transferred = [
        each["transferred"] for start in starts for row in start.rows for each in row["delays"][1:]
    ]
    epochs = study["settings"]["train"]["epochs"]
    last = max(1, epochs // 4)
    recipes = [name for name in params.recipes if params.blocks[name].lstm.chrono_t_max]
    added = ablation.additions if ablation and not ablation.out_of_date else []
    gains = {part.name: part.worth["lstm"] for part in added if CHRONO.search(part.settings)}
    return DelayedRecall(
        f"{verdicts.defaults(DEFAULTS, difference(learned, *DEFAULTS))} "
        f"{verdicts.learned_and_kept(pairs[0], *cells, delays[0])}",
        verdicts.reaches({each.name: each.longest for each in starts}, min(delays), max(delays)),
        " ".join(
            filter(
                None,
                [
                    verdicts.chrono(*chrono),
                    verdicts.chrono_on_reviews(
                        chrono[0],
                        recipes,
                        params.ablation.recipe,
                        params.blocks[params.ablation.recipe].model.pooling,
                        gains,
                    ),
                ],
            )
        ),
        verdicts.kept(after_others, delays[0], *signs(transferred)) if after_others else "",
        verdicts.flat(rising(starts, last), last, epochs, LEAST_RISE, len(seeds)),
        verdicts.thresholds(*hidden([*answers, *transferred])),
        " ".join(
            filter(
                None,
                [
                    verdicts.rates_at_edges(at_edges(study)),
                    verdicts.equal_rates(equally_good(study) if len(delays) > 1 else {}),
                ],
            )
        ),
        up_to_date(out_of_date(study, asked(study, params), ({}, {}), runs), "make delayed_recall"),
        starts,
        START_LABELS,
        delays,
        {
            "trained at this delay": {name: each.tolist() for name, each in learned.items()},
            f"trained at {delays[0]}": {name: each.tolist() for name, each in kept.items()},
        },
        [
            (start.name, None if of == "test" else delays[0], row["seed"], shown(row, of))
            for of in ("test", "transferred")
            for start in starts
            for row in start.rows
        ],
        HALF,
        study["settings"],
        seeds,
        study["rows"][0]["test_sequences"],
    )


def memory(accuracy: float) -> float:
    """Return |2a − 1|: 0 where the answers tell nothing of the deciding token, 1 where they give it away.

    An accuracy of 0 is memory with its sign flipped. With as many sequences of either label, 2a − 1 is the
    rate of true positives minus that of false ones (Youden, Index for rating diagnostic tests, Cancer 3,
    1950). Like mutual information it is 0 if and only if answers and labels are independent; unlike that, it
    is linear in the accuracy, so that a reader sees one from the other.
    """
    return abs(2 * accuracy - 1)


def memories(rows: Rows, of: str) -> np.ndarray:
    """Return memory by seed and delay, of `test` or `transferred`."""
    return np.array([[memory(each[of]["accuracy"]) for each in row["delays"]] for row in rows])


def shown(row: Mapping[str, Any], of: str) -> list[tuple[float, float]]:
    """Return accuracy and memory at each delay, of `test` or `transferred`."""
    return [(each[of]["accuracy"], memory(each[of]["accuracy"])) for each in row["delays"]]


def best_runs(study: Mapping[str, Any], name: str) -> Start:
    """Return the runs of a start at its chosen learning rate."""
    rate = study["chosen"][name]
    rows = rows_with(study, name, rate)
    learned, kept = (by_delay(rows, of) for of in ("test", "transferred"))
    return Start(name, rate, rows, longest_learned(learned), learned, kept)


def by_delay(rows: Rows, of: str) -> dict[int, Summary]:
    """Return delay → memory over seeds, of `test` or `transferred`."""
    delays = [each["delay"] for each in rows[0]["delays"]]
    seeds = [row["seed"] for row in rows]
    return {
        delay: summarise(dict(zip(seeds, column, strict=True)))
        for delay, column in zip(delays, memories(rows, of).T.tolist(), strict=True)
    }


def longest_learned(summaries: Mapping[int, Summary]) -> int | None:
    """Return the longest delay up to which the mean memory stays above HALF; None: not even the first."""
    reached = None
    for delay, summary in sorted(summaries.items()):
        if summary["mean"] <= HALF:
            break
        reached = delay
    return reached


def best_start(study: Mapping[str, Any], cell: str) -> str:
    """Return the start of a cell that reaches most on validation sequences, at its best learning rate."""
    own = [row for row in study["tried"] if row["start"].startswith(f"{cell}-")]
    return str(max(own, key=lambda row: row["validation_accuracy"])["start"])


def difference(of: Mapping[str, np.ndarray], ours: str, theirs: str, skipped: int = 0) -> Difference:
    """Return the lead of one start over another in memory, mean over delays; paired by seed.

    of: start → memory by seed and delay; skipped: how many delays do not count, from the first.
    """
    leads = (of[ours] - of[theirs])[:, skipped:].mean(axis=1).tolist()
    return mean_difference(leads)


def signs(answers: Rows) -> tuple[int, int]:
    """Return of the answers with a memory above HALF those of an accuracy below one half, and all."""
    remembered = [each["accuracy"] for each in answers if memory(each["accuracy"]) > HALF]
    return sum(accuracy < 0.5 for accuracy in remembered), len(remembered)


def hidden(answers: Rows) -> tuple[int, int]:
    """Return of the answers with no memory above HALF those whose ROC curve tells of more, and all."""
    forgotten = [each["auc"] for each in answers if memory(each["accuracy"]) <= HALF]
    return sum(abs(2 * auc - 1) > HALF for auc in forgotten), len(forgotten)


def rising(starts: Sequence[Start], last: int) -> list[tuple[str, int, int]]:
    """Return start, delay, and how many seeds' best validation accuracy rose by more than LEAST_RISE.

    In the `last` epochs, over the best of all before; without those where it is none.
    """
    found = [
        (start.name, delay, sum(rise(row["delays"][i]["validation_accuracy"], last) for row in start.rows))
        for start in starts
        for i, delay in enumerate(start.learned)
    ]
    return [each for each in found if each[2]]


def rise(curve: Sequence[float], last: int) -> bool:
    """Return whether the best of the `last` epochs is more than LEAST_RISE above that of all before."""
    return max(curve[-last:]) - max(curve[:-last], default=0.5) > LEAST_RISE  # before the first, it guesses


def at_edges(study: Mapping[str, Any]) -> list[str]:
    """Return the starts whose learning rate is the least or the most that was tried."""
    rates = [row["learning_rate"] for row in study["tried"]]
    return [start for start, rate in study["chosen"].items() if rate in (min(rates), max(rates))]


def equally_good(study: Mapping[str, Any]) -> dict[str, dict[float, float]]:
    """Return start → learning rate → memory after other delays than the first, of those with several best."""
    found = {}
    for start in START_LABELS:
        own = [row for row in study["tried"] if row["start"] == start]
        highest = max(row["validation_accuracy"] for row in own)
        best = [row["learning_rate"] for row in own if row["validation_accuracy"] == highest]
        if len(best) > 1:
            kept = {rate: memories(rows_with(study, start, rate), "transferred") for rate in best}
            found[start] = {rate: float(memory[:, 1:].mean()) for rate, memory in kept.items()}
    return found


def rows_with(study: Mapping[str, Any], start: str, rate: float) -> Rows:
    """Return the runs of a start with a learning rate."""
    return [row for row in study["rows"] if (row["start"], row["learning_rate"]) == (start, rate)]


def asked(study: Mapping[str, Any], params: Params) -> dict[str, tuple[Any, Any]]:
    """Return dotted parameter of the study → what it was, and what it is now, where these may differ."""
    now = params.delayed_recall
    settings = differing(study["settings"], now.shaping())
    return {
        "delayed_recall.seeds": ({row["seed"] for row in study["rows"]}, set(now.seeds)),
        "delayed_recall.learning_rate": (
            {row["learning_rate"] for row in study["rows"]},
            set(now.learning_rate),
        ),
        **{f"delayed_recall.{name}": values for name, values in settings.items()},
    }
