"""Compute a little of every kind here and on emulated processors, and say where the bytes differ.

    python -m tests.same_bytes                     # .ci/run: there must be no difference
    python -m tests.same_bytes --without threads   # what would differ without this setting?
    python -m tests.same_bytes --each              # … and without each of the others, in turn

The processes also differ in how many cores and threads they are given, in language, time zone and hash seed,
and some are told the opposite of what `stages.runtime.processor` fixes. The emulator is QEMU (Debian:
qemu-user).
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from stages.runtime import processor

EMULATOR = "qemu-x86_64"
# The environment of somebody who wants everything otherwise.
CONTRARY = {
    "KERAS_BACKEND": "jax",
    "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "OPENBLAS_CORETYPE": "Nehalem",
    "TF_ENABLE_ONEDNN_OPTS": "1",
    "TF_XLA_FLAGS": "--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit",
    "XLA_FLAGS": "--xla_cpu_max_isa=SSE4_2 --xla_cpu_enable_fast_math=true",
}
# What can be left out: the settings, and what the code does differently by itself.
XLA = tuple(flag.strip("-").partition("=")[0] for flag in processor.ON_X86["XLA_FLAGS"].split())
SETTINGS = processor.ANYWHERE.keys() | processor.ON_X86.keys()
CHOICES = (
    "threads",
    *sorted(SETTINGS - {*processor.THREADS, "KERAS_BACKEND", "XLA_FLAGS"}),
    *XLA,
    "other variables",  # whatever else the environment tells the libraries would reach them
    "transposed",
    "orthogonal",
)


class Process(NamedTuple):
    """Where and how the numbers are computed."""

    name: str
    emulated: str | None  # a processor, by QEMU's name
    one_core: bool
    environment: Mapping[str, str]

    def command(self) -> list[str]:
        """Return what starts this program so."""
        command = [sys.executable, "-m", "tests.same_bytes"]
        if self.emulated:
            command = [EMULATOR, "-cpu", self.emulated, *command]
        if self.one_core:
            command = ["taskset", "--cpu-list", str(min(os.sched_getaffinity(0))), *command]
        return command


def processes(emulate: bool) -> Iterator[Process]:
    """Yield where the numbers are computed; what the first computes is what the others are compared with."""

    def around(threads: int, language: str, zone: str, seed: int) -> dict[str, str]:
        told = {name: str(threads) for name in (*processor.THREADS, "MKL_NUM_THREADS")}
        return told | {"LC_ALL": language, "TZ": zone, "PYTHONHASHSEED": str(seed)}

    one = around(1, "C", "Pacific/Kiritimati", 1)
    four = around(4, "tr_TR.UTF-8", "America/St_Johns", 2)
    many = around(64, "C.UTF-8", "Asia/Kathmandu", 3)
    yield Process("this processor", None, False, {})
    if emulate:  # these take longest
        # 32 kB of first-level cache, and 64 kB by another maker. Neither has AVX-512: QEMU knows none.
        yield Process("Haswell", "Haswell", False, four)
        yield Process("EPYC-Milan, one core", "EPYC-Milan,legacy-cache=on", True, many | CONTRARY)
    yield Process("this processor, one core", None, True, one)
    yield Process("this processor, 4 threads", None, False, four)
    yield Process("this processor, told otherwise", None, False, many | CONTRARY)


def run(process: Process, without: str | None, folder: Path) -> dict[str, Any]:
    """Return the arrays that a process computes, by what they are."""
    import numpy as np

    file = folder / f"{process.name}.npz"
    result = subprocess.run(
        [*process.command(), "--into", str(file), *(("--without", without) if without else ())],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | process.environment,
    )
    if result.returncode:
        said = [line for line in result.stderr.splitlines() if "TCG doesn't support" not in line]
        sys.exit("\n".join([*said[-20:], f"{process.name}: ended with status {result.returncode}"]))
    with np.load(file) as arrays:
        return dict(arrays)


def leave_out(name: str) -> None:
    """Take back one of CHOICES, before the libraries are loaded."""
    if name in XLA:
        flags = os.environ["XLA_FLAGS"].split()
        os.environ["XLA_FLAGS"] = " ".join(flag for flag in flags if not flag.startswith(f"--{name}="))
    elif name == "other variables":
        for told in Path("/proc/self/environ").read_text().split("\0")[:-1]:
            os.environ.setdefault(*told.split("=", 1))
    elif name in ("transposed", "orthogonal"):
        import keras
        import tensorflow as tf

        from stages.networks import models, recurrence

        if name == "transposed":
            setattr(recurrence, name, tf.transpose)
        else:
            setattr(models, name, lambda shape, seed: keras.initializers.Orthogonal(seed=seed)(shape))
    else:
        for each in processor.THREADS if name == "threads" else (name,):
            del os.environ[each]


def compute() -> Iterator[tuple[str, Any]]:
    """Yield arrays of every kind that results are made of, and what each is.

    Products are as long as in the recipes where that matters: over units, and over a batch's tokens.
    """
    import numpy as np

    from stages import bag_of_words
    from stages.inspection.gradients import gradient_norms
    from stages.inspection.states import states
    from stages.networks.models import new_network
    from stages.networks.training import fit
    from stages.params.study import load_params
    from stages.reviews.document_terms import document_term_matrix
    from stages.reviews.film_groups import film_groups
    from stages.reviews.word_vectors import ppmi_vectors
    from stages.runtime.files import Split

    num_words, maxlen, sizes = 2000, 32, (128, 64, 64)
    params = load_params()
    random = np.random.default_rng(0)
    # Few words often and most of them seldom, one that tells the label, and no batch of short reviews alone.
    labels = (np.arange(sum(sizes)) % 2).astype(np.uint8)
    tokens = (3 + (num_words - 3) * random.random((len(labels), maxlen)) ** 3).astype(np.int32)
    tokens[:, -1] = 3 + labels
    for row, start in enumerate(random.integers(0, maxlen // 2, len(tokens))):
        tokens[row, :start] = 0
    parts = np.split(np.arange(len(tokens)), np.cumsum(sizes)[:-1])
    train, validation, test = (Split(tokens[rows], labels[rows]) for rows in parts)

    tuned = params.blocks["tuned"].model
    vectors = ppmi_vectors(train.tokens, num_words, tuned.embedding_dim, 5)
    yield "word vectors", vectors
    offsets = np.arange(0, tokens.size + 1, maxlen)
    yield "film groups", film_groups(document_term_matrix(tokens.ravel().clip(3) - 3, offsets, num_words))
    texts = np.split(bag_of_words.texts(tokens.ravel(), offsets), np.cumsum(sizes)[:-1])
    fitted = bag_of_words.fit((texts[0], train.labels), (texts[1], validation.labels), 2, [1.0, 10.0])
    yield "bag of words", fitted.model.coef_

    for name, cell in (("tuned", "rnn"), ("tuned", "lstm"), ("notebook", "lstm"), ("delayed recall", "lstm")):
        # Those of delayed recall are the smallest models, for whose products libraries have other code.
        own = params.blocks["tuned" if name == "delayed recall" else name].own(cell)
        recipe = params.delayed_recall if name == "delayed recall" else params.blocks[name]
        run = f"{name} {cell}"
        settings = recipe.train.model_copy(update={"epochs": 1})
        network = new_network(cell, num_words, recipe.model, own, settings.implementation, 0, vectors)
        yield from weights(f"{run}: initial", network.model)
        losses = fit(network, train, validation, settings, own.learning_rate, 0, run, verbose=False).history
        yield f"{run}: losses", np.array([list(row.values()) for row in losses])
        yield from weights(f"{run}: trained", network.model)
        yield f"{run}: probabilities", network.probabilities(test.tokens)
        yield f"{run}: gradients", gradient_norms(network, test.tokens)
        layers = {layer.name: layer.get_weights() for layer in network.model.layers}
        hidden, gates = zip(*states(cell, layers, recipe.model, test.tokens), strict=True)
        yield f"{run}: states", np.array(hidden)
        if cell == "lstm":
            yield f"{run}: gates", np.array(gates)


def weights(what: str, model: Any) -> Iterator[tuple[str, Any]]:
    """Yield a model's weights."""
    for weight in model.weights:
        yield f"{what} {weight.path.partition('/')[2]}", weight.numpy()


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[str]:
    """Yield which arrays have other bytes, and how far apart they are."""
    for name, one in ours.items():
        other = theirs[name]
        if one.tobytes() != other.tobytes():
            apart = abs(one.astype(float) - other)
            yield f"{name}: {(apart > 0).sum():,} of {apart.size:,} numbers, by up to {apart.max():.1g}"


