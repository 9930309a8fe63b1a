"""What the READMEs quote of reports/, between marks: results there are never typed.

A section that quotes reports/NAME.md, one of WALKS, shows the commands that make it: `stages.tools.walk` runs
them. What those in SHOWN print is quoted.
"""

import re
import subprocess
from pathlib import Path

from stages.runtime.errors import StageError
from stages.runtime.files import REPORTS, load_text, write_atomically

PAGES = (Path("README.md"), Path("data/README.md"), Path("stages/runner/README.md"))
WALKS = ("walk", "answers")
SHOWN = (
    "dvc exp show",
    "dvc params diff",
    "dvc metrics diff",
    "python -m stages.tools.changes",
    "python -m stages.tools.predict",
)
QUOTE = re.compile(
    r"^(<!-- from reports/(\w+)\.md -->\n)(.*?)^(<!-- end of reports/\2\.md -->)$", re.MULTILINE | re.DOTALL
)


def quoted(page: Path) -> str:
    """Return a page's text with the files under reports/ between its marks, as they are now.

    Raises `StageError` where a mark stands alone, or a file is missing.
    """
    text = load_text(page)
    marks = re.findall(r"<!-- (?:from|end of) reports/", text)
    if len(marks) != 2 * len(QUOTE.findall(text)):
        raise StageError(
            f"{page}: each '<!-- from reports/NAME.md -->' needs '<!-- end of reports/NAME.md -->' after it"
        )
    return QUOTE.sub(lambda quote: quote[1] + load_text(REPORTS / f"{quote[2]}.md") + quote[4], text)


def merge(base: Path, ours: Path, theirs: Path) -> int:
    """Merge three versions of a page in `ours` as git does, and return the number of conflicts.

    What is quoted stays as it is there: it is made anew.
    """
    quotes = {quote[2]: quote[3] for quote in QUOTE.finditer(load_text(ours))}
    for version in (base, ours, theirs):
        write_atomically(version, QUOTE.sub(lambda quote: quote[1] + quote[4], load_text(version)))
    command = ("git", "merge-file", "-L", "ours", "-L", "base", "-L", "theirs", ours, base, theirs)
    conflicts = subprocess.run(command, check=False).returncode
    filled = QUOTE.sub(lambda quote: quote[1] + quotes.get(quote[2], "") + quote[4], load_text(ours))
    write_atomically(ours, filled)
    return conflicts


def commands(pages: str, name: str) -> list[str]:
    """Return the shell commands, without comments, in the sections of a text that quote reports/`name`.md."""
    sections = re.split(r"^## ", pages, flags=re.MULTILINE)
    text = "".join(each for each in sections if f"<!-- from reports/{name}.md -->" in each)
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    lines = (line.partition("  #")[0].strip() for block in blocks for line in block.splitlines())
    return [line for line in lines if line]


def all_commands() -> dict[str, list[str]]:
    """Return name → commands for each of WALKS."""
    pages = "\n## ".join(map(load_text, PAGES))  # a page's beginning is a section, too
    return {name: commands(pages, name) for name in WALKS}
