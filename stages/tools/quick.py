"""A first result within minutes: the pipeline for one seed of one recipe, in a copy of this project.

The recipe is the last of `recipes` in params.yaml, the seed the first of `seeds`. The copy has the project's
files as they are now; it is in .quick, and the next `make quick` replaces it. No committed result is touched.
What is trained there goes into this project's cache: `make report` does not train it again.
"""

import argparse
import os
import shutil
import sys
from pathlib import Path

from ruamel.yaml import YAML

from stages import StageError
from stages.runtime.command_line import Parser
from stages.runtime.files import REPORTS, load_text
from stages.params.study import PARAMS_FILE, load_params
from stages.runner.pipeline import DURATIONS, add_jobs, add_verbose, bring_up_to_date, printed, stoppable

COPY = Path(".quick")


def main() -> None:
    """Run the pipeline in the copy, then print its table of results and where its report is."""
    parser = Parser(
        prog="python -m stages.tools.quick",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_jobs(parser)
    add_verbose(parser)
    arguments = parser.parse_args()
    durations = DURATIONS.absolute()
    with stoppable("quick", "make quick"):
        try:
            params = load_params()
            recipe, seed = params.recipes[-1], params.seeds[0]
            copy_project(COPY)
            os.chdir(COPY)
            restrict(PARAMS_FILE, recipe, seed)
            print(f"Running recipe {recipe!r} with seed {seed} in {COPY}", flush=True)
            bring_up_to_date(arguments.jobs, arguments.verbose, durations)
            print(f"\n{load_text(REPORTS / 'results.md')}")
        except StageError as error:
            sys.exit(f"quick: {error}")
    print(f"One seed of one recipe; {COPY / REPORTS}/report.html says more. `make report` runs them all.")


def copy_project(folder: Path) -> None:
    """Make `folder` a copy of the files that git tracks here, as they are now, with this project's cache."""
    files = printed("git", "ls-files", "-z").split("\0")
    cache = printed("dvc", "cache", "dir").strip()
    shutil.rmtree(folder, ignore_errors=True)
    for name in filter(None, files):
        source, target = Path(name), folder / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    printed("git", "init", "--quiet", str(folder))
    printed("dvc", "--cd", str(folder), "cache", "dir", "--local", str(Path(cache).absolute()))


def restrict(file: Path, recipe: str, seed: int) -> None:
    """Leave one recipe and one seed in a copy of params.yaml, and let it find the folders with reviews.

    Where the reviews come from is no tracked parameter.
    """
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 1000
    block = yaml.load(file.read_text(encoding="utf-8"))
    for name, only in (("recipes", recipe), ("seeds", seed)):
        block[name].clear()
        block[name].append(only)
    mirrors = block["download"]["mirrors"]
    for place, mirror in enumerate(mirrors):
        if "://" not in mirror:
            mirrors[place] = str(Path(os.pardir, mirror))
    with file.open("w", encoding="utf-8") as out:
        yaml.dump(block, out)


if __name__ == "__main__":
    main()
