"""Run what README.md shows people to run, and write down what it prints, for README.md to quote.

The commands of each section in SECTIONS run in a clone whose origin is a copy of its own, with a
remote for DVC beside it; what those that show something print goes into reports/NAME.md. Takes what
is trained from .dvc/cache, and trains what the commands change.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from ruamel.yaml import YAML

SECTIONS = {"walk": "## From a changed number to a pull request", "answers": "## Ask the nets"}
SHOWN = ("dvc exp show", "dvc params diff", "dvc metrics diff", "python -m stages.tools.predict")


def commands(readme: str, section: str) -> list[str]:
    """Return a section's shell commands, without comments."""
    text = readme.partition(f"{section}\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    lines = (line.partition("  #")[0].strip() for block in blocks for line in block.splitlines())
    return [line for line in lines if line]


def run(command: str, folder: Path) -> str:
    """Run a shell command and return what it prints; exit with its status where that is not 0."""
    print(f"$ {command}", flush=True)
    result = subprocess.run(command, check=False, shell=True, cwd=folder, capture_output=True, text=True)
    if result.returncode:
        print(result.stdout, result.stderr, sep="", file=sys.stderr)
        sys.exit(f"walk: {command!r} ended with status {result.returncode}")
    return result.stdout


def main() -> None:
    """Run every section's commands and write what they show."""
    project = Path.cwd()
    readme = (project / "README.md").read_text(encoding="utf-8")
    walked = {name: commands(readme, section) for name, section in SECTIONS.items()}
    for name, found in walked.items():
        if not found:
            sys.exit(f"walk: README.md has no commands under {SECTIONS[name]!r}")
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    texts = {}
    with tempfile.TemporaryDirectory() as scratch:
        origin, clone = Path(scratch) / "origin.git", Path(scratch) / "clone"
        run(f"git clone --quiet --bare '{project}' {origin}", project)
        run(f"git clone --quiet {origin} {clone}", project)
        run("git config user.name walker && git config user.email walker@localhost", clone)
        run(f"dvc cache dir --local '{project}/.dvc/cache'", clone)
        run(f"dvc remote add --local --default team {scratch}/team", clone)
        run("dvc checkout", clone)
        for name, found in walked.items():
            shown = []
            for command in found:
                said = run(command, clone)
                if command.startswith(SHOWN) and said:
                    shown.append(f"```\n$ {command}\n{said.strip()}\n```\n")
            texts[name] = "\n".join(shown)
        lock = YAML(typ="safe", pure=True).load(clone / "dvc.lock")["stages"]
        models = lock["release"]["outs"][0]
    # So that `make stale` can tell whether these are still the models.
    texts["answers"] += f"\n<!-- by {models['path']} {models['md5']} -->\n"
    for name, text in texts.items():
        (project / f"reports/{name}.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
