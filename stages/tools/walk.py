"""Run what the READMEs show people to run, and write down what it prints, for them to quote.

The commands run in a clone whose origin is a copy of its own, with a remote for DVC beside it. Takes what is
trained from .dvc/cache, and trains what the commands change: some minutes.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
from ruamel.yaml import YAML

from stages.publishing.quoting import SHOWN, all_commands
from stages.runtime.command_line import Parser, protocol
from stages.runtime.errors import StageError
from stages.runtime.files import RELEASED, REPORTS, write_atomically


def main() -> None:
    """Run the commands and write what they print; exit with 1 where one fails."""
    Parser(prog="python -m stages.tools.walk", description=__doc__).parse_args()
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with protocol("walk"), tempfile.TemporaryDirectory() as scratch:
        sections = all_commands()
        for name, found in sections.items():
            if not found:
                raise StageError(f"no README shows commands in a section that quotes reports/{name}.md")
        try:
            texts = walked(sections, Path(scratch))
        finally:
            end_processes(Path(scratch))
        for name, text in texts.items():
            write_atomically(REPORTS / f"{name}.md", text)


def walked(sections: dict[str, list[str]], scratch: Path) -> dict[str, str]:
    """Run each section's commands in a clone under `scratch`; return what they show, as Markdown."""
    project, origin, clone = Path.cwd(), scratch / "origin.git", scratch / "clone"
    run(f"git clone --quiet --bare '{project}' {origin}", project)
    run(f"git clone --quiet {origin} {clone}", project)
    run("git config user.name walker && git config user.email walker@localhost", clone)
    run(f"dvc cache dir --local '{project}/.dvc/cache'", clone)
    run(f"dvc remote add --local --default team {scratch}/team", clone)
    run("dvc checkout dvc.yaml", clone)  # of the side studies there may be nothing
    texts = {}
    for name, found in sections.items():
        shown = []
        for command in found:
            output = run(command, clone)
            if command.startswith(SHOWN):
                shown.append(as_markdown(command, output))
        texts[name] = "\n".join(shown)
    lock = YAML(typ="safe", pure=True).load(clone / "dvc.lock")["stages"]
    models = next(out for out in lock["release"]["outs"] if out["path"] == RELEASED.as_posix())
    # So that `make stale` can tell whether these are still the models.
    texts["answers"] += f"\n<!-- by {models['path']} {models['md5']} -->\n"
    return texts


def as_markdown(command: str, output: str) -> str:
    """Return a command and what it has printed as a block of code."""
    lines = filter(None, ("```", f"$ {command}", output.strip("\n"), "```"))
    return "\n".join(lines) + "\n"


def run(command: str, folder: Path) -> str:
    """Run a shell command in `folder` and return what it prints; raise `StageError` where it fails."""
    print(f"$ {command}", flush=True)
    result = subprocess.run(command, check=False, shell=True, cwd=folder, capture_output=True, text=True)
    if result.returncode:
        print(result.stdout, result.stderr, sep="", file=sys.stderr)
        raise StageError(f"{command!r} ended with status {result.returncode}")
    return result.stdout


def end_processes(folder: Path) -> None:
    """Kill what still runs below `folder`: after Ctrl-C, DVC's experiments would go on in the background."""
    below = [
        process
        for process in psutil.process_iter(["cwd"])
        if process.info["cwd"] and Path(process.info["cwd"]).is_relative_to(folder.resolve())
    ]
    for process in below:
        process.kill()
    psutil.wait_procs(below, timeout=5)


if __name__ == "__main__":
    main()
