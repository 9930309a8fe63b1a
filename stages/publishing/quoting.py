"""What README.md and data/README.md quote of reports/, between marks: results there are never typed."""

import re
from pathlib import Path

from stages.runtime.errors import StageError
from stages.runtime.files import REPORTS, load_text

PAGES = (Path("README.md"), Path("data/README.md"))
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
