"""The report as one web page: no network, figures and all inside the file."""

import base64
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markdown_it.token import Token
from PIL import Image

from stages.runtime.errors import StageError

ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=True,
)
CSS_PIXELS = 96  # to the inch, by definition
SMALLEST = 0.7  # of the size that a figure was drawn at: 9 points become 8.4 CSS pixels


def web_page(markdown: str, folder: Path) -> str:
    """Return the web page, HTML, that shows a text in Markdown.

    The text begins with its title, `# …`; its `##` headings make the table of contents, which stands before
    the first of them. Every heading has the id that GitHub gives it. `folder` is what the paths of figures,
    PNG, are relative to; raises `StageError` where one is not there. HTML in the text is shown, not obeyed.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.add_render_rule("table_open", lambda *_: '<div class="table"><table>\n')
    parser.add_render_rule("table_close", lambda *_: "</table></div>\n")
    tokens = parser.parse(markdown)
    _name_headings(tokens)
    _show_figures(tokens, folder)

    contents = [(token.attrs["id"], text) for token, text in _headings(tokens) if token.tag == "h2"]
    first = (i for i, token in enumerate(tokens) if (token.type, token.tag) == ("heading_open", "h2"))
    split = next(first, len(tokens))
    lead, sections = (
        parser.renderer.render(part, parser.options, {}) for part in (tokens[:split], tokens[split:])
    )
    title = next((text for _, text in _headings(tokens)), "")
    template = ENVIRONMENT.get_template("page.html.j2")
    return template.render(title=title, lead=lead, contents=contents, sections=sections)


def slug(heading: str) -> str:
    """Return what GitHub makes of a heading for links: "Zeros, and why" → "zeros-and-why"."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _headings(tokens: Sequence[Token]) -> Iterator[tuple[Token, str]]:
    """Yield each heading's opening token and plain text."""
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            yield opening, "".join(child.content for child in inline.children or ())


def _name_headings(tokens: Sequence[Token]) -> None:
    """Give every heading an id; the second of the same name ends in -1, the third in -2, as on GitHub."""
    taken: set[str] = set()
    for heading, text in _headings(tokens):
        name, number = slug(text), 0
        while (unique := f"{name}-{number}" if number else name) in taken:
            number += 1
        taken.add(unique)
        heading.attrSet("id", unique)


def _show_figures(tokens: Sequence[Token], folder: Path) -> None:
    """Put every picture into the page, as large as it was drawn; a paragraph of nothing else is a figure."""
    for i, token in enumerate(tokens):
        pictures = [child for child in token.children or () if child.type == "image"]
        for picture in pictures:
            path = folder / unquote(str(picture.attrs["src"]))
            if not path.is_file():
                raise StageError(f"{path}, which the report shows, does not exist")
            with Image.open(path) as opened:
                scale = CSS_PIXELS / opened.info.get("dpi", (CSS_PIXELS,))[0]
                width, height = (round(pixels * scale) for pixels in opened.size)
            picture.attrs |= {
                "width": width,
                "height": height,
                "style": f"min-width: {SMALLEST * width:.0f}px",
            }
            picture.attrs["src"] = f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"
        if pictures and token.children == pictures:
            tokens[i - 1].tag = tokens[i + 1].tag = "figure"
