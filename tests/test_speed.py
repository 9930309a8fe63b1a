"""The benchmark's tables and figure, on made-up measurements."""

from stages.benchmarking.speed import speed, speed_figure, speed_text
from tests.examples import made_up_benchmark


def test_ratios_are_of_what_computes_the_same() -> None:
    tables = speed(made_up_benchmark())
    assert all(step.ratios == {"keras": 3.0, "pytorch": 2.0} for step in tables.steps)
    assert tables.same_allocator == {"keras": "3.0, 3.0, 3.0 and 3.0", "pytorch": "2.0, 2.0, 2.0 and 2.0"}
    assert tables.rate_ratios == {"keras": {"after": 3, "beside": 2}, "pytorch": {"after": 4, "beside": 2.5}}
    assert tables.same_instructions == (
        "1.25 (RNN) and 3.75 (LSTM) on 1 thread, 2.50 (RNN) and 5.00 (LSTM) on 2 threads"
    )
    assert tables.dvc_minutes == 1.5


def test_the_page() -> None:
    text = speed_text(made_up_benchmark())
    assert "| RNN, 1 thread | 60 ms | 20 ms | 3.0 | 30 ms | 15 ms | 2.0 |" in text
    usual = text.split("\n\n")[1]
    assert usual.startswith("| one training step, batch 32, 200 tokens |") and usual.count("threads |") == 2
    assert "divided by that without it: 1.25 (RNN) and 3.75 (LSTM) on 1 thread" in text
    assert "| as started | LSTM | 32 | 100 | 2 | 180.0 (25 %) |" in text
    assert "1,234 / 1,234 / 1,234 / 1,234 |" in text
    assert "| Keras, RNN | 2.5 | 1.5 | 900 | 50 |" in text
    without = speed_text(made_up_benchmark(avx512=False))
    assert "without this limit" not in without
    assert "Not measured: this processor has no AVX-512." in without


def test_the_figure() -> None:
    titles = [axes.get_title() for axes in speed_figure(made_up_benchmark()).axes]
    assert titles == ["RNN, batch 32, one thread", "LSTM, batch 32, one thread", "Others : here"]
