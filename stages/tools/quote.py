"""Put into the READMEs what they quote of reports/.

With --merge, which is for git, three versions of such a page become one, in OURS; what they quote stays ours.
"""

import sys
from pathlib import Path

from stages.publishing.quoting import PAGES, merge, quoted
from stages.runtime.command_line import Parser, protocol
from stages.runtime.files import write_atomically


def main() -> None:
    """Rewrite the pages; exit with 1 where a mark or a report is missing, or where a merge has conflicts."""
    parser = Parser(prog="python -m stages.tools.quote", description=__doc__)
    parser.add_argument("--merge", nargs=3, type=Path, metavar=("BASE", "OURS", "THEIRS"))
    versions = parser.parse_args().merge
    with protocol("quote"):
        if versions:
            sys.exit(1 if merge(*versions) else 0)
        for page in PAGES:
            write_atomically(page, quoted(page))


if __name__ == "__main__":
    main()
