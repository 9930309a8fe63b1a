"""How fast training is: stock Keras, PyTorch and this pipeline on the same batches, in one run.

`python -m stages.tools.benchmark` writes reports/benchmark.json, .md and .png, and reports/speed.md. Times are
medians of repeats in which all take turns, each in a process of its own, so that what else the machine does
falls on all of them; only ratios mean something elsewhere. Needs `data/raw`, PyTorch, two cores and 16 GB.
"""

import contextlib
import functools
import importlib
import importlib.util
import io
import json
import multiprocessing
import os
import platform
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from itertools import product
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from ruamel.yaml import YAML
from tqdm import tqdm

from stages import StageError
from stages.runtime import processor
from stages.runtime.files import RAW, REPORTS, json_text, load_array, load_text, new_file
from stages.pad import encode, pad_rows
from stages.params.study import Recipe, load_params
from stages.reporting.statistics import CELLS

BATCHES, THREADS, LENGTHS = (32, 128), (1, 2), (100, 200, 400, 800)
REPEATS, FRESH = 5, 2  # times each is measured, times a fresh process is
SECONDS, BESIDE = 0.3, 1.0  # that each runs at a time; that two run side by side
DIFFERENT = 4  # batches that are read in turn
ANSWERED = 1000  # reviews
MATRIX = 2048  # rows and columns of the product that gives the machine's rate

Step = Callable[[np.ndarray, np.ndarray], float]
Answer = Callable[[np.ndarray], np.ndarray]


class Setting(NamedTuple):
    """What is trained: one network, on batches of so many reviews of so many tokens."""

    cell: str
    batch: int
    length: int


def keras_engine(recipe: Recipe, cell: str, batches: list[np.ndarray]) -> tuple[Step, Answer]:
    """Return stock Keras' training step and its `predict`."""
    from stages.networks.models import build_model

    model = build_model(cell, recipe.pad.vocabulary, recipe.model)
    model.compile("adam", "binary_crossentropy")
    return (
        lambda tokens, labels: float(model.train_on_batch(tokens, labels)),
        lambda tokens: model.predict(tokens, batch_size=500, verbose=0)[:, 0],
    )


def fused_engine(recipe: Recipe, cell: str, batches: list[np.ndarray]) -> tuple[Step, Answer]:
    """Return this pipeline's training step and its answers."""
    from stages.networks.models import Net, build_model
    from stages.networks.training import distinct, new_optimizer, train_step

    vocabulary = recipe.pad.vocabulary
    net = Net(build_model(cell, vocabulary, recipe.model), "fused")
    step = train_step(net, new_optimizer(net, recipe.train, recipe.rnn.learning_rate), recipe.train)
    most = max(len(np.unique(tokens)) for tokens in batches)

    def train(tokens: np.ndarray, labels: np.ndarray) -> float:
        found, steps = distinct(tokens, vocabulary, most)
        loss, _ = step(found, steps, labels, np.ones_like(labels), None, None)
        return float(loss) / len(labels)

    return train, net.probabilities


