"""The command line of every stage and tool: arguments in, one line per mistake out."""

import argparse
import inspect
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from stages.runtime import processor
from stages.runtime.errors import StageError

INTERRUPTED = 128 + signal.SIGINT
ARGUMENTS: dict[str, dict[str, Any]] = {
    "recipe": {"help": "the name of a recipe's block in params.yaml"},
    "cell": {"help": "rnn or lstm"},
    "seed": {"type": int, "help": "initial weights, order of batches and dropout follow from it"},
    "out": {"type": Path, "help": "the folder to write"},
    "reviews": {"help": "the name of padded reviews and word vectors; default: the recipe's"},
    "set": {
        "action": "extend",
        "nargs": "+",
        "metavar": "NAME=VALUE",
        "help": "settings that differ from the recipe's; may be repeated",
    },
}


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, where argparse prints the usage as well."""

    def error(self, message: str) -> NoReturn:
        """Exit with status 2."""
        self.exit(2, f"{self.prog}: {message}; --help explains\n")


def stage_main(stage: Callable[..., None], own: Mapping[str, dict[str, Any]] | None = None) -> None:
    """Run a stage with the arguments that its signature names: those of ARGUMENTS, and its `own`.

    A parameter with a default is an option, one that is keyword-only an option that must be given.
    Exits as `protocol` says.
    """
    known = {**ARGUMENTS, **(own or {})}
    parser = Parser(prog=f"python -m stages.{stage.__name__}", description=inspect.getdoc(stage))
    for name, parameter in inspect.signature(stage).parameters.items():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            parser.add_argument(f"--{name}", required=True, **known[name])
        elif parameter.default is inspect.Parameter.empty:
            parser.add_argument(name, **known[name])
        else:
            parser.add_argument(f"--{name}", default=parameter.default, **known[name])
    arguments = parser.parse_args()
    with protocol(stage.__name__):
        processor.warn()
        stage(**vars(arguments))


@contextmanager
def protocol(name: str, interrupted: str = "interrupted") -> Iterator[None]:
    """End the process as users expect, with one line on standard error that opens with `name`.

    Status 1: the parameters or inputs are at fault (`StageError`), a file cannot be read or written, or
    memory is short.
    Status 130 or 143: Ctrl-C or a request to end; `interrupted` says what was kept.
    """

    def leave(number: int, _: FrameType | None) -> None:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)  # it is on its way
        sys.exit(128 + number)

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, leave)
    try:
        yield
    except (StageError, OSError, MemoryError) as error:
        print(f"{name}: {_reason(error)}", file=sys.stderr)
        sys.exit(1)
    except SystemExit as end:
        if end.code in (INTERRUPTED, 128 + signal.SIGTERM):
            print(f"{name}: {interrupted}", file=sys.stderr)
        raise


def _reason(error: Exception) -> str:
    """Return what went wrong, also where the library that noticed it does not say."""
    if isinstance(error, MemoryError):
        return f"not enough memory ({error})".removesuffix(" ()")
    if isinstance(error, OSError) and error.errno is None:  # HDF5's, which say no more
        return f"a file could not be written, perhaps because the disk is full ({error})"
    return str(error)


def at_least_one(text: str) -> int:
    """Return the whole number from 1 that an argument holds; argparse reports what does not."""
    if not (text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1")
    return int(text)
