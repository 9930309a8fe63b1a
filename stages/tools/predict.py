"""Is a text a positive review? The predictions of both trained models, side by side, for any text.

Not a stage of the pipeline: it reads what `dvc repro` has trained.
"""

import argparse
import csv
import io
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from stages.inspection.readings import reading, running_probabilities
from stages.networks.provenance import FILE
from stages.params.recipe import CELLS, Model, Pad, load_recipe
from stages.params.study import load_params
from stages.reviews.text import batches, check_utf8, load_ranks, read_lines, split_words, token_rows
from stages.runtime.command_line import Parser, protocol
from stages.runtime.errors import StageError
from stages.runtime.files import (
    OUT_OF_VOCABULARY,
    PADDING,
    RELEASED,
    RESTORE,
    START,
    damaged,
    load_json,
    missing_input,
    run_folder,
)

FEW = 200  # texts for which NumPy is done before XLA has compiled both models
EXPLAINED = 20  # texts at most

HELP = """
A file or standard input has one text per line, in UTF-8; every line gets one row. A text without a word,
such as an empty line, keeps its row, without probabilities.

Texts are split into words as the training reviews were: A to Z in lower case, ASCII punctuation left out,
don't one word. Typographic quotes and dashes stay part of their word, which the models then rarely know:
write ' and - instead. Of a long text the models read as much as they did in training (pad.maxlen and
pad.truncating in params.yaml).
"""
EXAMPLES = """\
examples:
  python -m stages.tools.predict "A wonderful film." "I want my money back."
  python -m stages.tools.predict --explain "Not as bad as they say."
  python -m stages.tools.predict --file reviews.txt --csv > predictions.csv
  zcat reviews.txt.gz | python -m stages.tools.predict --recipe NAME --seed 3 --json
"""


def main() -> None:
    """Print both models' predictions; exit as a stage does, and with 141 where nobody reads on (`| head`)."""
    arguments = parse_arguments()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # as the texts are
    with protocol("predict"):
        try:
            models = Models(model_folders(arguments.recipe, arguments.seed))
            texts = check_utf8(arguments.texts) if arguments.texts else read_lines(arguments.file)
            form = "json" if arguments.json else "csv" if arguments.csv else "table"
            (explain if arguments.explain else predict)(models, texts, form)
            sys.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is not printed yet
            sys.exit(141)


def parse_arguments() -> argparse.Namespace:
    """Return the command line's arguments; exit with status 2 where they do not go together."""
    parser = Parser(
        prog="python -m stages.tools.predict",
        description=f"{__doc__}{HELP}",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="none: standard input is read, if a pipe")
    parser.add_argument("--file", metavar="PATH", help="a text per line; - is standard input")
    parser.add_argument("--recipe", help="a recipe's models, not the released ones")
    parser.add_argument("--seed", type=int, help="this seed's models (default with --recipe: the first seed)")
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--json", action="store_true", help="print an object per line: text, rnn, lstm")
    forms.add_argument("--csv", action="store_true", help="print CSV: text,rnn,lstm")
    parser.add_argument(
        "--explain",
        action="store_true",
        help=f"print the predictions after each word, of {EXPLAINED} texts at most; "
        "<words> in brackets, but for <start>, are unknown to the models",
    )
    arguments = parser.parse_args()
    if arguments.texts and arguments.file is not None:
        parser.error("give texts or --file, not both")
    if arguments.explain and arguments.csv:
        parser.error("--explain prints a table or, with --json, JSON, but no CSV")
    if not arguments.texts and arguments.file is None and (sys.stdin is None or sys.stdin.isatty()):
        parser.error("give texts, --file, or a pipe on standard input")
    return arguments


def model_folders(recipe: str | None, seed: int | None) -> dict[str, Path]:
    """Return each cell's folder: the released one, or its run of a recipe (None: the released) and a seed."""
    if recipe is None and seed is None:
        return {cell: RELEASED / cell for cell in CELLS}
    params = load_params()
    name = params.release.recipe if recipe is None else recipe
    load_recipe(name)  # says which recipes there are
    return {cell: run_folder(name, cell, params.seeds[0] if seed is None else seed) for cell in CELLS}


class Models:
    """A trained RNN and LSTM, and the settings that they were trained with, whatever params.yaml now says."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        """Raise `StageError` where a cell's folder has no model, or the two differ in what both share."""
        self.paths = {cell: folder / "model.keras" for cell, folder in folders.items()}
        for path in self.paths.values():
            if not path.is_file():
                raise missing_input(path)
        shared = [shared_settings(folder / FILE) for folder in folders.values()]
        if any(each != shared[0] for each in shared):
            paths = " and ".join(map(str, self.paths.values()))
            raise StageError(f"{paths} were trained with different settings: `dvc repro` trains them anew")
        self.pad, self.model = shared[0]
        self.ranks = load_ranks()

    @cached_property
    def networks(self) -> dict[str, Any]:
        """Each cell's `Network`."""
        # Imported here: TensorFlow takes seconds and prints lines of its own; what is wrong is said before.
        from stages.networks.models import build_model, load_network

        networks = {cell: load_network(path, "fused") for cell, path in self.paths.items()}
        for cell, network in networks.items():
            check_weights(self.paths[cell], network, build_model(cell, self.pad.num_words, self.model))
        return networks

    @cached_property
    def weights(self) -> dict[str, dict[str, list[np.ndarray]]]:
        """Cell → layer → its weights."""
        return {
            cell: {name: layer.get_weights() for name, layer in network.layers.items()}
            for cell, network in self.networks.items()
        }

    def words(self, text: str) -> list[bytes]:
        """Return the words of a text that the models read."""
        return split_words(text, self.pad)

    def probabilities(self, texts: Sequence[Sequence[bytes]]) -> np.ndarray:
        """Return float32 P(positive) (texts, cells) of texts, given as their words."""
        tokens = token_rows(texts, self.ranks, self.pad)
        if len(tokens) <= FEW:
            each = [
                running_probabilities(cell, weights, self.model, tokens)[:, -1]
                for cell, weights in self.weights.items()
            ]
        else:
            from stages.networks.models import PREDICTED_AT_ONCE

            # Filled up with rows of padding: XLA compiles anew for every other number of rows.
            full = np.pad(tokens, ((0, -len(tokens) % PREDICTED_AT_ONCE), (0, 0)))
            each = [network.probabilities(full)[: len(tokens)] for network in self.networks.values()]
        return np.stack(each, axis=1)

    def reading(self, text: str) -> dict[str, Any]:
        """Return the words that the models read, with unknown ones in <>, and `readings.reading` of them."""
        words = self.words(text)
        if not words:
            return {"words": [], **dict.fromkeys(CELLS)}
        (row,) = token_rows([words], self.ranks, self.pad)
        tokens = row[row != PADDING].tolist()
        shown = ["<start>"] * (START in tokens) + [word.decode() for word in words]
        shown = [
            f"<{word}>" if token == OUT_OF_VOCABULARY else word
            for word, token in zip(shown, tokens, strict=False)  # the row's end may be cut
        ]
        return {"words": shown, **reading(self.weights, self.model, row)}


