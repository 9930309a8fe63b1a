"""Put into the READMEs what they quote of reports/."""

from stages.publishing.quoting import PAGES, quoted
from stages.runtime.command_line import Parser, protocol
from stages.runtime.files import write_atomically


def main() -> None:
    """Rewrite the pages; exit with 1 where a mark or a report is missing."""
    Parser(prog="python -m stages.tools.quote", description=__doc__).parse_args()
    with protocol("quote"):
        for page in PAGES:
            write_atomically(page, quoted(page))


if __name__ == "__main__":
    main()