def compare(without: str | None) -> bool:
    """Compute everywhere and print each digest and what differs; return whether anything does."""
    wanted = list(processes(emulate=shutil.which(EMULATOR) is not None))
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        first, *others = pool.map(lambda process: run(process, without, Path(folder)), wanted)
    for name, array in first.items():
        print(f"{hashlib.sha256(array.tobytes()).hexdigest()[:16]}  {name}")
    found = False
    for process, other in zip(wanted[1:], others, strict=True):
        different = list(differences(first, other))
        found = found or bool(different)
        print(f"{process.name}: {'other bytes in' if different else 'the same bytes'}")
        print("".join(f"  {each}\n" for each in different), end="", flush=True)
    return found


def main() -> None:
    """Compare, and exit with status 1 where anything differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.same_bytes")
    parser.add_argument("--without", choices=CHOICES, metavar="NAME", help=f"one of: {', '.join(CHOICES)}")
    parser.add_argument("--each", action="store_true", help="leave each of them out in turn, and none first")
    parser.add_argument("--into", type=Path, help="compute in this process alone, and write a .npz file")
    arguments = parser.parse_args()
    if arguments.into:
        if arguments.without:
            leave_out(arguments.without)
        import numpy as np

        np.savez(arguments.into, **dict(compute()))
        return
    if reasons := processor.differences():
        print(f"There is nothing to compare: {'; '.join(reasons)}.")
        return
    if not shutil.which(EMULATOR):
        print(f"No other processor is emulated: {EMULATOR} is not installed (Debian: qemu-user).")
    found = False
    for name in (None, *CHOICES) if arguments.each else (arguments.without,):
        if name:
            print(f"Without {name}:")
        found = compare(name) or found
    sys.exit(found)


if __name__ == "__main__":
    main()
