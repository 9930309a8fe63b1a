"""Model files, arrays and texts that would do harm: `predict`, and what loads arrays, take none of them."""

import csv
import io
import itertools
import json
import os
import pickle
import signal
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.networks.models import build_model, load_network, save_model
from stages.networks.provenance import FILE
from stages.params.recipe import CELLS, Model, load_recipe
from stages.reviews.text import load_ranks
from stages.runtime.errors import StageError
from stages.runtime.files import PADDED, RAW, RELEASED, json_text, load_array, load_padded
from stages.tools import predict as module
from tests.conftest import ROOT, run_in
from tests.examples import PARAMS
from tests.faults.test_archives import Trap
from tests.faults.test_parameters import fuzzed

RECIPE = load_recipe("tuned", PARAMS)
PAD = RECIPE.pad.model_copy(update={"num_words": 8, "maxlen": 6})
SMALL = RECIPE.model.model_copy(update={"units": 3, "embedding_dim": 2})
SAID = "a line names the file, and what restores it"
NOTHING = "everything: no code of the file's runs, nothing is printed"


def save(path: Path, cell: str, num_words: int = PAD.num_words, settings: Model = SMALL) -> None:
    model = build_model(cell, num_words, settings)
    random = np.random.default_rng(0)
    model.set_weights([random.normal(size=weights.shape) for weights in model.get_weights()])
    save_model(model, path)


@pytest.fixture
def released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The present folder: it has two released models and knows the words one to four."""
    monkeypatch.chdir(tmp_path)
    RAW.mkdir(parents=True)
    words = {word: rank for rank, word in enumerate(("one", "two", "three", "four"), 1)}
    (RAW / "word_index.json").write_text(json.dumps(words))
    settings = RECIPE.model_copy(update={"pad": PAD, "model": SMALL})
    for cell in CELLS:
        (RELEASED / cell).mkdir(parents=True)
        save(RELEASED / cell / "model.keras", cell)
        (RELEASED / cell / FILE).write_text(json_text({"settings": settings.settings(cell)}))
    return tmp_path


@pytest.fixture
def call(
    released: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """What the command exits with and prints."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["predict", *arguments])
        status = 0
        try:
            module.main()
        except SystemExit as end:
            status = int(end.code or 0)
        printed = capsysbinary.readouterr()
        return status, printed.out.decode(), printed.err.decode()

    yield call
    for number, handler in before.items():
        signal.signal(number, handler)


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
def test_predict_with_arbitrary_bytes(
    call: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
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
            status, printed, said = call(form, *explained, *arguments)
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


def with_config(config: dict[str, Any]) -> Callable[[Path], None]:
    """Return what replaces the configuration in a model file."""

    def write(path: Path) -> None:
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in (members | {"config.json": json.dumps(config).encode()}).items():
                archive.writestr(name, content)

    return write


def lambda_layer(path: Path) -> None:
    import keras

    def call(each: Any) -> Any:
        __import__("pathlib").Path("executed").mkdir(exist_ok=True)
        return each

    layer = keras.layers.Lambda(call, output_shape=(1,), name="rnn")
    keras.Sequential([keras.Input((1,)), layer]).save(path)


def a_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps(Trap(Path("executed"))))


def other_weights(number: float) -> Callable[[Path], None]:
    """Return what writes a model one of whose weights is this number."""

    def write(path: Path) -> None:
        model = load_network(path, "keras").model
        model.set_weights([np.full_like(weights, number) for weights in model.get_weights()])
        save_model(model, path)

    return write


MAKES_A_FOLDER = {
    "module": "os",
    "class_name": "mkdir",
    "config": {"path": "executed"},
    "registered_name": None,
}
IN_A_LIST = {"module": "builtins", "class_name": "function", "config": "eval", "registered_name": "function"}
OTHER = "model.keras is no model of the settings in data/released/rnn/provenance.json: delete it, and"
DAMAGED = "predict: data/released/rnn/model.keras is damaged ("


@pytest.mark.parametrize(
    ("write", "said"),
    [
        pytest.param(write, said, id=name, marks=pytest.mark.fault(name, SAID, NOTHING))
        for name, write, said in (
            ("a model file with a Lambda layer, which is code", lambda_layer, DAMAGED),
            ("a model file that is a pickle that runs code", a_pickle, DAMAGED),
            ("a model file that names a function of Python's", with_config(MAKES_A_FOLDER), DAMAGED),
            (
                "a model file with a layer of another module",
                with_config(
                    {
                        "module": "keras",
                        "class_name": "Sequential",
                        "config": {"name": "rnn_sentiment", "layers": [MAKES_A_FOLDER, IN_A_LIST]},
                        "registered_name": None,
                    }
                ),
                DAMAGED,
            ),
            ("a model file that is cut off", lambda path: os.truncate(path, 1000), DAMAGED),
            (
                "a model file of other shapes than its settings",
                lambda path: save(path, "rnn", num_words=5),
                OTHER,
            ),
            (
                "a model file of another cell",
                lambda path: save(path, "lstm"),
                OTHER,
            ),
            (
                "a model file with weights that are not numbers",
                other_weights(float("nan")),
                "model.keras has weights that are no finite numbers: delete it, and",
            ),
        )
    ],
)
def test_model_files_that_predict_refuses(
    call: Callable[..., tuple[int, str, str]], write: Callable[[Path], None], said: str
) -> None:
    write(RELEASED / "rnn/model.keras")
    status, printed, line = call("--json", "one")
    assert (status, printed) == (1, ""), line
    assert said in line and line.count("\n") == 1
    assert not Path("executed").exists()