def pytorch_engine(recipe: Recipe, cell: str, batches: list[np.ndarray]) -> tuple[Step, Answer]:
    """Return PyTorch's training step and its answers, on networks of the same shape."""
    import torch

    # As TensorFlow does: an RNN's gradients vanish into denormal numbers, which take several times as long.
    torch.set_flush_denormal(True)
    width, units = recipe.model.embedding_width, recipe.model.units
    embedding = torch.nn.Embedding(recipe.pad.vocabulary, width)
    layer = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM}[cell](width, units, batch_first=True)
    positive = torch.nn.Linear(units, 1)
    optimizer = torch.optim.Adam([*embedding.parameters(), *layer.parameters(), *positive.parameters()])

    def logits(tokens: np.ndarray) -> Any:
        states, _ = layer(embedding(torch.from_numpy(tokens)))
        return positive(states[:, -1])[:, 0]

    def train(tokens: np.ndarray, labels: np.ndarray) -> float:
        optimizer.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits(tokens), torch.from_numpy(labels))
        loss.backward()
        optimizer.step()
        return loss.item()

    def answer(tokens: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            parts = [torch.sigmoid(logits(tokens[i : i + 500])) for i in range(0, len(tokens), 500)]
        return torch.cat(parts).numpy()

    return train, answer


def summed_engine(recipe: Recipe, cell: str, batches: list[np.ndarray]) -> tuple[Step, Answer]:
    """Return this pipeline's training step where a token's gradients are summed first, as in PyTorch."""
    train = recipe.train.model_copy(update={"embedding_gradient": "summed"})
    return fused_engine(recipe.model_copy(update={"train": train}), cell, batches)


# `fused` computes what Keras computes and `summed` what PyTorch does: params.yaml, embedding_gradient.
ENGINES = {
    "keras": keras_engine,
    "pytorch": pytorch_engine,
    "fused": fused_engine,
    "summed": summed_engine,
}
IMPORTS = {
    "keras": "keras",
    "pytorch": "torch",
    "fused": "stages.networks.training",
}  # `summed` is like `fused` there

# How a process is started: as a `user` would, so that libraries choose their instructions and malloc what it
# keeps; with the same `allocator` setting as this pipeline's networks, which keep what is freed; or, as this
# pipeline's stages, with the `fixed` instructions that most processors have.
USUAL = {"keras": "user", "pytorch": "user", "fused": "fixed", "summed": "fixed"}
SAME_ALLOCATOR = USUAL | {"keras": "allocator", "pytorch": "allocator"}
SAME_INSTRUCTIONS = dict.fromkeys(ENGINES, "allocator")

PARTS = (
    "distinct tokens",
    "their input product",
    "the recurrence forward",
    "all backward",
    "the optimizer and the rest",
)


def parts(
    recipe: Recipe, cell: str, tokens: np.ndarray, labels: np.ndarray
) -> dict[str, Callable[[int], Any]]:
    """Return a training step of `summed` cut off after each of its parts: each includes those before."""
    import keras
    import tensorflow as tf

    from stages.networks.models import Net, build_model
    from stages.networks.training import distinct

    vocabulary, most = recipe.pad.vocabulary, len(np.unique(tokens))
    net = Net(build_model(cell, vocabulary, recipe.model), "fused")
    step, _ = summed_engine(recipe, cell, [tokens])
    read = [tf.constant(each) for each in distinct(tokens, vocabulary, most)]

    def answers(found: tf.Tensor, steps: tf.Tensor) -> tf.Tensor:
        return net.answer(net.table(found), found, steps)

    def gradients(found: tf.Tensor, steps: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            losses = keras.losses.binary_crossentropy(labels[:, None], answers(found, steps)[:, None])
            loss = tf.reduce_mean(losses)
        return [tf.convert_to_tensor(each) for each in tape.gradient(loss, net.model.trainable_variables)]

    table, forward, backward = (net.compiled(each) for each in (net.table, answers, gradients))
    functions = (
        lambda _: distinct(tokens, vocabulary, most),
        lambda _: table(read[0]),
        lambda _: forward(*read),
        lambda _: backward(*read),
        lambda _: step(tokens, labels),
    )
    return dict(zip(PARTS, functions, strict=True))


class Timing(NamedTuple):
    """What is timed: one of `ENGINES`, in a process started as `how` says, on so many threads.

    what: `step`, of training; `beside`, the same in two processes at once, a core each; `answer`, to ANSWERED
    reviews; `matmul`, a product of two large float32 matrices in TensorFlow; `import`; or one of PARTS.
    """

    engine: str
    how: str
    threads: int
    setting: Setting
    what: str = "step"


class Took(NamedTuple):
    """What a call took; a minor page fault is a page of memory that the kernel has to hand out."""

    milliseconds: float
    faults: float
    megabytes: float  # the process' peak so far


class Reviews(NamedTuple):
    """Train reviews in an order of their own, by the length they are cut and padded to; and their labels."""

    tokens: dict[int, np.ndarray]  # int32 (ANSWERED, length)
    labels: np.ndarray  # float32 (ANSWERED,)

    def batches(self, setting: Setting) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return the batches that every engine trains on, in turn."""
        tokens, labels = (
            np.split(rows[: DIFFERENT * setting.batch], DIFFERENT)
            for rows in (self.tokens[setting.length], self.labels)
        )
        return list(zip(tokens, labels, strict=True))


def load_reviews(recipe: Recipe) -> Reviews:
    """Return reviews of stage `download`, cut and padded as the recipe says, but to each length."""
    ranks, offsets = load_array(RAW / "train_tokens.npy"), load_array(RAW / "train_offsets.npy")
    labels = load_array(RAW / "train_labels.npy").astype(np.float32)
    encoded = encode(ranks, offsets, recipe.pad.vocabulary)
    order = np.resize(np.random.default_rng(0).permutation(len(labels)), ANSWERED)
    tokens = {
        length: pad_rows(*encoded, length, recipe.pad.padding, recipe.pad.truncating)[order]
        for length in {*LENGTHS, recipe.pad.length}
    }
    return Reviews(tokens, labels[order])


def settle(how: str, cores: list[int]) -> None:
    """Give this process its cores, as many threads, and its environment, before the libraries are loaded."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
    if how != "fixed":
        for name in {*processor.ANYWHERE, *processor.ON_X86} - {"KERAS_BACKEND"}:
            os.environ.pop(name, None)
    os.environ |= dict.fromkeys(processor.THREADS, str(len(cores))) | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    if how == "allocator":
        processor.keep_memory()


def work(connection: Connection, how: str, cores: list[int], recipe: Recipe, reviews: Reviews) -> None:
    """Answer each `(timing, seconds)` by what a call `Took`, until the connection is closed."""
    settle(how, cores)

    @functools.cache
    def engine(name: str, setting: Setting) -> tuple[Step, Answer]:
        return ENGINES[name](recipe, setting.cell, [tokens for tokens, _ in reviews.batches(setting)])

    @functools.cache
    def cut_off(setting: Setting) -> dict[str, Callable[[int], Any]]:
        return parts(recipe, setting.cell, *reviews.batches(setting)[0])

    @functools.cache
    def call(timing: Timing) -> Callable[[int], Any]:
        """Return what is to be timed, a function of the number of the batch."""
        if timing.what == "import":
            return lambda _: importlib.import_module(IMPORTS[timing.engine])
        if timing.what == "matmul":
            import tensorflow as tf

            matrix = tf.random.normal((MATRIX, MATRIX))
            return lambda _: tf.matmul(matrix, matrix).numpy()
        if timing.what in PARTS:
            return cut_off(timing.setting)[timing.what]
        step, answer = engine(timing.engine, timing.setting)
        batches, tokens = reviews.batches(timing.setting), reviews.tokens[timing.setting.length]
        if timing.what == "answer":
            return lambda _: answer(tokens)
        return lambda i: step(*batches[i % DIFFERENT])

    while True:
        try:
            timing, seconds = connection.recv()
        except EOFError:
            return
        connection.send(repeat(call(timing), seconds))


def repeat(run: Callable[[int], Any], seconds: float = 0) -> Took:
    """Call `run` with 0, 1, … for so long, at least once, and return what a call took."""
    times, before, start = 0, resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    while not times or time.perf_counter() < start + seconds:
        run(times)
        times += 1
    spent, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    peak = after.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)  # from bytes or kB
    return Took(1000 * spent / times, (after.ru_minflt - before.ru_minflt) / times, peak)


class Worker:
    """A process of its own that sends answers. It ends with this one, which alone hears Ctrl-C."""

    def __init__(self, function: Callable[..., None], *arguments: Any) -> None:
        """Start `function(connection, *arguments)` in a fresh interpreter."""
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=function, args=(theirs, *arguments), daemon=True)
        resource_tracker.ensure_running()  # or `start` does it, and unblocks the signal
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # the new process inherits that
        try:
            self.process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        theirs.close()  # so that its end is noticed here

    def ask(self, *request: Any) -> None:
        """Send a request; `receive` its answer later."""
        with contextlib.suppress(BrokenPipeError):  # `receive` says so
            self.connection.send(request)

    def receive(self) -> Any:
        """Return the next answer; raises `StageError` where the process has ended instead."""
        try:
            return self.connection.recv()
        except (EOFError, ConnectionResetError):
            raise StageError("a process that was timed has ended: see its error above") from None

    def end(self) -> None:
        """Let the process end."""
        self.connection.close()
        self.process.join()


