"""Stage `page`: the report as one HTML file, figures inside."""

from stages.publishing.html import web_page
from stages.runtime.command_line import stage_main
from stages.runtime.files import REPORTS, load_text, write_atomically


def page() -> None:
    """Write reports/report.html from reports/report.md and its figures."""
    write_atomically(REPORTS / "report.html", web_page(load_text(REPORTS / "report.md"), REPORTS))


if __name__ == "__main__":
    stage_main(page)
