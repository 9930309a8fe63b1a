"""Predictions for raw text: split as the reviews were, the models' own, every form, every mistake.

The models are not trained, only random; what they predict is compared with what Keras predicts.
"""

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

from stages.download import download
from stages.film_groups import film_groups
from stages.networks.models import build_model, save_model
from stages.networks.provenance import FILE
from stages.pad import pad
from stages.params.recipe import CELLS, load_recipe
from stages.reviews import text as text_module
from stages.reviews.encoding import encode, load_raw, pad_rows
from stages.reviews.text import FILTERS, batches, split_words, token_rows
from stages.runtime.files import RAW, RELEASED, json_text, load_json, load_padded, run_folder
from stages.tools import predict as module
from tests.conftest import PAD, ROOT

RECIPES = ("notebook", "tuned")
RELEASED_RECIPE = "tuned"  # which the tests' parameters release


def words_of(text: str, **changes: Any) -> list[str]:
    return [word.decode() for word in split_words(text, PAD.model_copy(update={"maxlen": 99, **changes}))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A wonderful film!", "a wonderful film"),
        ("Don't, 'DON'T' or '80s", "don't 'don't' or '80s"),
        ("well-made,10/10.<br /><br />See it", "well made 10 10 br br see it"),
        ("snake_case {x} [y] a\\b #1 50% e@mail", "snake case x y a b 1 50 e mail"),
        (" \ttabs\tand\nlines\r\n ", "tabs and lines"),
        ("Café CAFÉ À à Ångström", "café cafÉ À à Ångström"),  # A to Z alone becomes lower-case
        ("that’s “it” – 3…", "that’s “it” – 3…"),  # typographic punctuation stays
    ],
)
def test_texts_are_split_as_the_reviews_were(text: str, expected: str) -> None:
    assert words_of(text) == expected.split(" ")


def test_white_space_of_words_in_the_reviews_stays() -> None:
    assert words_of("10\xa0 film\x85and \x96 \x1c") == ["10\xa0", "film\x85and", "\x96", "\x1c"]


@pytest.mark.parametrize("text", ["", "  \t ", "...!?", "-"])
def test_texts_without_words(text: str) -> None:
    assert words_of(text) == []


def test_words_are_those_of_keras_tokenizer() -> None:
    filters = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'  # the Tokenizer's default
    assert set(FILTERS.decode()) == set(filters) - set("\t\n")
    random = np.random.default_rng(0)
    alphabet = [chr(code) for code in range(32, 127)] + list("\t\n'éßñ   ")
    for _ in range(200):
        text = "".join(random.choice(alphabet, size=40))
        spaced = text.lower().translate(str.maketrans(filters, " " * len(filters)))
        assert words_of(text) == [word for word in spaced.split(" ") if word]


@pytest.mark.parametrize("truncating", ["pre", "post"])
@pytest.mark.parametrize("padding", ["pre", "post"])
@pytest.mark.parametrize("maxlen", [1, 2, 5, 12])
def test_cutting_before_the_ranks_changes_no_row(truncating: str, padding: str, maxlen: int) -> None:
    settings = PAD.model_copy(update={"truncating": truncating, "padding": padding, "maxlen": maxlen})
    # five is the first without a token, six has no rank
    ranks = {b"one": 1, b"two": 2, b"four": 4, b"five": 5}
    texts = [
        "one two",
        "",
        "four five six one  two four. One",
        " two",
        "one two four five six",
        "one two four",
    ]
    words = [split_words(text, settings) for text in texts]
    assert max(map(len, words)) <= maxlen
    every = [[ranks.get(word.encode(), 999) for word in words_of(text)] for text in texts]
    flat = np.array([rank for each in every for rank in each], np.int32)
    tokens = encode(flat, np.cumsum([0, *map(len, every)]), settings.num_words)
    expected = pad_rows(*tokens, maxlen, padding, truncating).tolist()
    assert token_rows(words, ranks, settings).tolist() == expected


