"""The committed table has the faults that the tests inject, and no others."""

import pytest

from tests.faults.table import COLLECTED, HEAD, TABLE, faults_of, link, table_of


def test_the_table_has_the_faults_that_are_tested(request: pytest.FixtureRequest) -> None:
    """Where some test files are run, their rows are compared, where all are, all."""
    items = request.config.stash[COLLECTED]
    faults = {fault for item in items if not item.get_closest_marker("xfail") for fault in faults_of(item)}
    files = {link(item) for item in items}
    rows = [
        row
        for row in TABLE.read_text().removeprefix(HEAD).splitlines(keepends=True)
        if (file := row.rpartition("](")[2].removesuffix(") |\n")) in files
        or not (TABLE.parent / file).is_file()
    ]
    assert HEAD + "".join(rows) == table_of(faults), "python -m pytest -m fault --write-faults"
