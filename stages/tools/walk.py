"""Run what the READMEs show people to run, and write down what it prints, for them to quote.

A section that quotes reports/NAME.md, one of NAMES, shows the commands that made it. They run in
a clone whose origin is a copy of its own, with a remote for DVC beside it; what those in SHOWN print goes
into reports/NAME.md. Takes what is trained from .dvc/cache, and trains what the commands change.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from ruamel.yaml import YAML

from stages.publishing.quoting import PAGES
from stages.runtime.command_line import protocol
from stages.runtime.errors import StageError
from stages.runtime.files import RELEASED, REPORTS, load_text, write_atomically

NAMES = ("walk", "answers")
SHOWN = ("dvc exp show", "dvc params diff", "dvc metrics diff", "python -m stages.tools.predict")


def main() -> None:
    """Run the commands and write what they print; exit with 1 where one fails."""
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with protocol("walk"), tempfile.TemporaryDirectory() as scratch:
        pages = "\n## ".join(map(load_text, PAGES))  # a page's beginning is a section, too
        for name, text in walked({name: commands(pages, name) for name in NAMES}, Path(scratch)).items():
            write_atomically(REPORTS / f"{name}.md", text)


def commands(pages: str, name: str) -> list[str]:
    """Return the shell commands, without comments, of the section that quotes reports/`name`.md.

    Raises `StageError` where there is none.
    """
    sections = re.split(r"^## ", pages, flags=re.MULTILINE)
    text = "".join(each for each in sections if f"<!-- from reports/{name}.md -->" in each)
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    lines = (line.partition("  #")[0].strip() for block in blocks for line in block.splitlines())
    found = [line for line in lines if line]
    if not found:
        raise StageError(f"no README shows commands in a section that quotes reports/{name}.md")
    return found


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
            if command.startswith(SHOWN) and output:
                shown.append(f"```\n$ {command}\n{output.strip()}\n```\n")
        texts[name] = "\n".join(shown)
    lock = YAML(typ="safe", pure=True).load(clone / "dvc.lock")["stages"]
    models = next(out for out in lock["release"]["outs"] if out["path"] == RELEASED.as_posix())
    # So that `make stale` can tell whether these are still the models.
    texts["answers"] += f"\n<!-- by {models['path']} {models['md5']} -->\n"
    return texts


def run(command: str, folder: Path) -> str:
    """Run a shell command in `folder` and return what it prints; raise `StageError` where it fails."""
    print(f"$ {command}", flush=True)
    result = subprocess.run(command, check=False, shell=True, cwd=folder, capture_output=True, text=True)
    if result.returncode:
        print(result.stdout, result.stderr, sep="", file=sys.stderr)
        raise StageError(f"{command!r} ended with status {result.returncode}")
    return result.stdout


if __name__ == "__main__":
    main()
