"""The benchmark's tables and figure, on made-up measurements."""

from itertools import product
from typing import Any

from stages.benchmarking.speed import NAMES, speed, speed_figure, speed_texts

TIMES = {"keras": 60.0, "pytorch": 30.0, "fused": 20.0, "coalesced": 15.0}


def row(cell: str, threads: int, length: int = 200, factor: float = 1.0) -> dict[str, Any]:
    """A step that takes `factor` times TIMES."""
    return {
        "cell": cell,
        "batch": 32,
        "length": length,
        "threads": threads,
        "milliseconds": {name: factor * time for name, time in TIMES.items()},
        "share_of_matmul_rate": dict.fromkeys(NAMES, 0.25),
        "minor_page_faults": dict.fromkeys(NAMES, 1234.4),
    }


def measured(avx512: bool = True) -> dict[str, Any]:
    """What `make bench` would write."""
    both = list(product(("rnn", "lstm"), (1, 2)))
    rates = dict.fromkeys(NAMES, 100)
    return {
        "machine": {"processor": "made-up processor", "cores": 2},
        "versions": {"keras": "3"},
        "matmul_gflop_per_second": {"1": 80.0, "2": 150.0},
        "matmul_gflop_per_second_fixed": {"1": 70.0, "2": 140.0},
        "steps": [row(*each, length=length) for each in both for length in (100, 200)],
        "same_allocator": [row(*each) for each in both],
        "same_instructions": [row(*each, factor=0.8) for each in both] if avx512 else [],
        "reviews_per_second": {
            "one_after_another": rates,
            "same_allocator": rates,
            "side_by_side": rates | {"fused": 300, "coalesced": 400, "keras": 150, "pytorch": 160},
        },
        "parts_of_a_step": {cell: {"all backward": 9.0} for cell in ("rnn", "lstm")},
        "answers": {cell: dict.fromkeys(NAMES, 50.0) for cell in ("rnn", "lstm")},
        "fresh_process": [
            {
                "implementation": "keras",
                "cell": "rnn",
                "seconds_to_import": 2.5,
                "seconds_to_first_step": 1.5,
                "peak_megabytes": 900.0,
            }
        ],
        "dvc": {"check_all": 2.0, "check_one": 0.5, "rewrite_lock": 1.0, "stages": 60},
    }


def test_ratios_are_of_what_computes_the_same() -> None:
    tables = speed(measured())
    assert all(step.ratios == {"keras": 3.0, "pytorch": 2.0} for step in tables.steps)
    assert tables.same_allocator == {"keras": "3.0, 3.0, 3.0 and 3.0", "pytorch": "2.0, 2.0, 2.0 and 2.0"}
    assert tables.rate_ratios == {"keras": {"after": 3, "beside": 2}, "pytorch": {"after": 4, "beside": 2.5}}
    assert tables.same_instructions == "1.25 times (RNN) and 1.25 times (LSTM)"
    assert tables.dvc_minutes == 1.5


def test_the_texts() -> None:
    texts = speed_texts(measured())
    assert "| RNN, 1 thread | 60 ms | 20 ms | 3.0 | 30 ms | 15 ms | 2.0 |" in texts["speed.md"]
    assert texts["speed.md"].count("threads |") == 2
    assert "1.25 times (RNN) and 1.25 times (LSTM) as long as without" in texts["speed.md"]
    assert texts["speed.md"] in texts["benchmark.md"]
    assert "| as started | LSTM | 32 | 100 | 2 | 60.0 (25 %) |" in texts["benchmark.md"]
    assert "1,234 / 1,234 / 1,234 / 1,234 |" in texts["benchmark.md"]
    assert "| Keras, RNN | 2.5 | 1.5 | 900 | 50 |" in texts["benchmark.md"]
    without = speed_texts(measured(avx512=False))
    assert "as long as without" not in without["speed.md"]
    assert "Not measured: this processor has no AVX-512." in without["benchmark.md"]


def test_the_figure() -> None:
    titles = [axes.get_title() for axes in speed_figure(measured()).axes]
    assert titles == ["RNN, batch 32, one thread", "LSTM, batch 32, one thread", "Others : here"]
