"""How fast training is: stock Keras, PyTorch and this pipeline on the same batches, in one run.

`python -m stages.benchmark` writes reports/benchmark.json, .md and .png, and reports/speed.md. Times are
medians of repeats that alternate between them, each in a process of its own, so that what else the
machine does falls on all of them; only ratios mean something elsewhere. Needs `data/raw` and PyTorch.
"""

import importlib.util
import multiprocessing
import os
import platform
import re
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from itertools import product
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from stages import StageError, figures, report
from stages.files import RAW, REPORTS, json_text, load_array, new_file
from stages.pad import encode, pad_rows
from stages.params import Recipe, load_params
from stages.statistics import CELLS

BATCHES, THREADS, LENGTHS = (32, 128), (1, 2), (100, 200, 400, 800)
REPEATS, FRESH = 5, 2  # times each is measured, times a fresh process is
AT_A_TIME = 10 * 32 * 200  # tokens that are trained on without a break, for warm caches as in training
DIFFERENT = 4  # batches that are read in turn
ANSWERED = 1000  # reviews
MATRIX = 2048  # rows and columns of the product that gives the machine's rate

Step = Callable[[np.ndarray, np.ndarray], float]
Answer = Callable[[np.ndarray], np.ndarray]


class Setting(NamedTuple):
    """What is timed: one net, on batches of so many reviews of so many tokens."""

    cell: str
    batch: int
    length: int


def keras_engine(recipe: Recipe, cell: str, batches: list[np.ndarray]) -> tuple[Step, Answer]:
    """Return stock Keras' training step and its `predict`."""
    from stages.nets import build_model

    model = build_model(cell, recipe.pad.vocabulary, recipe.model)
    model.compile("adam", "binary_crossentropy")
    return (
        lambda tokens, labels: float(model.train_on_batch(tokens, labels)),
        lambda tokens: model.predict(tokens, batch_size=500, verbose=0)[:, 0],
    )


def fused_engine(recipe: Recipe, cell: str, batches: list[np.ndarray]) -> tuple[Step, Answer]:
    """Return this pipeline's training step and its answers."""
    from stages.nets import Net, build_model
    from stages.training import distinct, new_optimizer, train_step

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
    """Return PyTorch's training step and its answers, on nets of the same shape."""
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
OURS = ("fused", "summed")
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

    from stages.nets import Net, build_model
    from stages.training import distinct

    net = Net(build_model(cell, recipe.pad.vocabulary, recipe.model), "fused")
    found, steps = map(tf.constant, distinct(tokens, recipe.pad.vocabulary, len(np.unique(tokens))))

    def gradients(found: tf.Tensor, steps: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            answers = net.answer(net.table(found), found, steps)
            loss = tf.reduce_mean(keras.losses.binary_crossentropy(labels[:, None], answers[:, None]))
        return [tf.convert_to_tensor(each) for each in tape.gradient(loss, net.model.trainable_variables)]

    table, forward, backward = (
        net.compiled(function)
        for function in (
            net.table,
            lambda found, steps: net.answer(net.table(found), found, steps),
            gradients,
        )
    )
    step, _ = summed_engine(recipe, cell, [tokens])
    functions = (
        lambda _: distinct(tokens, recipe.pad.vocabulary, len(found)),
        lambda _: table(found),
        lambda _: forward(found, steps),
        lambda _: backward(found, steps),
        lambda _: step(tokens, labels),
    )
    return dict(zip(PARTS, functions, strict=True))


class Reviews:
    """The train reviews in an order of their own, cut and padded as the recipe says, but to any length."""

    def __init__(self, recipe: Recipe) -> None:
        """Read the reviews that stage `download` has written."""
        self.recipe = recipe
        ranks, offsets = load_array(RAW / "train_tokens.npy"), load_array(RAW / "train_offsets.npy")
        self.encoded = encode(ranks, offsets, recipe.pad.vocabulary)
        self.labels = load_array(RAW / "train_labels.npy").astype(np.float32)
        self.order = np.random.default_rng(0).permutation(len(self.labels))

    def first(self, number: int, length: int) -> tuple[np.ndarray, np.ndarray]:
        """Return tokens int32 (number, length) and labels float32 (number,)."""
        rows = pad_rows(*self.encoded, length, self.recipe.pad.padding, self.recipe.pad.truncating)
        return rows[self.order[:number]], self.labels[self.order[:number]]

    def batches(self, setting: Setting) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return the batches that every engine trains on, in turn."""
        tokens, labels = self.first(DIFFERENT * setting.batch, setting.length)
        return list(zip(np.split(tokens, DIFFERENT), np.split(labels, DIFFERENT), strict=True))


def limit(threads: int, first_core: int) -> None:
    """Give this process so many threads, and as many cores for itself where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(first_core, first_core + threads))
    os.environ |= {"TF_NUM_INTRAOP_THREADS": str(threads), "TF_NUM_INTEROP_THREADS": "1"}
    os.environ["OMP_NUM_THREADS"] = str(threads)


