"""What is left to run of a pipeline: in which order, how many at a time, and for how long.

Knows nothing of DVC, processes or clocks: whoever uses it says when a stage started and ended.
"""

import re
from collections.abc import Collection, Mapping
from functools import cache
from heapq import heapify, heappop, heappush

# Seconds that a stage is assumed to take where nothing better is known: on one thread of a common server,
# with 200 tokens of a review. As soon as one stage has run, only the ratios count.
ASSUMED = {
    "audit": 3.0,
    "bag_of_words": 50.0,
    "choose": 2.0,
    "download": 10.0,
    "evaluate": 15.0,
    "film_groups": 10.0,
    "inspect_models": 20.0,
    "pad": 5.0,
    "page": 3.0,
    "release": 3.0,
    "score": 6.0,
    "tabulate_ablation": 2.0,
    "tabulate_ablation_rates": 2.0,
    "tabulate_best_rates": 2.0,
    "tabulate_delayed_recall": 2.0,
    "tabulate_ladder": 2.0,
    "tabulate_learning_rates": 3.0,
    "train_delayed_recall": 115.0,
    "train_lstm": 140.0,
    "train_rnn": 60.0,
    "train_step": 110.0,
    "train_variant": 100.0,
    "word_vectors": 10.0,
}
OTHERWISE = 20.0


class Schedule:
    """Stages that wait, run or are done."""

    def __init__(
        self, stages: Mapping[str, Collection[str]], jobs: int, known: Mapping[str, float] | None = None
    ) -> None:
        """Take each stage with those that it needs, how many run at a time, and the durations that are known.

        known: kind (see `kind_of`) → seconds, as earlier runs took on this machine.
        """
        self.waiting = {stage: set(needs) & stages.keys() for stage, needs in stages.items()}
        self.running: dict[str, float] = {}  # stage → when it started
        self.queued: set[str] = set()  # of these, those that an engine has not begun yet
        self.done: list[str] = []
        self.failed: list[str] = []
        self.jobs = jobs
        self.stopped = False  # true: nothing more is started
        self.known = dict(known or {})
        self._seen: dict[str, list[float]] = {}
        self._started: set[str] = set()  # kinds

    def start(self, now: float) -> str | None:
        """Return the stage that is to start now, None where there is none or enough are running.

        One of each kind comes first, so that soon all durations are known; then what takes longest.
        """
        ready = [stage for stage, needs in self.waiting.items() if not needs]
        if self.stopped or len(self.running) >= self.jobs or not ready:
            return None
        stage = min(ready, key=lambda each: (kind_of(each) in self._started, -self.expected(each), each))
        del self.waiting[stage]
        self.running[stage] = now
        self._started.add(kind_of(stage))
        return stage

    def begin(self, stage: str, now: float) -> None:
        """Note that a stage that was queued has begun."""
        self.queued.remove(stage)
        self.running[stage] = now

    def fail(self, stage: str, now: float) -> float:
        """Note that a stage has failed, so that those that need it go on waiting; return its seconds."""
        self.queued.discard(stage)
        self.failed.append(stage)
        return now - self.running.pop(stage)

    def finish(self, stage: str, now: float, ran: bool) -> float:
        """Note that a stage has ended and return its seconds; ran: false where it was restored."""
        self.queued.discard(stage)
        seconds = now - self.running.pop(stage)
        self.done.append(stage)
        for needs in self.waiting.values():
            needs.discard(stage)
        if ran:
            seen = self._seen.setdefault(kind_of(stage), [])
            seen.append(seconds)
            self.known[kind_of(stage)] = sum(seen) / len(seen)
        return seconds

    def expected(self, stage: str) -> float:
        """Return how many seconds a stage is expected to take."""
        return expected(kind_of(stage), self.known)

    def time_left(self, now: float) -> float:
        """Return the seconds until everything is done, by simulating the rest with expected durations.

        Where runs queue, as many are taken to run at a time as do now.
        """
        begun = {stage: started for stage, started in self.running.items() if stage not in self.queued}
        known = dict(self.known)
        for stage, started in begun.items():
            if kind_of(stage) not in self._seen and now - started > self.expected(stage):
                known[kind_of(stage)] = now - started  # at least
        seconds = {kind: expected(kind, known) for kind in map(kind_of, (*self.waiting, *self.running))}
        jobs = max(1, len(begun)) if self.queued else self.jobs
        missing = {stage: len(needs) for stage, needs in self.waiting.items()}
        needed_by: dict[str, list[str]] = {}
        for stage, needs in self.waiting.items():
            for need in needs:
                needed_by.setdefault(need, []).append(stage)
        first = (*self.queued, *(stage for stage, number in missing.items() if not number))
        ready = [(-seconds[kind_of(stage)], stage) for stage in first]
        ends = [(started + seconds[kind_of(stage)], stage) for stage, started in begun.items()]
        heapify(ready)
        heapify(ends)
        clock = now
        while True:
            while ready and len(ends) < jobs and not self.stopped:
                longest, stage = heappop(ready)
                heappush(ends, (clock - longest, stage))
            if not ends:
                return clock - now
            end, stage = heappop(ends)
            clock = max(clock, end)  # what takes longer than expected ends any moment
            for each in needed_by.get(stage, ()):
                missing[each] -= 1
                if not missing[each]:
                    heappush(ready, (-seconds[kind_of(each)], each))


@cache
def kind_of(stage: str) -> str:
    """Return what takes as long as `stage`: its name without numbers, such as seeds and learning rates."""
    return re.sub(r"([@-]\d+(\.\d+)?(e-?\d+)?)+$", "", stage)


def expected(kind: str, known: Mapping[str, float]) -> float:
    """Return how many seconds a stage of a kind takes, estimated from the kinds that are known.

    Of an unknown kind it is what is assumed of its stage, times how much longer than assumed the kinds of
    the same stage took, or all that are known.
    """
    if kind in known:
        return known[kind]
    stage = _stage_of(kind)
    relatives = [each for each in known if _stage_of(each) == stage] or list(known)
    assumed = sum(_assumed(each) for each in relatives)
    return _assumed(kind) * (sum(known[each] for each in relatives) / assumed if assumed else 1.0)


def _stage_of(kind: str) -> str:
    return kind.rpartition(":")[2].partition("@")[0]  # "stages/NAME/dvc.yaml:STAGE" in a side study


def _assumed(kind: str) -> float:
    return ASSUMED.get(_stage_of(kind), OTHERWISE)


def duration(seconds: float) -> str:
    """Return a duration in words: "95 s", "12 min", "1 h 5 min"."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
