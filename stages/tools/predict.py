"""Is a text a positive review? The answers of both trained nets, side by side, for any text.

No stage of the pipeline: it reads what `dvc repro` has trained.
"""

import argparse
import csv
import io
import json
import os
import shutil
import string
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from stages import StageError
from stages.runtime.command_line import Parser, not_among
from stages.runtime.files import PADDED, PADDING, RAW, load_array, load_text, not_there, run_folder
from stages.inspect_models import CELLS, Weights, answers, reading
from stages.pad import OUT_OF_VOCABULARY, encode, pad_rows
from stages.pairs import with_pairs
from stages.params.study import Model, Pad, Recipe, load_params
from stages.release import RELEASED

# What the Tokenizer of Keras, which split the reviews, takes for spaces: not the apostrophe. bytes.split
# adds the ASCII white space; no word of the reviews has any.
FILTERED = b'!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'
# Only ASCII letters become small: the reviews' words are `à` and `À`, `amélie` and `amÉlie`.
FOLDED = bytes.maketrans(
    string.ascii_uppercase.encode() + FILTERED, string.ascii_lowercase.encode() + b" " * len(FILTERED)
)
AT_ONCE = 2000  # texts that are read, answered and printed together …
CHARACTERS = 2**24  # … or fewer, as soon as they have so many
FEW = 200  # texts that NumPy has answered before XLA has compiled both nets
EXPLAINED = 20  # texts at most

HELP = """
A file or standard input has one text per line, in UTF-8; every line is answered by one row. A text
without a word, such as an empty line, keeps its row, without probabilities.

Texts are split into words as the training reviews were: A to Z in lower case, ASCII punctuation left out,
don't one word. Typographic quotes and dashes stay part of their word, which the nets then hardly know:
write ' and - instead. Of a long text the nets read as much as they did in training (pad.length and
pad.truncating in params.yaml).
"""
EXAMPLES = """\
examples:
  python -m stages.tools.predict "A wonderful film." "I want my money back."
  python -m stages.tools.predict --explain "Not as bad as they say."
  python -m stages.tools.predict --file reviews.txt --csv > answers.csv
  zcat reviews.txt.gz | python -m stages.tools.predict --recipe notebook --seed 3 --json
"""