def work(connection: Connection, engine: str, threads: int, first_core: int, recipe: Recipe) -> None:
    """Answer requests, until there is none, by the milliseconds that they take.

    `train`: a step on a setting; `answer`: 1,000 reviews; `matmul`: a product of two large float32
    matrices in TensorFlow; another: that one of a step's `parts`.
    """
    limit(threads, first_core)
    reviews = Reviews(recipe)
    ready: dict[Any, Callable[[int], Any]] = {}
    while (request := connection.recv()) is not None:
        kind, setting = request
        if request not in ready:
            ready |= prepare(engine, kind, setting, reviews)
            for i in range(2):
                ready[request](i)
        times = 1
        if setting and kind != "answer":
            times = max(3, AT_A_TIME // (setting.batch * setting.length))
        start = time.perf_counter()
        for i in range(times):
            ready[request](i)
        connection.send(1000 * (time.perf_counter() - start) / times)


def prepare(
    engine: str, kind: str, setting: Setting | None, reviews: Reviews
) -> dict[Any, Callable[[int], Any]]:
    """Return what is to be timed, by request: functions of the number of the batch."""
    if setting is None:
        import tensorflow as tf

        matrix = tf.random.normal((MATRIX, MATRIX))
        return {(kind, setting): lambda i: tf.matmul(matrix, matrix).numpy()}
    batches = reviews.batches(setting)
    if kind not in ("train", "answer"):
        cut_off = parts(reviews.recipe, setting.cell, *batches[0])
        return {(name, setting): run for name, run in cut_off.items()}
    step, answer = ENGINES[engine](reviews.recipe, setting.cell, [tokens for tokens, _ in batches])
    tokens, _ = reviews.first(ANSWERED, setting.length)
    return {
        ("train", setting): lambda i: step(*batches[i % DIFFERENT]),
        ("answer", setting): lambda i: answer(tokens),
    }


def begin(connection: Connection, engine: str, cell: str, recipe: Recipe, started: float) -> None:
    """Send what a fresh process costs: seconds to the end of its imports, then of its first step; peak MB.

    `started` is the time at which the process was asked for.
    """
    import resource

    limit(1, 0)
    setting = Setting(cell, recipe.train.batch_size, recipe.pad.length)
    reviews = Reviews(recipe)
    if engine != "pytorch":
        import tensorflow  # noqa: F401
    else:
        import torch  # noqa: F401
    imported = time.time()
    batches = reviews.batches(setting)
    step, answer = ENGINES[engine](recipe, cell, [tokens for tokens, _ in batches])
    step(*batches[0])
    first = time.time()
    for _ in range(5):
        for batch in batches:
            step(*batch)
    answer(reviews.first(ANSWERED, setting.length)[0])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # kB, on macOS bytes
    connection.send((imported - started, first - imported, peak / (1e6 if sys.platform == "darwin" else 1e3)))


class Worker:
    """A process of its own that answers requests."""

    def __init__(self, function: Callable[..., None], *arguments: Any) -> None:
        """Start `function(connection, *arguments)` in a fresh interpreter."""
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=function, args=(theirs, *arguments), daemon=True)
        self.process.start()
        theirs.close()  # so that its end is noticed here

    def receive(self) -> Any:
        """Return the next answer; raises `StageError` where the process has ended instead."""
        try:
            return self.connection.recv()
        except EOFError:
            raise StageError("a process that was timed has ended: see its error above") from None

    def ask(self, kind: str, setting: Setting | None = None) -> float:
        """Return the answer to one request."""
        self.connection.send((kind, setting))
        return self.receive()

    def end(self) -> None:
        """Let the process end."""
        self.connection.send(None)
        self.process.join()


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