def shared_settings(file: Path) -> tuple[Pad, Model]:
    """Return the settings in a model's provenance that both cells share."""
    made = load_json(file)
    try:
        settings = made["settings"]
        return Pad.model_validate(settings["pad"]), Model.model_validate(settings["model"])
    except (LookupError, TypeError, ValueError) as error:
        raise damaged(file, error) from None


def check_weights(path: Path, network: Any, expected: Any) -> None:
    """Raise `StageError` where a network in a file has not the layers and shapes of the `expected` model."""
    found, wanted = (
        [(layer.name, [weight.shape for weight in layer.weights]) for layer in model.layers]
        for model in (network.model, expected)
    )
    if found != wanted:
        raise StageError(f"{path} is no model of the settings in {path.with_name(FILE)}: {RESTORE}")
    if not all(np.isfinite(weights).all() for weights in network.model.get_weights()):
        raise StageError(f"{path} has weights that are no finite numbers: {RESTORE}")


def predict(models: Models, texts: Iterable[str], form: str) -> None:
    """Print what two models predict for each text: a `form` of table, csv or json."""
    pending = batches(texts)
    first = next(pending, [])  # what cannot be read is said before anything is printed
    write = writer(form)
    for batch in filter(None, chain([first], pending)):
        words = [models.words(text) for text in batch]
        probabilities = models.probabilities(words).tolist()
        for text, known, each in zip(batch, words, probabilities, strict=True):
            write(text, each if known else [None] * len(CELLS))
        sys.stdout.flush()


def explain(models: Models, texts: Iterable[str], form: str) -> None:
    """Print what the two models would predict after each word of each text: a `form` of table or json."""
    few = list(islice(texts, EXPLAINED + 1))
    if len(few) > EXPLAINED:
        raise StageError(f"--explain takes {EXPLAINED} texts at most")
    for text in few:
        write_reading(form, text, models.reading(text))


def writer(form: str) -> Callable[[str, Sequence[float | None]], None]:
    """Print the form's header; return what prints a text and both cells' P(positive), None without one."""
    if form == "json":

        def write(text: str, probabilities: Sequence[float | None]) -> None:
            rounded = [each if each is None else round(each, 6) for each in probabilities]
            print_json({"text": text, **dict(zip(CELLS, rounded, strict=True))})

    elif form == "csv":
        table = csv.writer(sys.stdout, lineterminator="\n")
        table.writerow(["text", *CELLS])

        def write(text: str, probabilities: Sequence[float | None]) -> None:
            shown = text.replace("\r", " ")  # which csv, before Python 3.13, does not quote
            table.writerow([shown, *("" if each is None else f"{each:.6f}" for each in probabilities)])

    else:
        print_row(CELLS, "text")

        def write(text: str, probabilities: Sequence[float | None]) -> None:
            print_row(["-" if each is None else f"{each:.3f}" for each in probabilities], text)

    return write


def write_reading(form: str, text: str, result: Mapping[str, Any]) -> None:
    """Print a text and its `Models.reading`."""
    if form == "json":
        print_json({"text": text, **result})
        return
    print(fitted(text, 0))
    print_row(CELLS, "after")
    after = zip(*(result[cell]["after_word"] for cell in CELLS), strict=True) if result["words"] else ()
    for word, each in zip(result["words"], after, strict=True):
        print_row([f"{p:.3f}" for p in each], word)
    print_row([f"{result[cell]['final']:.3f}" if result[cell] else "-" for cell in CELLS], "= prediction")
    print()


def print_json(value: Mapping[str, Any]) -> None:
    """Print `value` as one line of JSON."""
    print(json.dumps(value, ensure_ascii=False))


def print_row(numbers: Iterable[str], text: str) -> None:
    """Print the columns of a table, the text in one line that is not wider than the terminal."""
    columns = "".join(f"{number:>5}  " for number in numbers)
    print((columns + fitted(text, len(columns))).rstrip())


def fitted(text: str, used: int) -> str:
    """Return as much of the text as fits into the terminal's line, of which `used` columns are taken."""
    width = max(shutil.get_terminal_size().columns - used, 20)
    beginning = "".join(char if char.isprintable() else " " for char in text[: 4 * width])
    shown = " ".join(beginning.split())
    return shown if len(shown) <= width else f"{shown[: width - 1]}…"


if __name__ == "__main__":
    main()
