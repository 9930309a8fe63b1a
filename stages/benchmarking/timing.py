"""What is timed, in which process and in which order."""

import functools
import importlib
import time
from collections.abc import Callable
from itertools import product
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from stages.benchmarking.implementations import IMPLEMENTATIONS, IMPORTS, PARTS, Part, Predict, Step, parts
from stages.benchmarking.processes import Took, Worker, repeat, settle, usable_cores
from stages.params.recipe import CELLS, Recipe
from stages.reviews.encoding import encode, load_raw, pad_rows
from stages.runtime import processor

BATCH_SIZES, THREADS, LENGTHS = (32, 128), (1, 2), (100, 200, 400, 800)
REPEATS, FRESH = 5, 2  # times each is measured, times a fresh process is
SECONDS, BESIDE = 0.3, 1.0  # that each runs at a time; that two run side by side
DIFFERENT = 4  # batches that are read in turn
PREDICTED = 1000  # reviews
MATRIX = 2048  # rows and columns of the product that gives the machine's rate

# How each implementation's process is started: see `settle`.
USUAL = {"keras": "user", "pytorch": "user", "fused": "fixed", "coalesced": "fixed"}
SAME_ALLOCATOR = USUAL | {"keras": "allocator", "pytorch": "allocator"}
SAME_INSTRUCTIONS = dict.fromkeys(IMPLEMENTATIONS, "allocator")


class Setting(NamedTuple):
    """What is trained: one model, on batches of so many reviews of so many tokens."""

    cell: str
    batch: int
    length: int


class Timing(NamedTuple):
    """What is timed: one of IMPLEMENTATIONS, in a process started as `how` says, on so many threads.

    what: `step`, of training; `beside`, the same in two processes at once, a core each; `predict`, for
    PREDICTED reviews; `matmul`, a product of two large float32 matrices in TensorFlow; `import`; or one of
    PARTS.
    """

    implementation: str
    how: str
    threads: int
    setting: Setting
    what: str = "step"


