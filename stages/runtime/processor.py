"""What every result is computed for: any x86-64 processor with AVX2 and FMA, on one thread.

Libraries choose their code by the processor, its caches and the number of threads; with the code the last
digits change, and five epochs later the accuracies. So the choice is made here, before they are loaded:

- XLA, oneDNN, OpenBLAS and NumPy compute as AVX2 does (XLA's products may run on AVX-512 where that gives the
  same bytes); XLA adds up its matrix products in one order and takes no approximate reciprocal square roots,
  which each maker rounds in its own way;
- they use one thread: with two, sums are split elsewhere;
- anything else that the environment tells them is taken out.

No setting reaches two things that depend on the size of the caches: products with a transposed matrix and
Keras' orthogonal matrices. `recurrence.product` and `models.orthogonal` take other ways there.
"""

import ctypes
import os
import platform
import sys
from pathlib import Path

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTEROP_THREADS", "TF_NUM_INTRAOP_THREADS")
ANYWHERE = {"KERAS_BACKEND": "tensorflow", "TF_ENABLE_ONEDNN_OPTS": "0", **dict.fromkeys(THREADS, "1")}
ON_X86 = {
    # By the names that NumPy 2.2 to 2.5 have for AVX-512.
    "NPY_DISABLE_CPU_FEATURES": (
        "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR X86_V4"
    ),
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
    "XLA_FLAGS": (
        "--xla_cpu_max_isa=AVX2 --xla_cpu_enable_platform_dependent_math=false "
        "--xla_backend_extra_options=xla_cpu_disable_platform_dependent_math"
    ),
}
# How the names of these libraries' environment variables begin, up to the first underscore.
LIBRARIES = {
    "DNNL",
    "GOTO",
    "KERAS",
    "KMP",
    "MKL",
    "NPY",
    "OMP",
    "ONEDNN",
    "OPENBLAS",
    "TENSORFLOW",
    "TF",
    "XLA",
}
MESSAGES = "TF_CPP_"  # these change no result
X86 = platform.machine().lower() in ("x86_64", "amd64")
WARNED = "IMDB_WARNED_OF_OTHER_BYTES"

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # in glibc's malloc.h


def fix() -> None:
    """Set the environment that the libraries read when they are loaded."""
    for name in list(os.environ):
        if name.partition("_")[0] in LIBRARIES and not name.startswith(MESSAGES):
            del os.environ[name]
    os.environ |= {**ANYWHERE, **(ON_X86 if X86 else {})}


def differences() -> list[str]:
    """Return why results have other bytes here than elsewhere; normally there is no reason."""
    reasons = []
    if not X86:
        reasons.append(f"the processor is {platform.machine()}, not x86-64")
    elif lacking := {"avx2", "fma"} - cpu_flags():
        reasons.append(f"the processor lacks {' and '.join(sorted(map(str.upper, lacking)))}")
    if "glibc.cpu" in os.environ.get("GLIBC_TUNABLES", ""):
        reasons.append("GLIBC_TUNABLES changes how the C library computes")
    if LOADED_EARLY:
        reasons.append(f"{' and '.join(LOADED_EARLY)} was loaded before this project")
    if "tensorflow" in sys.modules and sys.modules["tensorflow"].config.list_physical_devices("GPU"):
        reasons.append("TensorFlow uses a GPU")
    return reasons


def cpu_flags(path: Path = Path("/proc/cpuinfo")) -> set[str]:
    """Return the processor's features by Linux' names; AVX2 and FMA where that does not tell."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    flags = (line.partition(":")[2].split() for line in lines if line.startswith("flags"))
    return set(next(flags, ("avx2", "fma")))


def warn() -> None:
    """Say on standard error why results will differ here; once, with all processes that this one starts."""
    if (reasons := differences()) and WARNED not in os.environ:
        os.environ[WARNED] = "1"
        print(f"Results will not be the same bytes as elsewhere: {'; '.join(reasons)}.", file=sys.stderr)


def keep_memory() -> None:
    """Let the C library keep memory that is freed, for the next training step.

    XLA allocates some 50 MB for a step and frees them after it. glibc hands blocks of that size back to
    the kernel, which then fills new ones with zeros, page by page: a third of an LSTM's training time.
    Elsewhere than with glibc this does nothing.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt:
        mallopt(M_MMAP_THRESHOLD, 1 << 30)  # smaller blocks come from the heap …
        mallopt(M_TRIM_THRESHOLD, (1 << 31) - 1)  # … which does not shrink


LOADED_EARLY = [name for name in ("numpy", "tensorflow") if name in sys.modules]
fix()