def test_texts_come_in_batches_and_no_sooner_than_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_module, "BATCH_TEXTS", 3)
    monkeypatch.setattr(text_module, "BATCH_CHARACTERS", 10)
    texts = iter(["a", "", "b", "c" * 50, "d", "e" * 9, "f"])
    found = batches(texts)
    assert next(found) == ["a", "", "b"]
    assert next(texts) == "c" * 50  # not taken yet
    assert list(found) == [["d", "e" * 9], ["f"]]
    assert list(batches(["c" * 50, "d"])) == [["c" * 50], ["d"]]
    assert list(batches([])) == []


def save_random(name: str, cell: str, random: np.random.Generator, folder: Path) -> None:
    """Save a random model of the recipe `name`, and what Keras predicts with it for the test reviews."""
    recipe = load_recipe(name)
    model = build_model(cell, recipe.pad.num_words, recipe.model)
    model.set_weights([random.normal(size=w.shape, scale=1.5) for w in model.get_weights()])
    folder.mkdir(parents=True)
    save_model(model, folder / "model.keras")
    (folder / FILE).write_text(json_text({"settings": recipe.settings(cell)}))
    predicted = model.predict(load_padded(name)["test"].tokens, verbose=0)[:, 0]
    np.save(folder / "test_probabilities.npy", predicted)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, small_params: dict[str, Any], mirror: Path) -> Path:
    """A project folder with the generated reviews, padded, and random models with Keras' predictions."""
    params = json.loads(json.dumps(small_params))
    folder = tmp_path_factory.mktemp("predict")
    for name in RECIPES:
        params[name]["pad"] |= {"num_words": 25}  # of 29 words
        params[name]["model"] |= {"units": 4, "embedding_dim": 3}
    with (folder / "params.yaml").open("w") as file:
        YAML(typ="safe", pure=True).dump(params, file)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        download()
        film_groups()
        random = np.random.default_rng(0)
        for name in RECIPES:
            pad(name)
            for cell in CELLS:
                save_random(name, cell, random, run_folder(name, cell, 0))
        for cell in CELLS:  # other models than those of seed 0
            save_random(RELEASED_RECIPE, cell, random, RELEASED / cell)
    return folder


@pytest.fixture
def call(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., str]]:
    """What the command prints, in the project's folder."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "40")
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def call(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["predict", *arguments])
        module.main()
        return capsys.readouterr().out

    yield call
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def refused(call: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> Callable[..., None]:
    """Asserts that the command ends with a status and one line on standard error, having printed nothing."""

    def refused(status: int, said: str, *arguments: str) -> None:
        with pytest.raises(SystemExit) as ended:
            call(*arguments)
        printed = capsys.readouterr()
        assert (ended.value.code, printed.out) == (status, "")
        assert said in printed.err and len(printed.err.splitlines()) == 1, printed.err

    return refused


@pytest.fixture
def reviews(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The generated test reviews as text."""
    monkeypatch.chdir(folder)
    of_rank = {rank: word for word, rank in load_json(RAW / "word_index.json").items()}
    tokens, offsets = load_raw("test", "tokens"), load_raw("test", "offsets")
    return [" ".join(of_rank[rank] for rank in each.tolist()) for each in np.split(tokens, offsets[1:-1])]


@pytest.mark.parametrize(
    ("arguments", "models"),
    [
        (["--recipe", "notebook"], "data/models/notebook/{cell}-0"),
        (["--recipe", "tuned"], "data/models/tuned/{cell}-0"),
        ([], "data/released/{cell}"),
    ],
)
@pytest.mark.parametrize("few", [1000, 7])  # NumPy alone; XLA but for the last part
def test_predictions_are_those_of_keras(
    call: Callable[..., str],
    reviews: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    models: str,
    few: int,
) -> None:
    monkeypatch.setattr(module, "FEW", few)
    monkeypatch.setattr(text_module, "BATCH_TEXTS", 27)  # two parts of 27 and one of 6
    file = tmp_path / "reviews.txt"
    file.write_text("\n".join(reviews))
    predictions = list(csv.DictReader(io.StringIO(call(*arguments, "--file", str(file), "--csv"))))
    assert [row["text"] for row in predictions] == reviews
    for cell in CELLS:
        expected = np.load(Path(models.format(cell=cell)) / "test_probabilities.npy")
        assert expected.std() > 0.02
        assert [float(row[cell]) for row in predictions] == pytest.approx(expected, abs=2e-6)