def planned(length: int, avx512: bool) -> list[Timing]:
    """Return what is timed in a round, in turn.

    `allocator` only at the smaller batch of `length` tokens; this pipeline in it, which is without the fixed
    instruction set, only where that makes a difference.
    """
    at_batch = [Setting(cell, batch, length) for cell, batch in product(CELLS, BATCHES)]
    at_length = [Setting(cell, BATCHES[0], length) for cell, length in product(CELLS, LENGTHS)]
    usual = at_batch[:: len(BATCHES)]
    others = [engine for engine in ENGINES if avx512 or SAME_ALLOCATOR[engine] == "allocator"]
    timings = [
        Timing(engine, USUAL[engine], threads, usual[0], "matmul")
        for engine, threads in product(("keras", "fused"), THREADS)
    ]
    for setting in dict.fromkeys(at_batch + at_length):
        for threads in THREADS if setting in at_batch else THREADS[:1]:
            timings += [Timing(engine, USUAL[engine], threads, setting) for engine in ENGINES]
            if setting in usual:
                timings += [Timing(engine, "allocator", threads, setting) for engine in others]
    for setting in usual:
        timings += [Timing(engine, USUAL[engine], 1, setting, "beside") for engine in ENGINES]
        timings += [Timing(engine, USUAL[engine], 1, setting, "answer") for engine in IMPORTS]
        timings += [Timing("summed", USUAL["summed"], 1, setting, part) for part in PARTS]
    return timings


