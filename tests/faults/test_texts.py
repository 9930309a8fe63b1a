"""What goes into `predict`, and what comes out: any bytes, a full disk, Ctrl-C."""

import csv
import io
import itertools
import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.params.recipe import CELLS
from stages.runtime.files import RELEASED
from stages.tools import predict as module
from tests.conftest import ROOT, run_in
from tests.faults.test_parameters import fuzzed

Predicting = Callable[..., tuple[int, str, str]]


def rows(printed: str, form: str) -> list[str]:
    """Return the texts in what was printed."""
    if form == "--json":
        return [json.loads(line)["text"] for line in printed.split("\n")[:-1]]
    return [text for text, *_ in list(csv.reader(io.StringIO(printed, newline="")))[1:]]


LINES = st.binary(max_size=12) | st.sampled_from(
    [b"one two", b"", b"\xef\xbb\xbfone", b"\r", b"\x00", b'"', b"a,b", b"\xe2\x80\xa8one", "don’t".encode()]
)


@pytest.mark.fault(
    "`predict` is given arbitrary bytes: a file, standard input, arguments",
    "a row per line, or a line that names the first byte that is not UTF-8",
    "the rows before it",
)
def test_predict_with_arbitrary_bytes(predicting: Predicting, monkeypatch: pytest.MonkeyPatch) -> None:
    models = module.Models({cell: RELEASED / cell for cell in CELLS})
    monkeypatch.setattr(module, "Models", lambda _: models)  # loading them takes longest
    ends = {0: 0, 1: 0}
    ways = itertools.cycle(["file", "stdin", "arguments"])

    @fuzzed
    @given(st.lists(LINES, max_size=4), st.sampled_from(["--json", "--csv"]), st.booleans())
    def run(lines: list[bytes], form: str, explain: bool) -> None:
        way = next(ways)
        given = b"\n".join(lines).split(b"\n")
        if way == "arguments":
            given = [line for line in given if b"\x00" not in line]  # which no argument can hold
            arguments = ["--", *map(os.fsdecode, given)] if given else ["--file", os.devnull]
        else:
            Path("texts").write_bytes(b"\n".join(given))
            given = given if given[-1] else given[:-1]
            arguments = ["--file", "texts"] if way == "file" else []
        with Path("texts").open() if way == "stdin" else io.StringIO() as stdin:
            monkeypatch.setattr(sys, "stdin", stdin)
            explained = ["--explain"] * (explain and form == "--json" and len(given) <= module.EXPLAINED)
            status, printed, said = predicting(form, *explained, *arguments)
        ends[status] += 1
        texts = []
        for line in given:
            with suppress(UnicodeDecodeError):
                texts.append(line.decode())
        if len(texts) == len(given):
            assert (status, said) == (0, "")
            if way != "arguments":
                texts = [text.rstrip("\r\n") for text in texts]
                texts[:1] = [text.removeprefix("\ufeff") for text in texts[:1]]
            if form == "--csv":
                texts = [text.replace("\r", " ") for text in texts]
            assert rows(printed, form) == texts
        else:
            assert status == 1
            assert said.startswith("predict: ") and "which is not UTF-8" in said
            assert said.count("\n") == 1 and said.strip().isprintable()

    run()
    assert min(ends.values()) > 50


# Runs `predict`, which gets Ctrl-C when Keras is about to be imported.
AT_IMPORT = """
import os, runpy, signal, sys
class Stop:
    def find_spec(self, name, *_):
        if name == "keras":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Stop())
runpy.run_module("stages.tools.predict", run_name="__main__", alter_sys=True)
"""


@pytest.mark.fault(
    "Ctrl-C while `predict` loads TensorFlow",
    "it says that it was interrupted, in one line, exit status 130",
    "everything",
)
def test_ctrl_c_while_predict_loads_tensorflow(released: Path) -> None:
    code = ("env", f"PYTHONPATH={ROOT}", "python", "-c", AT_IMPORT, "one")
    result = run_in(released, *code, check=False)
    assert (result.returncode, result.stderr) == (130, "predict: interrupted\n")


@pytest.mark.fault(
    "a disk that is full, where the output of `predict` goes",
    "it says so in one line, exit status 1",
    "the rows before",
)
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_predict_into_a_full_disk(released: Path, form: list[str]) -> None:
    command = (
        "env",
        f"PYTHONPATH={ROOT}",
        "sh",
        "-c",
        'exec python -m stages.tools.predict "$@" >/dev/full',
        "sh",
    )
    result = run_in(
        released,
        *command,
        *form,
        "--file",
        "/dev/null" if not form else "data/raw/word_index.json",
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == "predict: [Errno 28] No space left on device"
    assert "Exception ignored" not in result.stderr
