"""How a stage is called: arguments in, one line per mistake out."""

import argparse
import inspect
import sys
from collections.abc import Callable, Iterable
from typing import NoReturn

from stages import StageError, processor
from stages.params import load_params


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, where argparse prints the usage as well."""

    def error(self, message: str) -> NoReturn:
        """Exit with status 2."""
        self.exit(2, f"{self.prog}: {message}; --help explains\n")


def main(stage: Callable[..., None]) -> None:
    """Run `stage(params, …)` with the arguments that its signature names: a recipe and a seed, or none.

    Exits with status 1, and the reason on standard error, where the parameters
    or the stage's inputs are at fault, and with 2 where the arguments are.
    """
    parser = Parser(prog=f"python -m stages.{stage.__name__}", description=inspect.getdoc(stage))
    takes = inspect.signature(stage).parameters
    if "recipe" in takes:
        parser.add_argument("recipe", help="a recipe's block in params.yaml")
    if "seed" in takes:
        parser.add_argument("seed", type=int, help="one of the seeds in params.yaml")
    arguments = parser.parse_args()
    processor.warn()
    try:
        params = load_params()
        if "recipe" in takes and arguments.recipe not in params.blocks:
            parser.error(not_among("recipe", arguments.recipe, params.blocks))
        if "seed" in takes and arguments.seed not in params.seeds:
            parser.error(not_among("seed", arguments.seed, params.seeds))
        stage(params, **vars(arguments))
    except StageError as error:
        print(f"{stage.__name__}: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print(f"{stage.__name__}: interrupted", file=sys.stderr)
        sys.exit(130)


def not_among(what: str, value: object, allowed: Iterable[object]) -> str:
    """Return the error message on a recipe or seed that params.yaml does not have."""
    return f"{what} {value!r} is not in params.yaml, which has {', '.join(map(str, allowed))}"