def measure(recipe: Recipe) -> dict[str, Any]:
    """Time everything, in turn and again, and return what the report's tables hold."""
    length = recipe.pad.length
    at_batch = [Setting(cell, batch, length) for cell, batch in product(CELLS, BATCHES)]
    at_length = [Setting(cell, BATCHES[0], length) for cell, length in product(CELLS, LENGTHS)]
    side_by_side = at_batch[:: len(BATCHES)]
    workers = {
        (engine, threads): Worker(work, engine, threads, 0, recipe)
        for engine, threads in product(ENGINES, THREADS)
    }
    second = {engine: Worker(work, engine, 1, 1, recipe) for engine in ENGINES}
    times: dict[Any, list[float]] = {}

    progress = tqdm(desc="benchmark", unit=" timings", disable=None)

    def note(key: Any, value: float) -> None:
        times.setdefault(key, []).append(value)
        progress.update()
        time.sleep(0.05)  # threads that wait for more to do have given up

    def once() -> None:
        for threads in THREADS:
            note(("matmul", threads), workers["keras", threads].ask("matmul"))
        for setting in dict.fromkeys(at_batch + at_length):
            for threads in THREADS if setting in at_batch else THREADS[:1]:
                for engine in ENGINES:
                    note((engine, threads, setting), workers[engine, threads].ask("train", setting))
        for setting in side_by_side:
            for engine in ENGINES:
                both = (workers[engine, 1], second[engine])
                for worker in both:
                    worker.connection.send(("train", setting))
                note(("side by side", engine, setting), float(np.mean([worker.receive() for worker in both])))
                note(("answer", engine, setting), workers[engine, 1].ask("answer", setting))
            for part in PARTS:
                note(("part", part, setting), workers["summed", 1].ask(part, setting))

    once()
    times.clear()  # the first time includes what happens once
    for _ in range(REPEATS):
        once()
    progress.close()
    for worker in (*workers.values(), *second.values()):
        worker.end()
    fresh: dict[tuple[str, str], list[Any]] = {}
    for _, engine, cell in tqdm(
        list(product(range(FRESH), ENGINES, CELLS)), desc="fresh processes", disable=None
    ):
        worker = Worker(begin, engine, cell, recipe, time.time())
        fresh.setdefault((engine, cell), []).append(worker.receive())
        worker.process.join()
    return summarise({key: float(np.median(values)) for key, values in times.items()}, fresh, recipe)


