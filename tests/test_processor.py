import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from stages.runtime import processor

ROOT = Path(__file__).parents[1]


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `code` in a process of its own, whose environment says nothing of the project's."""
    own = {*processor.ANYWHERE, *processor.ON_X86, processor.WARNED}
    rest = {name: value for name, value in os.environ.items() if name not in own}
    return subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        cwd=ROOT,
        env=rest | environment,
        capture_output=True,
        text=True,
    )


@pytest.fixture(autouse=True)
def _loaded_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor, "LOADED_EARLY", [])  # pytest's plugins may have loaded NumPy


def test_what_the_environment_tells_the_libraries_is_replaced() -> None:
    told = {
        "OMP_NUM_THREADS": "64",
        "MKL_NUM_THREADS": "4",
        "OPENBLAS_L2_SIZE": "512",
        "OPENBLAS_CORETYPE": "Zen",
        "TF_XLA_FLAGS": "--tf_xla_auto_jit=2",
        "TF_DETERMINISTIC_OPS": "0",
        "XLA_FLAGS": "--xla_cpu_enable_fast_math=true",
        "KERAS_BACKEND": "jax",
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "HOME": "/nowhere",
    }
    after = json.loads(python("import json, os, stages; print(json.dumps(dict(os.environ)))", **told).stdout)
    fixed = processor.ANYWHERE | (processor.ON_X86 if processor.X86 else {})
    assert {name: after[name] for name in fixed} == fixed
    assert not {"MKL_NUM_THREADS", "OPENBLAS_L2_SIZE", "TF_XLA_FLAGS", "TF_DETERMINISTIC_OPS"} & after.keys()
    assert (after["TF_CPP_MIN_LOG_LEVEL"], after["HOME"]) == ("2", "/nowhere")


def test_the_libraries_do_as_they_are_told() -> None:
    """Each has read its setting: it was made before they were loaded."""
    code = (
        "import json, stages, numpy, scipy.linalg, threadpoolctl, tensorflow as tf\n"
        "numpy.ones((2, 2)) @ numpy.ones((2, 2))\n"
        "pools = [p for p in threadpoolctl.threadpool_info() if p['internal_api'] == 'openblas']\n"
        "simd = numpy.show_config(mode='dicts')['SIMD Extensions']\n"
        "print(json.dumps([pools, simd['found'], tf.config.threading.get_intra_op_parallelism_threads()]))"
    )
    said = python(code, OPENBLAS_NUM_THREADS="2").stdout.splitlines()[-1]
    pools, found, _ = json.loads(said)
    assert pools and {pool["num_threads"] for pool in pools} == {1}
    if processor.X86:
        assert {pool["architecture"] for pool in pools} == {"Haswell"}
        assert not [name for name in found if "AVX512" in name or name == "X86_V4"]


@pytest.mark.skipif(not processor.X86, reason="not on x86-64")
def test_no_reason_on_a_common_processor() -> None:
    assert python("from stages import processor; print(processor.differences())").stdout.strip() == "[]"


def test_another_architecture_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor, "X86", False)
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    assert processor.differences() == ["the processor is arm64, not x86-64"]


def test_there_nothing_is_said_to_the_libraries_that_they_do_not_know(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    environment: dict[str, str] = {"XLA_FLAGS": "--x"}
    monkeypatch.setattr(processor, "X86", False)
    monkeypatch.setattr("os.environ", environment)
    processor.fix()
    assert environment == processor.ANYWHERE


@pytest.mark.parametrize(
    ("flags", "reasons"),
    [
        ("sse2 avx fma avx2", []),
        ("sse2 avx fma", ["the processor lacks AVX2"]),
        ("sse2 avx", ["the processor lacks AVX2 and FMA"]),
    ],
)
def test_an_older_processor_is_a_reason(
    flags: str, reasons: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nflags\t\t: {flags}\nbugs\t\t: none\n")
    found = processor.cpu_flags(tmp_path / "cpuinfo")
    assert found == set(flags.split())
    monkeypatch.setattr(processor, "X86", True)
    monkeypatch.setattr(processor, "cpu_flags", lambda: found)
    assert processor.differences() == reasons


def test_where_linux_does_not_tell_the_features_none_is_missed(tmp_path: Path) -> None:
    assert processor.cpu_flags(tmp_path / "none") == {"avx2", "fma"}


@pytest.mark.skipif(not processor.X86, reason="not on x86-64")
def test_libraries_that_were_loaded_before_are_a_reason_and_it_is_said_once() -> None:
    """Also by the processes that the one starts which said it."""
    code = (
        "import subprocess, sys, numpy; from stages import processor; processor.warn(); processor.warn()\n"
        "if len(sys.argv) < 2: subprocess.run([sys.executable, '-c', sys.orig_argv[2], 'again'], check=True)"
    )
    assert python(code).stderr == (
        "Results will not be the same bytes as elsewhere: numpy was loaded before this project.\n"
    )


@pytest.mark.skipif(not processor.X86, reason="not on x86-64")
def test_a_c_library_told_to_compute_otherwise_is_a_reason() -> None:
    code = "from stages import processor; print(processor.differences())"
    said = python(code, GLIBC_TUNABLES="glibc.cpu.hwcaps=-AVX2").stdout
    assert said.strip() == "['GLIBC_TUNABLES changes how the C library computes']"


def test_a_gpu_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    class Config:
        @staticmethod
        def list_physical_devices(kind: str) -> list[str]:
            return [kind]

    class TensorFlow:
        config = Config()

    monkeypatch.setitem(sys.modules, "tensorflow", TensorFlow())
    assert "TensorFlow uses a GPU" in processor.differences()


@pytest.mark.skipif(sys.platform != "linux", reason="counts page faults as Linux does")
def test_between_training_steps_no_memory_goes_back_to_the_kernel() -> None:
    """Counted on an LSTM of the published size; without the setting it is thousands of pages a step."""
    code = """
import resource, sys
from stages.runtime import processor
if sys.argv[1:]: processor.keep_memory = lambda: None
import numpy as np
from stages.networks.batches import unique
from stages.networks.models import Network, build_model
from stages.networks.training import new_optimizer, train_step
from stages.params.recipe import load_recipe
from pathlib import Path
recipe = load_recipe("notebook", Path("tests/params.yaml"))
network = Network(build_model("lstm", 5000, recipe.model), "fused")
step = train_step(network, new_optimizer(network, recipe.train, 0.001), recipe.train)
random = np.random.default_rng(0)
tokens = random.integers(3, 5000, (32, 200)).astype(np.int32)
found, row_ids = unique(tokens, 5000, 5000)
labels = random.integers(0, 2, 32).astype(np.float32)
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    float(step(found, row_ids, labels, np.ones_like(labels), None, None)[0])
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
# The median: now and then the heap grows once more, when another thread first needs memory.
print(np.median([faults() for _ in range(11)]))
"""
    assert float(python(code).stdout) < 100
    lost = python(f"import sys; sys.argv.append('lost')\n{code}").stdout
    if processor.X86:
        assert float(lost) > 1000