def main() -> None:
    """Print both models' answers; exit as a stage does, and with 141 where nobody reads on, as `| head`."""
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
        help=f"print the answers after each word, of {EXPLAINED} texts at most; "
        "<words> in brackets are unknown to the nets",
    )
    arguments = parser.parse_args()
    if arguments.texts and arguments.file is not None:
        parser.error("give texts or --file, not both")
    if arguments.explain and arguments.csv:
        parser.error("--explain prints a table or, with --json, JSON, but no CSV")
    if not arguments.texts and arguments.file is None and (sys.stdin is None or sys.stdin.isatty()):
        parser.error("give texts, --file, or a pipe on standard input")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")  # as the texts are
    try:
        params = load_params()
        name = params.recipes[-1] if arguments.recipe is None else arguments.recipe
        seed = arguments.seed  # None: the released models
        if seed is None and arguments.recipe is not None:
            seed = params.seeds[0]
        if name not in params.blocks:
            parser.error(not_among("recipe", name, params.blocks))
        if seed is not None and seed not in params.seeds:
            parser.error(not_among("seed", seed, params.seeds))
        texts = checked(arguments.texts) if arguments.texts else lines(arguments.file)
        form = "json" if arguments.json else "csv" if arguments.csv else "table"
        answer = explain if arguments.explain else predict
        answer(name, params.blocks[name], seed, texts, form)
        sys.stdout.flush()
    except StageError as error:
        print(f"predict: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("predict: interrupted", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is not printed yet
        sys.exit(141)


def predict(name: str, recipe: Recipe, seed: int | None, texts: Iterable[str], form: str) -> None:
    """Print what two models of the recipe `name` answer to each text: a `form` of table, csv or json.

    Those of a seed, or the released ones (None).
    """
    ranks, pairs, paths = load_ranks(), load_pairs(name, recipe.pad), model_paths(name, seed)
    pending = parts(texts)
    first = next(pending, [])
    nets = load_nets(name, recipe, paths) if first else {}
    write = writer(form)
    for part in filter(None, chain([first], pending)):
        reviews = [words(text, recipe.pad) for text in part]
        answered = probabilities(nets, recipe.model, rows(reviews, ranks, pairs, recipe.pad)).tolist()
        for text, review, answer in zip(part, reviews, answered, strict=True):
            write(text, answer if review else [None] * len(CELLS))
        sys.stdout.flush()


def explain(name: str, recipe: Recipe, seed: int | None, texts: Iterable[str], form: str) -> None:
    """Print what the two models would answer after each word of each text: a `form` of table or json."""
    ranks, pairs, paths = load_ranks(), load_pairs(name, recipe.pad), model_paths(name, seed)
    few = list(islice(texts, EXPLAINED + 1))
    if len(few) > EXPLAINED:
        raise StageError(f"--explain takes {EXPLAINED} texts at most")
    nets = load_nets(name, recipe, paths) if few else {}
    weights = {cell: layer_weights(net) for cell, net in nets.items()}
    for text in few:
        write_explained(form, text, explained(weights, recipe, text, ranks, pairs))


def checked(texts: Sequence[str]) -> Sequence[str]:
    """Return `texts`, from the command line; raises `StageError` where one is not UTF-8."""
    for number, text in enumerate(texts, 1):
        try:
            text.encode()
        except UnicodeEncodeError as error:  # Python keeps such a byte as 0xdc00 + byte
            position, byte = len(text[: error.start].encode()), ord(text[error.start]) & 0xFF
            raise _not_utf8(f"text {number}", position, byte) from None
    return texts


def lines(path: str | None) -> Iterator[str]:
    """Yield the lines of a file, or of standard input (- or None), one at a time and without their ends.

    Raises `StageError` where it cannot be read or is not UTF-8.
    """
    own = path in (None, "-")
    name = "standard input" if own else str(path)
    try:
        with (
            sys.stdin.buffer if own else Path(name).open("rb") as file,
            tqdm(
                desc=f"predict: {name}",
                total=os.fstat(file.fileno()).st_size or None,
                unit="B",
                unit_scale=True,
                disable=sys.stdout.isatty() or None,  # there the answers show how far it is
                leave=False,
            ) as progress,
        ):
            for number, line in enumerate(file, 1):
                progress.update(len(line))
                try:
                    text = line.decode().rstrip("\r\n")
                except UnicodeDecodeError as error:
                    raise _not_utf8(f"{name}, line {number}", error.start, line[error.start]) from None
                yield text.removeprefix("\ufeff") if number == 1 else text  # the byte order mark
    except OSError as error:
        raise StageError(f"{name} cannot be read: {error.strerror}") from None


def _not_utf8(where: str, position: int, byte: int) -> StageError:
    return StageError(f"{where}, byte {position + 1} is 0x{byte:02x}, which is not UTF-8: convert the text")


def parts(texts: Iterable[str]) -> Iterator[list[str]]:
    """Yield the texts in lists of AT_ONCE, or fewer where they are long: never much more in memory."""
    part: list[str] = []
    characters = 0
    for text in texts:
        part.append(text)
        characters += len(text)
        if len(part) == AT_ONCE or characters >= CHARACTERS:
            yield part
            part, characters = [], 0
    if part:
        yield part


def load_ranks() -> dict[bytes, int]:
    """Return each word's rank, from 1, the words as UTF-8."""
    return {word.encode(): rank for word, rank in json.loads(load_text(RAW / "word_index.json")).items()}


def load_pairs(name: str, settings: Pad) -> np.ndarray:
    """Return the pairs of words that have a token of their own, as stage `pad` has chosen them."""
    return load_array(PADDED / name / "pairs.npy") if settings.pairs else np.empty(0, np.int64)


def words(text: str, settings: Pad) -> list[bytes]:
    """Return the text's words, as the reviews were split; of more than fit a row, those that stay.

    And one more: a pair may stay whose first word does not.
    """
    folded, most = text.encode().translate(FOLDED), settings.length + 1
    if settings.truncating == "pre":
        return folded.rsplit(None, most)[-most:]
    return folded.split(None, most)[:most]


def rows(
    reviews: Sequence[Sequence[bytes]], ranks: Mapping[bytes, int], pairs: np.ndarray, settings: Pad
) -> np.ndarray:
    """Return int32 tokens (reviews, length) of the reviews' words, as stage `pad` encodes and pads them."""
    tokens = encoded(reviews, ranks, pairs, settings)
    return pad_rows(*tokens, settings.length, settings.padding, settings.truncating)


def encoded(
    reviews: Sequence[Sequence[bytes]], ranks: Mapping[bytes, int], pairs: np.ndarray, settings: Pad
) -> tuple[np.ndarray, np.ndarray]:
    """Return `(tokens, offsets)` of the reviews' words, flat, before they are cut or padded."""
    single = settings.vocabulary - settings.pairs
    flat = [ranks.get(word, single) for review in reviews for word in review]  # no token has that rank
    offsets = np.cumsum([0, *map(len, reviews)])
    return with_pairs(*encode(np.array(flat, np.int32), offsets, single), pairs, single)


def model_paths(name: str, seed: int | None) -> dict[str, Path]:
    """Return each cell's model of the recipe `name`: of a seed, or the released one (None).

    Raises `StageError` where one is not there, or another recipe's are released.
    """
    paths = {
        cell: (RELEASED / cell if seed is None else run_folder(name, cell, seed)) / "model.keras"
        for cell in CELLS
    }
    for path in paths.values():
        if not path.is_file():
            raise not_there(path)
        if seed is None and (recipe := json.loads(load_text(path.parent / "run.json"))["recipe"]) != name:
            raise StageError(
                f"{path} is of {recipe}, and the last of recipes in params.yaml is {name}: "
                "`dvc repro` releases its models"
            )
    return paths


def load_nets(name: str, recipe: Recipe, paths: Mapping[str, Path]) -> dict[str, Any]:
    """Return each cell's `Net`; raises `StageError` where one is not what the recipe now says."""
    # Imported here: TensorFlow takes seconds and prints lines of its own; what is wrong is said before.
    from stages.networks.models import load_net

    nets = {cell: load_net(path, "fused") for cell, path in paths.items()}
    shape = recipe.model
    wanted = (recipe.pad.vocabulary, shape.masking, shape.activation, shape.pooling)
    for cell, net in nets.items():
        embedding, pooling = net.layers["embedding"], "mean" if "mean" in net.layers else "last"
        if (embedding.input_dim, embedding.mask_zero, net.cell.activation.__name__, pooling) != wanted:
            raise StageError(f"{paths[cell]} is older than {name} in params.yaml: `dvc repro` trains it anew")
    return nets


def layer_weights(net: Any) -> Weights:
    """Return the weights of each of a net's layers."""
    return {layer.name: layer.get_weights() for layer in net.model.layers}


def probabilities(nets: Mapping[str, Any], settings: Model, tokens: np.ndarray) -> np.ndarray:
    """Return float32 P(positive) (texts, cells) for int32 `tokens` (texts, length)."""
    if len(tokens) <= FEW:
        each = [answers(cell, layer_weights(nets[cell]), settings, tokens)[:, -1] for cell in CELLS]
    else:
        from stages.networks.models import ANSWERED_AT_ONCE

        # Filled up with rows of padding: XLA compiles anew for every other number of rows.
        full = np.pad(tokens, ((0, -len(tokens) % ANSWERED_AT_ONCE), (0, 0)))
        each = [nets[cell].probabilities(full)[: len(tokens)] for cell in CELLS]
    return np.stack(each, axis=1)


def explained(
    weights: Mapping[str, Weights],
    recipe: Recipe,
    text: str,
    ranks: Mapping[bytes, int],
    pairs: np.ndarray,
) -> dict[str, Any]:
    """Return `inside.reading` of a text in its own words; those that are out of vocabulary stand in <>.

    After a pair of words that has a token of its own, both stand once more.
    """
    review = words(text, recipe.pad)
    if not review:
        return {"words": [], **dict.fromkeys(CELLS)}
    settings = recipe.pad
    tokens, offsets = encoded([review], ranks, pairs, settings)
    (row,) = pad_rows(tokens, offsets, settings.length, settings.padding, settings.truncating)
    own = iter(["<start>", *(word.decode() for word in review)])
    single: list[str] = []
    shown = []
    for token in tokens.tolist():
        if token >= settings.vocabulary - settings.pairs:
            shown.append(" ".join(single[-2:]))
        else:
            word = next(own)
            single.append(f"<{word}>" if token == OUT_OF_VOCABULARY else word)
            shown.append(single[-1])
    read = row[row != PADDING].tolist()
    shown = shown[-len(read) :] if settings.truncating == "pre" else shown[: len(read)]
    return reading(weights, recipe.model, row, dict(zip(read, shown, strict=True))) | {"words": shown}


def writer(form: str) -> Callable[[str, Sequence[float | None]], None]:
    """Print the form's header; return what prints a text and both cells' P(positive), None without one."""
    if form == "json":

        def write(text: str, answer: Sequence[float | None]) -> None:
            rounded = [each if each is None else round(each, 6) for each in answer]
            print_json({"text": text, **dict(zip(CELLS, rounded, strict=True))})

    elif form == "csv":
        table = csv.writer(sys.stdout, lineterminator="\n")
        table.writerow(["text", *CELLS])

        def write(text: str, answer: Sequence[float | None]) -> None:
            shown = text.replace("\r", " ")  # which csv, before Python 3.13, does not quote
            table.writerow([shown, *("" if each is None else f"{each:.6f}" for each in answer)])

    else:
        print_row(CELLS, "text")

        def write(text: str, answer: Sequence[float | None]) -> None:
            print_row(["-" if each is None else f"{each:.3f}" for each in answer], text)

    return write


def write_explained(form: str, text: str, result: Mapping[str, Any]) -> None:
    """Print a text and what `explained` returns of it."""
    if form == "json":
        print_json({"text": text, **result})
        return
    print(fitted(text, 0))
    print_row(CELLS, "after")
    after = zip(*(result[cell]["after_word"] for cell in CELLS), strict=True) if result["words"] else ()
    for word, each in zip(result["words"], after, strict=True):
        print_row([f"{p:.3f}" for p in each], word)
    print_row([f"{result[cell]['final']:.3f}" if result[cell] else "-" for cell in CELLS], "= the answer")
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
