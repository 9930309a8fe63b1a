"""The order of stages and the estimate of the time left, with stages of known durations."""

import itertools
import random

import pytest

from stages.runner.schedule import ASSUMED, Schedule, duration, expected, kind_of


@pytest.mark.parametrize(
    ("stage", "kind"),
    [
        ("train_rnn@tuned-3", "train_rnn@tuned"),
        ("train_rnn@tuned2-13", "train_rnn@tuned2"),
        ("pad@tuned2", "pad@tuned2"),
        (
            "stages/side/dvc.yaml:train_delayed_recall@lstm-chrono-0.001-3",
            "stages/side/dvc.yaml:train_delayed_recall@lstm-chrono",
        ),
        (
            "stages/side/dvc.yaml:train_variant@rnn-mean-1e-07-0.01-1",
            "stages/side/dvc.yaml:train_variant@rnn-mean",
        ),
        ("stages/side/dvc.yaml:train_rnn@0", "stages/side/dvc.yaml:train_rnn"),
        ("evaluate", "evaluate"),
    ],
)
def test_runs_that_differ_in_numbers_are_of_one_kind(stage: str, kind: str) -> None:
    assert kind_of(stage) == kind


def test_what_is_not_known_is_scaled_from_what_is() -> None:
    assert expected("train_lstm@tuned", {}) == ASSUMED["train_lstm"]
    assert expected("train_lstm@tuned", {"train_lstm@tuned": 7.0}) == 7
    # From the same stage under another recipe, not from other stages.
    known = {"train_lstm@notebook": 300.0, "train_rnn@notebook": 1.0}
    assert expected("train_lstm@tuned", known) == pytest.approx(300)
    # Also in a side study.
    assert expected("stages/side/dvc.yaml:train_lstm", known) == pytest.approx(300)
    # Nothing of the same stage: as much faster or slower as all that is known.
    known = {"train_lstm@tuned": 3 * ASSUMED["train_lstm"], "pad@tuned": ASSUMED["pad"]}
    factor = (3 * ASSUMED["train_lstm"] + ASSUMED["pad"]) / (ASSUMED["train_lstm"] + ASSUMED["pad"])
    assert expected("train_rnn@tuned", known) == pytest.approx(factor * ASSUMED["train_rnn"])


def test_one_of_each_kind_comes_first_and_then_what_takes_longest() -> None:
    known = {"a@x": 5.0, "b@x": 9.0}
    schedule = Schedule(dict.fromkeys(("a@x-0", "a@x-1", "b@x-0", "b@x-1"), ()), 4, known)
    assert [schedule.start(0) for _ in range(5)] == ["b@x-0", "a@x-0", "b@x-1", "a@x-1", None]


def test_a_stage_waits_for_what_it_needs() -> None:
    schedule = Schedule({"last": ("first", "not to run"), "first": ()}, 2)
    assert schedule.start(0) == "first"
    assert schedule.start(0) is None
    assert schedule.finish("first", 3, ran=True) == 3
    assert schedule.start(3) == "last"


def test_the_time_left_is_that_of_the_plan() -> None:
    known = {"long": 10.0, "short": 4.0, "last": 1.0}
    stages = {"long@0": (), "short@0": (), "short@1": (), "last": ("long@0", "short@0", "short@1")}
    assert Schedule(stages, 1, known).time_left(0) == 10 + 4 + 4 + 1
    schedule = Schedule(stages, 2, known)
    assert schedule.time_left(100) == 10 + 1  # both short ones beside the long one
    assert Schedule(stages, 9, known).time_left(0) == 10 + 1
    schedule.start(100), schedule.start(100)
    assert schedule.time_left(103) == 7 + 1
    assert (
        schedule.time_left(108) == 8 + 1
    )  # the short one takes twice as long as expected: so will the other
    schedule.finish("short@0", 108, ran=True)
    assert schedule.time_left(108) == 8 + 1
    schedule.stopped = True
    assert schedule.time_left(108) == 2


def test_what_was_restored_says_nothing_of_durations() -> None:
    schedule = Schedule({"long@0": (), "long@1": ()}, 1, {"long": 10.0})
    schedule.start(0)
    schedule.finish("long@0", 1, ran=False)
    assert schedule.time_left(1) == 10


# Seconds on a machine where hardly anything is as assumed.
TRUE = {
    "download": 40,
    "audit": 3,
    "bag_of_words": 25,
    "pad": 60,
    "train_lstm": {"notebook": 310, "prepadded": 290, "tuned": 120},
    "train_rnn": {"notebook": 60, "prepadded": 55, "tuned": 90},
    "score": 12,
    "inspect_models": 70,
    "evaluate": 45,
}


def main_study(jobs: int) -> Schedule:
    """Return the main study: three recipes, both cells, five seeds."""
    runs = list(itertools.product(("notebook", "prepadded", "tuned"), range(5)))
    recipes = {recipe for recipe, _ in runs}
    stages = {"download": set[str](), "audit": {"download"}, "bag_of_words": {"download"}}
    stages |= {f"pad@{recipe}": {"download"} for recipe in recipes}
    stages |= {f"train_{cell}@{r}-{seed}": {f"pad@{r}"} for cell in ("rnn", "lstm") for r, seed in runs}
    stages |= {
        f"score@{r}-{seed}": {f"train_{cell}@{r}-{seed}" for cell in ("rnn", "lstm")} for r, seed in runs
    }
    stages |= {f"inspect_models@{r}": {f"train_{cell}@{r}-0" for cell in ("rnn", "lstm")} for r in recipes}
    stages["evaluate"] = set(stages)
    return Schedule(stages, jobs)


@pytest.mark.parametrize("jobs", [1, 2, 4])
def test_after_a_quarter_of_the_main_study_the_rest_is_known_within_30_percent(jobs: int) -> None:
    noise = random.Random(jobs)

    def seconds(stage: str) -> float:
        name, _, recipe = kind_of(stage).partition("@")
        value = TRUE[name]
        return (value if isinstance(value, int) else value[recipe]) * noise.uniform(0.85, 1.15)  # type: ignore[index]

    schedule, now, ends = main_study(jobs), 0.0, dict[str, float]()
    estimates = []
    while True:
        while stage := schedule.start(now):
            ends[stage] = now + seconds(stage)
        if not ends:
            break
        estimates.append((now, schedule.time_left(now)))
        stage = min(ends, key=lambda each: ends[each])
        now = ends.pop(stage)
        schedule.finish(stage, now, ran=True)
    assert len(schedule.done) == 55
    later = [(at, left) for at, left in estimates if now / 4 <= at < 0.9 * now]
    assert len(later) > 20
    for at, left in later:
        assert left == pytest.approx(now - at, rel=0.3)


def test_durations_are_said_as_people_say_them() -> None:
    said = [duration(seconds) for seconds in (0.2, 48.4, 99.4, 100, 12 * 60, 59.6 * 60, 65 * 60, 125 * 60)]
    assert said == ["0 s", "48 s", "99 s", "2 min", "12 min", "1 h 0 min", "1 h 5 min", "2 h 5 min"]