def test_the_traps_would_go_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    monkeypatch.chdir(tmp_path)
    ways: tuple[tuple[Callable[[Path], None], Callable[[Path], object]], ...] = (
        (lambda_layer, lambda path: keras.models.load_model(path, safe_mode=False)(np.ones((1, 1)))),
        (a_pickle, lambda path: pickle.loads(path.read_bytes())),
    )
    for write, load in ways:
        write(tmp_path / "model.keras")
        with suppress(FileNotFoundError):
            Path("executed").rmdir()  # Keras may call the layer when it builds the model
        load(tmp_path / "model.keras")
        assert Path("executed").exists()


@pytest.mark.fault("a model file with a Lambda layer, at `release` and `score`", "neither opens it", NOTHING)
def test_release_and_score_load_no_model() -> None:
    code = (
        "import sys, stages.release, stages.score; print(*sorted({'keras', 'tensorflow'} & set(sys.modules)))"
    )
    assert run_in(ROOT, "python", "-c", code).stdout == "\n"


@pytest.mark.fault("provenance that is something else", SAID, NOTHING)
@pytest.mark.parametrize("made", [[], {}, {"settings": 3}, {"settings": {"pad": {}, "model": {}}}])
def test_provenance_that_predict_refuses(call: Callable[..., tuple[int, str, str]], made: Any) -> None:
    for cell in CELLS:
        (RELEASED / cell / FILE).write_text(json.dumps(made))
    status, printed, line = call("one")
    assert (status, printed) == (1, "")
    assert (
        line.startswith("predict: data/released/rnn/provenance.json is damaged (") and line.count("\n") == 1
    )


@pytest.mark.xfail(
    strict=True,
    raises=pytest.fail.Exception,
    reason="load_network unpacks whatever a model file holds; stages write none that is compressed",
)
@pytest.mark.fault("a model file that is a zip bomb", SAID, NOTHING)
def test_a_model_file_that_is_a_zip_bomb(released: Path) -> None:
    path = RELEASED / "rnn/model.keras"
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():  # spaces after JSON are no mistake
            archive.writestr(name, content + b" " * 10**6 * (name == "config.json"))
    with pytest.raises(StageError, match="is compressed"):
        load_network(path, "keras")


@pytest.mark.fault("an array that is a pickle that runs code", SAID, NOTHING)
def test_pickles_among_arrays_do_not_run(tmp_path: Path) -> None:
    trap, file = np.empty(1, object), tmp_path / "array.npy"
    trap[0] = Trap(tmp_path / "executed")
    np.save(file, trap)
    with pytest.raises(StageError, match=r"array\.npy is damaged"):
        load_array(file)
    file.write_bytes(pickle.dumps(trap[0]))
    with pytest.raises(StageError, match=r"array\.npy is damaged"):
        load_array(file)
    assert not (tmp_path / "executed").exists()
    np.load(file, allow_pickle=True)
    assert (tmp_path / "executed").exists()  # the trap works


TOKENS, LABELS = np.full((4, 6), 3, np.int32), np.array([0, 1, 0, 1], np.uint8)
UNCHECKED = pytest.mark.xfail(
    strict=True,
    raises=pytest.fail.Exception,
    reason="`load_array`, `load_padded` and `load_ranks` look at no types",
)


@UNCHECKED
@pytest.mark.fault("an archive in the place of an array", SAID, NOTHING)
def test_an_archive_is_no_array(tmp_path: Path) -> None:
    np.savez(tmp_path / "array.npz", LABELS)
    (tmp_path / "array.npz").rename(tmp_path / "array.npy")
    with pytest.raises(StageError, match="damaged"):
        load_array(tmp_path / "array.npy")


@UNCHECKED
@pytest.mark.fault("padded reviews with {what}", SAID, NOTHING)
@pytest.mark.parametrize(
    ("what", "tokens", "labels"),
    [
        ("tokens that are no whole numbers", TOKENS.astype(np.float32), LABELS),
        ("tokens below zero", -TOKENS, LABELS),
        ("tokens that are no table", TOKENS[0], LABELS),
        ("fewer labels than reviews", TOKENS, LABELS[:3]),
        ("labels other than 0 and 1", TOKENS, LABELS + 1),
    ],
)
def test_padded_reviews_that_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, tokens: np.ndarray, labels: np.ndarray
) -> None:
    monkeypatch.chdir(tmp_path)
    (PADDED / "tuned").mkdir(parents=True)
    for split in ("train", "validation", "test"):
        np.save(PADDED / "tuned" / f"{split}_tokens.npy", tokens)
        np.save(PADDED / "tuned" / f"{split}_labels.npy", labels)
    with pytest.raises(StageError, match=r"train_(tokens|labels)\.npy is damaged"):
        load_padded("tuned")


@pytest.mark.xfail(
    strict=True, raises=(AttributeError, pytest.fail.Exception), reason=UNCHECKED.kwargs["reason"]
)
@pytest.mark.fault("a word index that maps words to something else than ranks", SAID, NOTHING)
@pytest.mark.parametrize("ranks", [["one"], {"one": "two"}, {"one": 10**30}])
def test_a_word_index_that_is_none(released: Path, ranks: Any) -> None:
    (RAW / "word_index.json").write_text(json.dumps(ranks))
    with pytest.raises(StageError, match=r"word_index\.json is damaged"):
        load_ranks()


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
