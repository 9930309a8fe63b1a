"""Run all of a pipeline that is not up to date, several stages at a time.

PIPELINE is the main study's dvc.yaml or a side study's, stages/NAME/dvc.yaml. A side study also runs what it
needs of the main study; its results, data/NAME/table.json, are copied to reports/NAME.json, where the report
finds them. Progress is shown in a bar on a terminal, elsewhere in a line per stage. Ctrl-C ends everything
within seconds; what was finished is kept.
"""

import argparse
import subprocess
from pathlib import Path

from stages.params.reading import PARAMS_FILE
from stages.params.study import load_params
from stages.runner.alone import alone
from stages.runner.dvc import DVC, MAIN_STUDY, printed
from stages.runner.engines import PLACES
from stages.runner.pipeline import INTERRUPTED, add_options, bring_up_to_date
from stages.runner.state import check_merged, check_state, sort_lock, unlocked
from stages.runtime.command_line import Parser, protocol
from stages.runtime.files import REPORTS, load_text, write_atomically


def main() -> None:
    """Run a pipeline; exit with 1 where a stage fails, with 130 after Ctrl-C."""
    parser = Parser(
        prog="python -m stages.tools.run",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "pipeline",
        metavar="PIPELINE",
        nargs="?",
        type=Path,
        default=MAIN_STUDY,
        help="a dvc.yaml (default: the main study's, %(default)s)",
    )
    parser.add_argument(
        "--pull",
        action="store_true",
        help="first fetch from the remote what was trained and pushed elsewhere",
    )
    add_options(parser)
    parser.add_argument(
        "--on",
        choices=PLACES,
        default=PLACES[0],
        help="where stages run: on this machine, or on the nodes of an engine (default: %(default)s)",
    )
    parser.add_argument(
        "--node-folder",
        default="/var/tmp/imdb-rnn-lstm-$USER",
        metavar="FOLDER",
        help="where each node of an engine has its clones, DVC's cache and logs; $NAME in it is a variable "
        "of the node's environment (default: %(default)s)",
    )
    arguments = parser.parse_args()
    if arguments.pull and arguments.on != PLACES[0]:
        parser.error(f"--pull: --on {arguments.on} pulls anyway")
    with protocol("run", INTERRUPTED):
        check_merged(PARAMS_FILE)
        load_params()
        with alone() as lock:
            check_state()
            if arguments.on == PLACES[0]:
                pulled = fetch(arguments.pipeline) if arguments.pull else set()
                bring_up_to_date(arguments.pipeline, arguments.jobs, arguments.verbose, lock, pulled=pulled)
            else:
                from stages.runner.coordinator import bring_up_to_date_on  # which imports DVC

                bring_up_to_date_on(
                    arguments.on,
                    arguments.pipeline,
                    arguments.jobs,
                    arguments.verbose,
                    lock,
                    arguments.node_folder,
                )
            for study in {MAIN_STUDY, arguments.pipeline}:
                sort_lock(study.with_suffix(".lock"))
            if arguments.pipeline != MAIN_STUDY:
                copy_table(arguments.pipeline.parent.name)


def fetch(pipeline: Path) -> set[str]:
    """Fetch what was trained and pushed elsewhere; return the stages that dvc.lock does not say it of.

    Nothing was pushed where there is no remote.
    """
    remote = subprocess.run((*DVC, "config", "core.remote"), check=False, capture_output=True)
    if remote.returncode:
        return set()
    printed(*DVC, "fetch", "--run-cache", str(pipeline))
    return unlocked(pipeline)


def copy_table(study: str) -> None:
    """Copy a side study's table from data/ to reports/: the main study must not depend on a side study."""
    copy = REPORTS / f"{study}.json"
    write_atomically(copy, load_text(Path("data", study, "table.json")))
    print(f"The results are in {copy}; `make report` shows them in the report")


if __name__ == "__main__":
    main()