def test_json_csv_and_table_say_the_same(call: Callable[..., str]) -> None:
    texts = ["Word5, word6!", "", 'naïve\nword7 "x"', "..."]
    by_line = [json.loads(line) for line in call("--json", *texts).splitlines()]
    assert [list(each) for each in by_line] == [["text", "rnn", "lstm"]] * 4
    assert [each["text"] for each in by_line] == texts
    assert [each["rnn"] is None for each in by_line] == [False, True, False, True]
    header, *by_row = csv.reader(io.StringIO(call("--csv", *texts)))
    assert header == ["text", "rnn", "lstm"]
    for row, each in zip(by_row, by_line, strict=True):
        values = ["" if each[cell] is None else f"{each[cell]:.6f}" for cell in CELLS]
        assert row == [each["text"], *values]
    assert call(*texts).splitlines() == [
        "  rnn   lstm  text",
        f"{by_line[0]['rnn']:.3f}  {by_line[0]['lstm']:.3f}  Word5, word6!",
        "    -      -",
        f'{by_line[2]["rnn"]:.3f}  {by_line[2]["lstm"]:.3f}  naïve word7 "x"',
        "    -      -  ...",
    ]


def test_csv_has_a_row_per_text_whatever_is_in_it(call: Callable[..., str]) -> None:
    texts = ["word5\rword6", 'a,b "c"', "word5\nword6"]
    rows = list(csv.reader(io.StringIO(call("--csv", *texts), newline="")))
    assert [row[0] for row in rows] == ["text", "word5 word6", *texts[1:]]


def test_the_table_fits_the_terminal(call: Callable[..., str]) -> None:
    _, long, escape = call("word5 " * 50, "\x1b[31mword5").splitlines()
    assert len(long) == 40 and long.endswith("  word5 word5 word5 word5 w…")
    assert escape.endswith("  [31mword5")


