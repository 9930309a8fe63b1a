"""Put into README.md what it quotes of reports/, between marks: figures there are never typed."""

from pathlib import Path

from stages import StageError
from stages.runtime.command_line import protocol
from stages.runtime.files import REPORTS, load_text, write_atomically

README = Path("README.md")
QUOTED = ("results", "speed", "walk", "answers")  # files under reports/, without .md


def main() -> None:
    """Rewrite README.md; exit with 1 where a mark or a report is missing."""
    with protocol("quote"):
        readme = load_text(README)
        for name in QUOTED:
            readme = quote(readme, name, load_text(REPORTS / f"{name}.md"))
        write_atomically(README, readme)


def quote(readme: str, name: str, text: str) -> str:
    """Return `readme` with `text`, of the file reports/`name`.md, between its two marks.

    Raises `StageError` where it has not each mark once.
    """
    begin, end = f"<!-- from reports/{name}.md -->\n", f"<!-- end of reports/{name}.md -->"
    if readme.count(begin) != 1 or readme.count(end) != 1:
        raise StageError(f"README.md should hold {begin.strip()!r} and {end!r}, once each")
    before, rest = readme.split(begin)
    return before + begin + text + end + rest.split(end)[1]


if __name__ == "__main__":
    main()
