"""A recipe trained apart from the pipeline, because it costs more than any recipe there: `long`.

`python -m stages.apart long` pads the reviews, trains both cells on every seed, several runs side by
side, and adds what `score` measures on them to reports/apart.json, which `evaluate` reads. It goes on where
it was stopped.
"""

import argparse
import json
import sys
from pathlib import Path

from stages import StageError
from stages.command import Parser, not_among
from stages.files import MODELS, REPORTS, json_text, load_padded, load_text, new_file, run_folder
from stages.pad import pad
from stages.params import Recipe, load_params
from stages.provenance import code_digest
from stages.score import measured
from stages.train_all import add_jobs, resumed

RESULTS = REPORTS / "apart.json"


def train(cell: str, name: str, recipe: Recipe, seed: int) -> None:
    """Train and save one run."""
    # Imported here, in a process of its own: TensorFlow takes seconds and prints lines of its own.
    from stages.training import train_run

    train_run(cell, name, recipe, seed, load_padded(name))


def main() -> None:
    """Train a recipe's runs and write what is measured on them."""
    parser = Parser(
        prog="python -m stages.apart",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("recipe", help="a recipe's block in params.yaml that is not among its recipes")
    add_jobs(parser)
    arguments = parser.parse_args()
    name = arguments.recipe
    try:
        params = load_params()
        if name not in params.blocks:
            parser.error(not_among("recipe", name, params.blocks))
        if name in params.recipes:
            parser.error(f"recipe {name!r} is among the recipes in params.yaml: `dvc repro` trains it")
        recipe = params.blocks[name]
        results = json.loads(load_text(RESULTS))
        pad(params, name)
        # Those that take longest first.
        runs = [(cell, name, recipe, seed) for cell in ("lstm", "rnn") for seed in params.seeds]
        folders = {str(run_folder(name, run[0], run[3])): run for run in runs}
        reached = MODELS / name / "reached.json"
        resumed(
            train, folders, reached, recipe.model_dump(), arguments.jobs, lambda folder: Path(folder).is_dir()
        )
        results[name] = {
            "code": code_digest(),
            "runs": {str(seed): measured(name, recipe, seed) for seed in params.seeds},
        }
        new_file(RESULTS, json_text(results))
    except StageError as error:
        sys.exit(f"apart: {error}")


if __name__ == "__main__":
    main()