def test_files_and_pipes(call: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "texts"
    file.write_bytes(b"\xef\xbb\xbfword5 word6\r\n\nword7")
    predictions = call("word5 word6", "", "word7", "--csv")
    assert call("--file", str(file), "--csv") == predictions
    for arguments in ((), ("--file", "-")):
        with file.open() as pipe:
            monkeypatch.setattr(sys, "stdin", pipe)
            assert call(*arguments, "--csv") == predictions
    file.write_bytes(b"")
    assert call("--file", str(file), "--csv") == "text,rnn,lstm\n"
    assert call("--file", str(file), "--json") == call("--file", str(file), "--json", "--explain") == ""


def test_a_reading_has_the_predictions_for_the_texts_beginnings(call: Callable[..., str]) -> None:
    own = ["word5", "word24", "film", "word24"]  # the last three are out of vocabulary
    read = json.loads(call("--explain", "--json", " ".join(own)))
    assert read["words"] == ["<start>", "word5", "<word24>", "<film>", "<word24>"]
    beginnings = [" ".join(own[: i + 1]) for i in range(len(own))]
    predictions = [json.loads(line) for line in call("--json", *beginnings).splitlines()]
    for cell in CELLS:
        assert read[cell]["after_word"][1:] == pytest.approx([each[cell] for each in predictions], abs=1e-4)
        assert read[cell]["final"] == read[cell]["after_word"][-1]
    table = call("--explain", "  ".join(own)).splitlines()
    assert table[:2] == ["word5 word24 film word24", "  rnn   lstm  after"]
    assert [line.split("  ")[-1] for line in table[2:]] == [*read["words"], "= prediction", ""]
    last = f"{read['rnn']['final']:.3f}  {read['lstm']['final']:.3f}"
    assert table[-2] == f"{last}  = prediction" and table[-3].startswith(last)


def test_a_reading_shows_the_words_that_are_read(call: Callable[..., str]) -> None:
    long = [f"word{5 + i % 3}" for i in range(30)]  # of which 20 fit
    read = json.loads(call("--explain", "--json", " ".join(long)))
    assert read["words"] == long[-20:] and len(read["rnn"]["after_word"]) == 20
    padded = json.loads(call("--explain", "--json", "--recipe", "notebook", "word5 word6"))
    (answer,) = (
        json.loads(line) for line in call("--json", "--recipe", "notebook", "word5 word6").splitlines()
    )
    for cell in CELLS:  # which read zeros after the text
        assert padded[cell]["final"] == pytest.approx(answer[cell], abs=1e-4)
        assert padded[cell]["final"] != padded[cell]["after_word"][-1]


@pytest.mark.parametrize(
    ("truncating", "maxlen", "shown"),
    [
        ("pre", 6, ["<start>", "word5", "<six>", "word7"]),
        ("pre", 3, ["word5", "<six>", "word7"]),
        ("pre", 1, ["word7"]),
        ("post", 3, ["<start>", "word5", "<six>"]),
        ("post", 1, ["<start>"]),
    ],
)
def test_the_words_of_a_reading_are_those_of_the_row(
    call: Callable[..., str], truncating: str, maxlen: int, shown: list[str]
) -> None:
    models = module.Models({cell: RELEASED / cell for cell in CELLS})
    models.pad = models.pad.model_copy(update={"truncating": truncating, "maxlen": maxlen})
    reading = models.reading("Word5, six word7!")
    assert reading["words"] == shown
    assert all(len(reading[cell]["after_word"]) == len(shown) for cell in CELLS)


def test_a_reading_of_nothing(call: Callable[..., str]) -> None:
    assert json.loads(call("--explain", "--json", "")) == {"text": "", "words": [], "rnn": None, "lstm": None}
    assert call("--explain", "?").splitlines() == [
        "?",
        "  rnn   lstm  after",
        "    -      -  = prediction",
        "",
    ]


def test_wrong_arguments(refused: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    refused(2, "argument --seed: invalid int value: 'one'", "x", "--seed", "one")
    refused(2, "give texts or --file, not both", "x", "--file", "y")
    refused(2, "argument --csv: not allowed with argument --json", "x", "--json", "--csv")
    refused(2, "--explain prints a table or, with --json, JSON, but no CSV", "x", "--explain", "--csv")
    monkeypatch.setattr(sys, "stdin", None)
    refused(2, "give texts, --file, or a pipe on standard input")


@pytest.mark.fault(
    "texts for `predict` that are missing, a folder, or not UTF-8",
    "a line names file, line and byte, exit status 1",
    "everything",
)
def test_texts_that_cannot_be_read(
    refused: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused(1, f"predict: {tmp_path}/none cannot be read: No such file", "--file", f"{tmp_path}/none")
    refused(1, f"predict: {tmp_path} cannot be read: Is a directory", "--file", str(tmp_path))
    latin = tmp_path / "latin"
    latin.write_bytes("word5\nä word6\ncafé\n".encode().replace("café".encode(), b"caf\xe9"))
    refused(1, f"predict: {latin}, line 3, byte 4 is 0xe9, which is not UTF-8", "--file", str(latin))
    with latin.open() as pipe:
        monkeypatch.setattr(sys, "stdin", pipe)
        refused(1, "predict: standard input, line 3, byte 4 is 0xe9, which is not UTF-8")
    refused(1, "predict: text 2, byte 3 is 0xe9, which is not UTF-8", "x", "ä\udce9")  # as Python has argv
    many = ["word5"] * 21
    refused(1, "predict: --explain takes 20 texts at most", "--explain", *many)


def test_what_is_predicted_before_a_mistake_is_printed(
    call: Callable[..., str],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(text_module, "BATCH_TEXTS", 2)
    file = tmp_path / "texts"
    file.write_bytes(b"word5\nword6\n\xff\n")
    with pytest.raises(SystemExit):
        call("--file", str(file), "--json")
    assert [json.loads(line)["text"] for line in capsys.readouterr().out.splitlines()] == ["word5", "word6"]


@pytest.mark.fault(
    "`predict` before anything is trained",
    "a line names the file that is missing, exit status 1",
    "everything",
)
def test_what_the_pipeline_has_not_made(
    refused: Callable[..., None], folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = "does not exist: run the stages before this one, `dvc repro` runs all"
    refused(1, f"predict: data/models/prepadded/rnn-0/model.keras {said}", "x", "--recipe=prepadded")
    recipes = "recipe 'other' is not in params.yaml, which has long, notebook, prepadded, tuned"
    refused(1, f"predict: {recipes}", "x", "--recipe=other")
    refused(1, f"predict: data/models/tuned/rnn-7/model.keras {said}", "x", "--seed=7")
    monkeypatch.chdir(tmp_path)
    refused(1, f"predict: data/released/rnn/model.keras {said}", "x")
    refused(1, "predict: params.yaml cannot be read: run this in the project's root folder", "x", "--seed=0")
    shutil.copytree(folder / "data/released", "data/released")
    refused(1, f"predict: data/raw/word_index.json {said}", "x")
    (RELEASED / "lstm/model.keras").unlink()
    refused(1, f"predict: data/released/lstm/model.keras {said}", "x")


@pytest.mark.fault(
    "models of different settings, side by side",
    "`predict` refuses them, exit status 1",
    "everything",
)
def test_models_of_different_settings_are_refused(
    refused: Callable[..., None], folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shutil.copytree(folder / "data", tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    file = RELEASED / "lstm" / FILE
    made = load_json(file)
    made["settings"]["pad"]["maxlen"] = 7
    file.write_text(json_text(made))
    paths = "data/released/rnn/model.keras and data/released/lstm/model.keras"
    refused(1, f"predict: {paths} were trained with different settings: `dvc repro` trains them anew", "x")


def test_params_yaml_does_not_change_what_models_are_given(
    call: Callable[..., str], folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nor does the order of its recipes decide whose models predict."""
    expected = call("--json", "word5 word6"), call("--json", "--seed=0", "word5 word6")
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    params = YAML(typ="safe", pure=True).load(Path("params.yaml"))
    params["recipes"] = ["tuned", "prepadded", "notebook"]
    params["tuned"]["pad"] |= {"padding": "post", "maxlen": 30}
    with Path("params.yaml").open("w") as file:
        YAML(typ="safe", pure=True).dump(params, file)
    assert (call("--json", "word5 word6"), call("--json", "--seed=0", "word5 word6")) == expected
    assert expected[0] != expected[1]


@pytest.mark.fault(
    "Ctrl-C at `predict`",
    "it says that it was interrupted, in one line, exit status 130",
    "the rows before it",
)
def test_an_interrupt_is_a_line(refused: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "predict", lambda *_: signal.raise_signal(signal.SIGINT))
    refused(130, "predict: interrupted", "x")


def run_module(folder: Path, *arguments: str, **streams: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-X", "importtime", "-m", "stages.tools.predict", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""}
    return subprocess.run(command, cwd=folder, env=environment, text=True, check=False, **streams)


def test_a_terminal_is_not_waited_for(folder: Path) -> None:
    terminal, ours = os.openpty()
    result = run_module(folder, stdin=ours, capture_output=True)
    os.close(terminal)
    os.close(ours)
    *imports, said = result.stderr.splitlines()
    assert (result.returncode, result.stdout) == (2, "")
    assert said.startswith("python -m stages.tools.predict: give texts, --file, or a pipe")
    assert not any("tensorflow" in line or "keras" in line for line in imports)  # they take seconds


@pytest.mark.fault(
    "nobody reads on what `predict` prints",
    "it ends in silence, exit status 141",
    "everything",
)
def test_nobody_reads_on(folder: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    result = run_module(folder, "--file", os.devnull, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert result.returncode == 141
    assert all(line.startswith("import time:") for line in result.stderr.splitlines())


def test_help_has_examples(call: Callable[..., str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        call("--help")
    assert ended.value.code == 0
    assert 'python -m stages.tools.predict "A wonderful film."' in capsys.readouterr().out