def summarise(
    times: dict[Any, float], fresh: dict[tuple[str, str], list[Any]], recipe: Recipe
) -> dict[str, Any]:
    """Return the medians, in milliseconds, with their ratios, as they are written."""
    rate = {threads: 2 * MATRIX**3 / times["matmul", threads] / 1e6 for threads in THREADS}  # GFLOP/s
    settings = dict.fromkeys(key[2] for key in times if key[0] == "side by side")
    cells = [setting.cell for setting in settings]
    reviews = Reviews(recipe)
    rows = []
    for _, threads, setting in [key for key in times if key[0] == "fused"]:
        distinct = float(np.mean([len(np.unique(tokens)) for tokens, _ in reviews.batches(setting)]))
        gflop = operations(setting, distinct, recipe)
        spent = {engine: times[engine, threads, setting] for engine in ENGINES}
        shares = {engine: 1000 * gflop / value / rate[threads] for engine, value in spent.items()}
        rows.append(
            {
                **setting._asdict(),
                "threads": threads,
                "gflop": round(gflop, 3),
                "milliseconds": _rounded(spent),
                "share_of_matmul_rate": _rounded(shares, 3),
                **_ratios(spent),
            }
        )
    # A step of each cell: of one run on all cores, and of as many runs as there are cores, side by side.
    alone = {engine: sum(times[engine, THREADS[-1], each] for each in settings) for engine in ENGINES}
    beside = {
        engine: sum(times["side by side", engine, each] for each in settings) / THREADS[-1]
        for engine in ENGINES
    }
    read = sum(setting.batch for setting in settings)
    return {
        "machine": {"processor": processor(), "cores": os.cpu_count()},
        "versions": {name: version(name) for name in ("tensorflow", "keras", "torch")},
        "matmul_gflop_per_second": _rounded(rate, 1),
        "steps": rows,
        "study": {
            "one_after_another": _study(alone, beside, read),
            "side_by_side": _study(beside, beside, read),
            "twelve_runs_to_keras_two": {
                engine: round(6 * beside[engine] / alone["keras"], 2) for engine in OURS
            },
        },
        "parts_of_a_step": {
            setting.cell: _differences([times["part", part, setting] for part in PARTS])
            for setting in settings
        },
        "answers": {
            setting.cell: _rounded({engine: times["answer", engine, setting] for engine in ENGINES}, 1)
            for setting in settings
        },
        "fresh_process": {
            cell: {
                engine: dict(
                    zip(
                        ("seconds_to_import", "seconds_to_first_step", "peak_megabytes"),
                        np.median(fresh[engine, cell], axis=0).round(1).tolist(),
                        strict=True,
                    )
                )
                for engine in ENGINES
            }
            for cell in cells
        },
    }


def _study(spent: dict[str, float], beside: dict[str, float], read: int) -> dict[str, Any]:
    """Return reviews per second, `read` in so many ms, and our ratios side by side to the others' `spent`."""
    per_second = {engine: round(1000 * read / value) for engine, value in spent.items()}
    return {"reviews_per_second": per_second, **_ratios(spent | {engine: beside[engine] for engine in OURS})}


def _ratios(spent: dict[str, float]) -> dict[str, float]:
    """Return how often our time goes into the others', for what computes the same."""
    return {
        "keras_to_fused": round(spent["keras"] / spent["fused"], 2),
        "pytorch_to_summed": round(spent["pytorch"] / spent["summed"], 2),
    }


def _differences(spent: list[float]) -> dict[str, float]:
    """Return what each of `PARTS` takes by itself: from the second on, each time includes those before.

    The first, which is done outside of what XLA compiles, is in the last again.
    """
    first, *others = spent
    alone = [first, others[0], *np.diff(others)]
    alone[-1] -= first
    return _rounded(dict(zip(PARTS, alone, strict=True)))


def _rounded(values: dict[Any, float], digits: int = 2) -> dict[str, float]:
    return {str(name): round(value, digits) for name, value in values.items()}


def processor() -> str:
    """Return the processor's type."""
    try:
        names = re.findall(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def main() -> None:
    """Measure, and write the reports."""
    if importlib.util.find_spec("torch") is None:
        raise StageError("PyTorch is not installed: `make bench` installs it, or pip install torch==2.13.0")
    if (os.cpu_count() or 1) < THREADS[-1]:
        raise StageError(f"{THREADS[-1]} cores are needed")
    recipe = load_params().blocks.get("notebook")
    if recipe is None:
        raise StageError("params.yaml has no block 'notebook', whose nets are timed")
    Reviews(recipe)  # are there, or it is said before anything is started
    measured = measure(recipe)
    new_file(REPORTS / "benchmark.json", json_text(measured))
    for name in ("benchmark.md", "speed.md"):
        new_file(REPORTS / name, report.template(name).render(measured=measured))
    figures.benchmark(measured).savefig(REPORTS / "benchmark.png", metadata={"Software": None})
    print(f"benchmark: written to {REPORTS}/benchmark.md")


if __name__ == "__main__":
    try:
        main()
    except StageError as error:
        sys.exit(f"benchmark: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