def places(timing: Timing) -> list[tuple[str, str, tuple[int, ...]]]:
    """Return the processes that a timing needs: library, how it is started, and which cores it has."""
    library = "torch" if timing.engine == "pytorch" else "tensorflow"  # both in one process can crash
    if timing.what == "beside":
        return [(library, timing.how, (core,)) for core in (0, 1)]
    return [(library, timing.how, tuple(range(timing.threads)))]


def measure(recipe: Recipe, reviews: Reviews) -> dict[Timing, Took]:
    """Time everything that is planned, in turn and again, and return the medians."""
    timings = planned(recipe.pad.length, "avx512f" in processor.cpu_flags())
    workers = {
        place: Worker(work, place[1], [cores()[core] for core in place[2]], recipe, reviews)
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
    """Return what a fresh process on one thread costs, a row for each engine and cell."""

    def once(engine: str, cell: str) -> tuple[float, float, float]:
        setting, times = Setting(cell, BATCHES[0], recipe.pad.length), [time.perf_counter()]
        worker = Worker(work, USUAL[engine], cores()[:1], recipe, reviews)
        for what, seconds in (("import", 0.0), ("step", 0.0), ("step", BESIDE), ("answer", 0.0)):
            worker.ask(Timing(engine, USUAL[engine], 1, setting, what), seconds)
            took = worker.receive()
            times.append(time.perf_counter())
        worker.end()
        return times[1] - times[0], times[2] - times[1], took.megabytes

    names = ("seconds_to_import", "seconds_to_first_step", "peak_megabytes")
    rows = []
    for cell, engine in tqdm(list(product(CELLS, IMPORTS)), "benchmark: fresh processes", disable=None):
        costs = np.median([once(engine, cell) for _ in range(FRESH)], axis=0).round(1).tolist()
        rows.append({"cell": cell, "engine": engine, **dict(zip(names, costs, strict=True))})
    return rows


def measure_dvc() -> dict[str, float]:
    """Return the seconds that DVC takes beside what stages do, and the number of stages in dvc.lock."""

    def dvc(*arguments: str) -> str:
        command = [sys.executable, "-m", "dvc", *arguments]
        result = subprocess.run(command, check=False, capture_output=True, text=True)
        if result.returncode:
            raise StageError(f"dvc {' '.join(arguments)} failed: {result.stderr.strip()}")
        return result.stdout

    if "download" in json.loads(dvc("status", "--json", "download")):
        raise StageError("data/raw is not up to date: run `dvc repro download`")
    lock, yaml = load_text(Path("dvc.lock")), YAML()  # which DVC reads and writes it with
    calls: dict[str, Callable[[int], Any]] = {
        "check_all": lambda _: dvc("status", "--json"),
        "check_one": lambda _: dvc("repro", "--single-item", "download"),
        "rewrite_lock": lambda _: yaml.dump(yaml.load(lock), io.StringIO()),
    }
    seconds = {name: repeat(call).milliseconds / 1000 for name, call in calls.items()}
    return _rounded(seconds) | {"stages": len(yaml.load(lock)["stages"])}


def operations(setting: Setting, distinct: float, recipe: Recipe) -> float:
    """Return the GFLOP that a training step needs, multiplications and additions counted one each.

    The recurrent product of every review and step, and the input product of every *distinct* token of
    a batch, each three times: forward, and backward once for what is multiplied and once for the
    weights. What is elementwise, the last layer and the optimizer are not counted.
    """
    units, width = recipe.model.units, recipe.model.embedding_width
    columns = units * {"rnn": 1, "lstm": 4}[setting.cell]
    recurrent = setting.batch * setting.length * units * columns
    return 3 * 2 * (recurrent + distinct * width * columns) / 1e9


def summarise(times: Mapping[Timing, Took], recipe: Recipe, reviews: Reviews) -> dict[str, Any]:
    """Return the medians, and what follows from them, as they are written."""
    usual = [timing.setting for timing in times if (timing.engine, timing.what) == ("fused", "beside")]
    rates: dict[str, dict[int, float]] = {how: {} for how in ("user", "fixed")}  # GFLOP/s
    for timing in times:
        if timing.what == "matmul":
            rates[timing.how][timing.threads] = 2 * MATRIX**3 / times[timing].milliseconds / 1e6

    def took(field: str, how: Mapping[str, str], *rest: Any) -> dict[str, float]:
        """Return one of the fields of `Took` for each engine that was timed so."""
        timings = {engine: Timing(engine, started, *rest) for engine, started in how.items()}
        return {engine: getattr(times[each], field) for engine, each in timings.items() if each in times}

    def rows(how: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return a row for each setting and number of threads at which all engines were timed so."""
        found = []
        for setting, threads in dict.fromkeys((each.setting, each.threads) for each in times):
            ms = took("milliseconds", how, threads, setting)
            if len(ms) < len(ENGINES):
                continue
            distinct = [len(np.unique(tokens)) for tokens, _ in reviews.batches(setting)]
            gflop = operations(setting, float(np.mean(distinct)), recipe)
            shares = {engine: 1000 * gflop / each / rates["user"][threads] for engine, each in ms.items()}
            found.append(
                {
                    **setting._asdict(),
                    "threads": threads,
                    "gflop": round(gflop, 3),
                    "milliseconds": _rounded(ms),
                    "share_of_matmul_rate": _rounded(shares, 3),
                    "minor_page_faults": _rounded(took("faults", how, threads, setting), 1),
                }
            )
        return found

    def study(how: Mapping[str, str], threads: int, what: str, runs: int) -> dict[str, int]:
        """Return the reviews trained per second where so many runs go at once, as many RNNs as LSTMs."""
        spent = [took("milliseconds", how, threads, setting, what) for setting in usual]
        trained = runs * sum(setting.batch for setting in usual)
        return {engine: round(1000 * trained / sum(each[engine] for each in spent)) for engine in how}

    def profile(setting: Setting) -> dict[str, float]:
        """Return what each of PARTS takes by itself: each time but the first includes those before.

        The first is done outside of what XLA compiles, and again in the last.
        """
        first, *others = (
            times[Timing("summed", USUAL["summed"], 1, setting, part)].milliseconds for part in PARTS
        )
        alone = [first, others[0], *np.diff(others)]
        alone[-1] -= first
        return _rounded(dict(zip(PARTS, alone, strict=True)))

    return {
        "machine": {"processor": processor_name(), "cores": len(cores())},
        "versions": {name: version(name) for name in ("tensorflow", "keras", "torch", "dvc")},
        "matmul_gflop_per_second": _rounded(rates["user"], 1),
        "matmul_gflop_per_second_fixed": _rounded(rates["fixed"], 1),
        "steps": rows(USUAL),
        "same_allocator": rows(SAME_ALLOCATOR),
        "same_instructions": rows(SAME_INSTRUCTIONS),
        "reviews_per_second": {
            "one_after_another": study(USUAL, THREADS[-1], "step", 1),
            "same_allocator": study(SAME_ALLOCATOR, THREADS[-1], "step", 1),
            "side_by_side": study(USUAL, 1, "beside", THREADS[-1]),
        },
        "parts_of_a_step": {setting.cell: profile(setting) for setting in usual},
        "answers": {
            setting.cell: _rounded(took("milliseconds", USUAL, 1, setting, "answer"), 1) for setting in usual
        },
    }


def _rounded(values: Mapping[Any, float], digits: int = 2) -> dict[str, float]:
    return {str(name): round(value, digits) for name, value in values.items()}


def processor_name() -> str:
    """Return the processor's type."""
    try:
        names = re.findall(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def cores() -> list[int]:
    """Return the numbers of the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def main() -> None:
    """Measure, and write the reports."""
    from stages import figures, report  # not for the processes that are timed

    if importlib.util.find_spec("torch") is None:
        raise StageError("PyTorch is not installed: `make bench` installs it, or pip install torch==2.13.0")
    if len(cores()) < THREADS[-1]:
        raise StageError(f"{THREADS[-1]} cores are needed")
    recipe = load_params().blocks.get("notebook")
    if recipe is None:
        raise StageError("params.yaml has no block 'notebook', whose networks are timed")
    reviews = load_reviews(recipe)
    beside = {"dvc": measure_dvc(), "fresh_process": measure_fresh(recipe, reviews)}
    measured = summarise(measure(recipe, reviews), recipe, reviews) | beside
    texts = {name: report.template(name).render(measured=measured) for name in ("benchmark.md", "speed.md")}
    draft = REPORTS / ".benchmark.png.draft"
    figures.benchmark(measured).savefig(draft, format="png", metadata={"Software": None})
    draft.replace(REPORTS / "benchmark.png")
    for name, text in (texts | {"benchmark.json": json_text(measured)}).items():
        new_file(REPORTS / name, text)
    print(f"benchmark: written to {REPORTS}/benchmark.md")


if __name__ == "__main__":
    try:
        main()
    except StageError as error:
        sys.exit(f"benchmark: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
