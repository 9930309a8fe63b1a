"""A first result within minutes: the pipeline for one seed of one recipe, in a copy of this project.

The recipe is the one that the report leads with, `comparison.headline` in params.yaml; the seed is the first
of `seeds`. The copy has the project's files as they are now; it is in .quick, and the next `make quick`
replaces it. No committed result is touched. What is trained there goes into this project's cache:
`make report` does not train it again.
"""

import argparse
import os
import shutil
from pathlib import Path

from ruamel.yaml import YAML

from stages.params.reading import PARAMS_FILE
from stages.params.study import load_params
from stages.runner.alone import alone
from stages.runner.dvc import MAIN_STUDY, cache_folder, printed
from stages.runner.pipeline import DURATIONS, INTERRUPTED, add_options, bring_up_to_date
from stages.runner.state import check_merged, check_state
from stages.runtime.command_line import Parser, protocol
from stages.runtime.files import REPORTS, load_text

COPY = Path(".quick")


def main() -> None:
    """Run the pipeline in the copy, then print its table of results and where its report is."""
    parser = Parser(
        prog="python -m stages.tools.quick",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_options(parser)
    arguments = parser.parse_args()
    durations = DURATIONS.absolute()
    with protocol("quick", INTERRUPTED), alone() as lock:
        check_merged(PARAMS_FILE)
        params = load_params()
        check_state()  # here, where git has what puts locks right
        recipe, seed = params.comparison.headline, params.seeds[0]
        copy_project(COPY)
        os.chdir(COPY)
        restrict(PARAMS_FILE, recipe, seed)
        print(f"Running recipe {recipe!r} with seed {seed} in {COPY}", flush=True)
        bring_up_to_date(MAIN_STUDY, arguments.jobs, arguments.verbose, lock, durations)
        print(f"\n{load_text(REPORTS / 'results.md')}")
        print(f"One seed of one recipe; more in {COPY / REPORTS}/report.html. `make report` runs them all.")


def copy_project(folder: Path) -> None:
    """Make `folder` a copy of the files that git tracks here, as they are now, with this project's cache."""
    files = printed("git", "ls-files", "-z").split("\0")
    cache = cache_folder()
    shutil.rmtree(folder, ignore_errors=True)
    for name in filter(None, files):
        source, target = Path(name), folder / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    printed("git", "init", "--quiet", str(folder))
    printed("dvc", "--cd", str(folder), "cache", "dir", "--local", str(cache))


def restrict(file: Path, recipe: str, seed: int) -> None:
    """Leave one recipe and one seed in a copy of params.yaml, and let it find the folders with reviews.

    What refers to a trained recipe then refers to this one. Where the reviews come from is no tracked
    parameter.
    """
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 1000
    block = yaml.load(file.read_text(encoding="utf-8"))
    rates = block["learning_rates"]
    for names, only in ((block["recipes"], recipe), (rates["recipes"], recipe), (block["seeds"], seed)):
        names.clear()
        names.append(only)
    best = block["best_rates"]["rates"]
    best[:] = [next((each for each in best if each["recipe"] == recipe), best[0])]
    best[0]["recipe"] = recipe
    for name in ("release", "demo", "bag_of_words"):
        block[name]["recipe"] = recipe
    block["comparison"]["headline"] = recipe
    mirrors = block["download"]["mirrors"]
    for place, mirror in enumerate(mirrors):
        if "://" not in mirror:
            mirrors[place] = str(Path(os.pardir, mirror))
    with file.open("w", encoding="utf-8") as out:
        yaml.dump(block, out)


if __name__ == "__main__":
    main()