class Reviews(NamedTuple):
    """Train reviews in an order of their own, by the length they are cut and padded to; and their labels."""

    tokens: dict[int, np.ndarray]  # int32 (PREDICTED, length)
    labels: np.ndarray  # float32 (PREDICTED,)

    def batches(self, setting: Setting) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return the batches that every implementation trains on, in turn."""
        tokens, labels = (
            np.split(rows[: DIFFERENT * setting.batch], DIFFERENT)
            for rows in (self.tokens[setting.length], self.labels)
        )
        return list(zip(tokens, labels, strict=True))


def load_reviews(recipe: Recipe) -> Reviews:
    """Return reviews of stage `download`, cut and padded as the recipe says, but to each length."""
    ranks, offsets = load_raw("train", "tokens"), load_raw("train", "offsets")
    labels = load_raw("train", "labels").astype(np.float32)
    encoded = encode(ranks, offsets, recipe.pad.num_words)
    order = np.resize(np.random.default_rng(0).permutation(len(labels)), PREDICTED)
    tokens = {
        length: pad_rows(*encoded, length, recipe.pad.padding, recipe.pad.truncating)[order]
        for length in {*LENGTHS, recipe.pad.maxlen}
    }
    return Reviews(tokens, labels[order])


def work(connection: Connection, how: str, cores: list[int], recipe: Recipe, reviews: Reviews) -> None:
    """Answer each `(timing, seconds)` by what a call `Took`, until the connection is closed."""
    settle(how, cores)

    @functools.cache
    def implementation(name: str, setting: Setting) -> tuple[Step, Predict]:
        batches = [tokens for tokens, _ in reviews.batches(setting)]
        return IMPLEMENTATIONS[name](recipe, setting.cell, batches)

    @functools.cache
    def cut_off(setting: Setting) -> dict[str, Part]:
        return parts(recipe, setting.cell, *reviews.batches(setting)[0])

    @functools.cache
    def call(timing: Timing) -> Callable[[int], Any]:
        """Return what is to be timed, a function of the number of the batch."""
        if timing.what == "import":
            return lambda _: importlib.import_module(IMPORTS[timing.implementation])
        if timing.what == "matmul":
            import tensorflow as tf

            matrix = tf.random.normal((MATRIX, MATRIX))
            return lambda _: tf.matmul(matrix, matrix).numpy()
        if timing.what in PARTS:
            return cut_off(timing.setting)[timing.what]
        step, predict = implementation(timing.implementation, timing.setting)
        batches, tokens = reviews.batches(timing.setting), reviews.tokens[timing.setting.length]
        if timing.what == "predict":
            return lambda _: predict(tokens)
        return lambda i: step(*batches[i % DIFFERENT])

    while True:
        try:
            timing, seconds = connection.recv()
        except EOFError:
            return
        connection.send(repeat(call(timing), seconds))


def planned(length: int, avx512: bool) -> list[Timing]:
    """Return what is timed in a round, in turn.

    `allocator` only at the smaller batch of `length` tokens; this pipeline in it, which is without the fixed
    instruction set, only where that makes a difference.
    """
    at_batch = [Setting(cell, batch, length) for cell, batch in product(CELLS, BATCH_SIZES)]
    at_length = [Setting(cell, BATCH_SIZES[0], each) for cell, each in product(CELLS, LENGTHS)]
    usual = at_batch[:: len(BATCH_SIZES)]
    others = [name for name in IMPLEMENTATIONS if avx512 or SAME_ALLOCATOR[name] == "allocator"]
    timings = [
        Timing(name, USUAL[name], threads, usual[0], "matmul")
        for name, threads in product(("keras", "fused"), THREADS)
    ]
    for setting in dict.fromkeys(at_batch + at_length):
        for threads in THREADS if setting in at_batch else THREADS[:1]:
            timings += [Timing(name, USUAL[name], threads, setting) for name in IMPLEMENTATIONS]
            if setting in usual:
                timings += [Timing(name, "allocator", threads, setting) for name in others]
    for setting in usual:
        timings += [Timing(name, USUAL[name], 1, setting, "beside") for name in IMPLEMENTATIONS]
        timings += [Timing(name, USUAL[name], 1, setting, "predict") for name in IMPORTS]
        timings += [Timing("coalesced", USUAL["coalesced"], 1, setting, part) for part in PARTS]
    return timings


def places(timing: Timing) -> list[tuple[str, str, tuple[int, ...]]]:
    """Return the processes that a timing needs: library, how it is started, and which cores it has."""
    library = "torch" if timing.implementation == "pytorch" else "tensorflow"  # both in one process can crash
    if timing.what == "beside":
        return [(library, timing.how, (core,)) for core in (0, 1)]
    return [(library, timing.how, tuple(range(timing.threads)))]


def measure(recipe: Recipe, reviews: Reviews) -> dict[Timing, Took]:
    """Time everything that is planned, in turn and again, and return the medians."""
    timings, cores = planned(recipe.pad.maxlen, "avx512f" in processor.cpu_flags()), usable_cores()
    workers = {
        place: Worker(work, place[1], [cores[core] for core in place[2]], recipe, reviews)
        for place in dict.fromkeys(place for timing in timings for place in places(timing))
    }
    for timing in timings * 2:  # asked of all at once: loading and compiling is not timed
        for place in places(timing):
            workers[place].ask(timing, 0)
    for timing in tqdm(timings * 2, "benchmark: compiling", disable=None):
        for place in places(timing):
            workers[place].receive()
    took: dict[Timing, list[Any]] = {timing: [] for timing in timings}
    for timing in tqdm(timings * REPEATS, "benchmark: timing", disable=None):
        time.sleep(0.05)  # threads that wait for more to do have given up
        asked = [workers[place] for place in places(timing)]
        for worker in asked:
            worker.ask(timing, BESIDE if timing.what == "beside" else SECONDS)
        took[timing].append(np.mean([worker.receive() for worker in asked], axis=0))
    for worker in workers.values():
        worker.end()
    return {timing: Took(*np.median(each, axis=0).tolist()) for timing, each in took.items()}


def measure_fresh(recipe: Recipe, reviews: Reviews) -> list[dict[str, Any]]:
    """Return what a fresh process on one thread costs, a row for each implementation and cell."""

    def once(name: str, cell: str) -> tuple[float, float, float]:
        setting, times = Setting(cell, BATCH_SIZES[0], recipe.pad.maxlen), [time.perf_counter()]
        worker = Worker(work, USUAL[name], usable_cores()[:1], recipe, reviews)
        for what, seconds in (("import", 0.0), ("step", 0.0), ("step", BESIDE), ("predict", 0.0)):
            worker.ask(Timing(name, USUAL[name], 1, setting, what), seconds)
            took = worker.receive()
            times.append(time.perf_counter())
        worker.end()
        return times[1] - times[0], times[2] - times[1], took.megabytes

    names = ("seconds_to_import", "seconds_to_first_step", "peak_megabytes")
    rows = []
    for cell, name in tqdm(list(product(CELLS, IMPORTS)), "benchmark: fresh processes", disable=None):
        costs = np.median([once(name, cell) for _ in range(FRESH)], axis=0).round(1).tolist()
        rows.append({"cell": cell, "implementation": name, **dict(zip(names, costs, strict=True))})
    return rows
