"""The command line of every stage and tool: arguments in, one line per mistake out."""

import argparse
import inspect
import signal
import sys
from collections.abc import Callable, Iterator
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
    "set": {"action": "append", "metavar": "NAME=VALUE", "help": "a setting to change; may be repeated"},
}


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, where argparse prints the usage as well."""

    def error(self, message: str) -> NoReturn:
        """Exit with status 2."""
        self.exit(2, f"{self.prog}: {message}; --help explains\n")


def stage_main(stage: Callable[..., None]) -> None:
    """Run a stage with the arguments that its signature names: recipe, cell, seed, or none.

    A parameter with a default is an option, one that is keyword-only an option that must be given.
    Exits as `protocol` says.
    """
    parser = Parser(prog=f"python -m stages.{stage.__name__}", description=inspect.getdoc(stage))
    for name, parameter in inspect.signature(stage).parameters.items():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            parser.add_argument(f"--{name}", required=True, **ARGUMENTS[name])
        elif parameter.default is inspect.Parameter.empty:
            parser.add_argument(name, **ARGUMENTS[name])
        else:
            kind = Path if isinstance(parameter.default, Path) else str
            parser.add_argument(
                f"--{name}", type=kind, default=parameter.default, help="default: %(default)s"
            )
    arguments = parser.parse_args()
    with protocol(stage.__name__):
        processor.warn()
        stage(**vars(arguments))


@contextmanager
def protocol(name: str, interrupted: str = "interrupted") -> Iterator[None]:
    """End the process as users expect, with one line on standard error that opens with `name`.

    Status 1: the parameters or inputs are at fault (`StageError`), or a file cannot be read or written.
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
    except (StageError, OSError) as error:
        print(f"{name}: {error}", file=sys.stderr)
        sys.exit(1)
    except SystemExit as end:
        if end.code in (INTERRUPTED, 128 + signal.SIGTERM):
            print(f"{name}: {interrupted}", file=sys.stderr)
        raise


def at_least_one(text: str) -> int:
    """Return the whole number from 1 that an argument holds; argparse reports what does not."""
    if not (text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1")
    return int(text)
