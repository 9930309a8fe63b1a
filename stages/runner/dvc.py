"""What the runner asks of DVC: which stages are not up to date, and to run one of them."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import shorten
from typing import IO, Any, NamedTuple

import networkx

from stages.runtime.errors import StageError

MAIN_STUDY = Path("dvc.yaml")
# A process that wants DVC's lock while another has it waits.
DVC = ("dvc", "--wait-for-lock")
# What TensorFlow prints at every start, whatever TF_CPP_MIN_LOG_LEVEL is.
NOTES = re.compile(r"I\d{4} |WARNING: All log messages before absl|To enable the following instructions")


def dependencies() -> networkx.DiGraph:
    """Return all stages, with an edge from each to those that depend on it."""
    return networkx.DiGraph(re.findall(r'^"(.+)" -> "(.+)";$', printed(*DVC, "dag", "--dot"), re.MULTILINE))


def stale_stages(pipeline: Path = MAIN_STUDY, graph: networkx.DiGraph | None = None) -> dict[str, set[str]]:
    """Return the stages of a dvc.yaml that have to run, and what they need to run before them.

    graph: of `dependencies`; it gets the stages that have none. Each comes with those of the others that it
    depends on. A side study's stages may need some of the main study's; the main study never needs a side
    study's. Raises `StageError` where there is no such dvc.yaml.
    """
    if pipeline not in studies():
        raise StageError(f"{pipeline} is none of this project's pipelines: {', '.join(map(str, studies()))}")
    if graph is None:
        graph = dependencies()
    changed = put_back(json.loads(printed(*DVC, "status", "--json")))
    graph.add_nodes_from(changed)
    stale = changed.union(*(networkx.descendants(graph, stage) for stage in changed))
    own = {stage for stage in stale if study_of(stage) == pipeline}
    needed = own.union(*(networkx.ancestors(graph, stage) for stage in own)) & stale
    if pipeline == MAIN_STUDY and needed > own:
        raise StageError(
            f"{MAIN_STUDY} should need no stage of a side study: {', '.join(sorted(needed - own))}"
        )
    return {stage: set(graph.predecessors(stage)) & needed for stage in sorted(needed)}


def put_back(status: Mapping[str, list[Any]]) -> set[str]:
    """Put results that only DVC's cache has lost back into it; return the stages with other changes.

    status: of `dvc status --json`, which does not say whether results that are not in the cache are here, or
    changed. `dvc commit` takes none that are not those that dvc.lock names.
    """
    lost = {stage for stage, reasons in status.items() if all(map(_only_uncached, reasons))}
    back = lost if not lost or _committed(*lost) else {stage for stage in lost if _committed(stage)}
    if back:
        print(f"Results of {len(back)} stages were not in DVC's cache: put back", flush=True)
    return status.keys() - back


def _committed(*stages: str) -> bool:
    command = (*DVC, "commit", *stages)
    ended = subprocess.run(command, check=False, capture_output=True, stdin=subprocess.DEVNULL)
    return ended.returncode == 0


def _only_uncached(reason: Any) -> bool:
    """Return whether a reason of `dvc status` is that results are here, and not in DVC's cache."""
    return isinstance(reason, dict) and all(
        kind == "changed outs" and set(files.values()) == {"not in cache"} and all(map(os.path.exists, files))
        for kind, files in reason.items()
    )


def studies() -> list[Path]:
    """Return the dvc.yaml of the main study and of each side study."""
    return [MAIN_STUDY, *sorted(Path("stages").glob("*/dvc.yaml"))]


def cache_folder() -> Path:
    """Return the folder of DVC's cache."""
    return Path(printed("dvc", "cache", "dir").strip()).absolute()


def study_of(stage: str) -> Path:
    """Return the dvc.yaml that a stage is in, of DVC's name for it: STAGE or stages/NAME/dvc.yaml:STAGE."""
    return Path(stage.rpartition(":")[0] or MAIN_STUDY)


class Outcome(NamedTuple):
    """How running a stage ended."""

    status: int  # 0: without errors
    ran: bool  # false: DVC restored the results from its cache
    output: str  # of the stage and of DVC
    # Of a stage that ran elsewhere (`node.py`): where, its entry in dvc.lock, and its outputs that git keeps.
    node: str = ""
    entry: str = ""
    files: tuple[tuple[str, bytes], ...] = ()


def run_stage(
    stage: str, line: IO[str], lock: int, show: Callable[[str], None] | None = None, pull: bool = False
) -> Outcome:
    """Bring one stage up to date through DVC.

    line: a pipe; when its other end closes, DVC and all that it started end. lock: of `alone`, held until
    then. `show` gets the stage's lines as they come. pull: look for its results among the runs on the remote.
    """
    command = [sys.executable, "-m", "stages.runner.guard", *DVC, "repro", "--single-item", stage]
    command += ["--pull"] * pull
    output: list[str] = []
    ran = recording = False
    with subprocess.Popen(
        command,
        stdin=line,
        pass_fds=(lock,),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,  # Ctrl-C is for this process, which ends the others
    ) as process:
        for text in process.stdout or ():
            if NOTES.match(text):
                continue
            output.append(text)
            ran |= text.startswith("Running stage ")
            recording |= text.startswith(("Generating lock file", "Updating lock file"))
            if show and not recording:  # what follows are DVC's hints on git
                show(text.rstrip("\n"))
    return Outcome(process.returncode, ran, "".join(output))


def printed(*command: str) -> str:
    """Return what a command prints; raise `StageError` where it fails."""
    result = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    if result.returncode:
        raise StageError(f"`{shorten(' '.join(command), 200, placeholder=' …')}` failed")
    return result.stdout
