"""The table of faults: README.md here, made of the marks of the tests that passed.

`@pytest.mark.fault(name, happens, kept)` stands above a test that injects a fault: what it is, what happens
then, and what is kept, in words. Where tests have parameters, `{parameter}` in these words is its value. A
test's `--write-faults` writes the table; without it, test_table.py compares the table with the marks.
"""

import json
import os
from pathlib import Path
from typing import NamedTuple

import pytest

TABLE = Path(__file__).with_name("README.md")
COLLECTED = pytest.StashKey[list[pytest.Item]]()
HEAD = """# What goes wrong, what happens then, and what is kept

Each row is a fault that the tests inject. They run the pipeline, or the part of it that is meant, on the
generated archive, and read what came of it from files and exit statuses. The table is made of the tests that
passed: `python -m pytest -m fault --write-faults`.

Beyond samples, [every file operation fails once](sweep.md): `make faults`.

| fault | what happens | what is kept | test |
| --- | --- | --- | --- |
"""


class Fault(NamedTuple):
    """A row of the table."""

    name: str
    happens: str
    kept: str
    test: str  # of `link`

    def row(self) -> str:
        return f"| {self.name} | {self.happens} | {self.kept} | [{Path(self.test).stem}]({self.test}) |\n"


def link(item: pytest.Item) -> str:
    """Return a test's file, as the table links to it."""
    return os.path.relpath(item.path, TABLE.parent)


def faults_of(item: pytest.Item) -> set[Fault]:
    """Return the faults that a test injects, as its marks say."""
    values = item.callspec.params if hasattr(item, "callspec") else {}
    found = set()
    for mark in item.iter_markers("fault"):
        words = {**dict(zip(Fault._fields, mark.args, strict=False)), **mark.kwargs}
        found.add(Fault(**{key: text.format(**values) for key, text in words.items()}, test=link(item)))
    return found


def table_of(faults: set[Fault]) -> str:
    """Return the table, a row per fault, sorted by name."""
    return HEAD + "".join(fault.row() for fault in sorted(faults))


class Outcomes:
    """Which faults passed, over all workers."""

    def __init__(self) -> None:
        self.passed: set[Fault] = set()
        self.others: set[Fault] = set()  # one of whose tests failed or was skipped

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for fault in (
            Fault._make(json.loads(str(value))) for name, value in report.user_properties if name == "fault"
        ):
            if not report.passed or hasattr(report, "wasxfail"):
                self.others.add(fault)
            elif report.when == "call":
                self.passed.add(fault)

    def pytest_sessionfinish(self) -> None:
        TABLE.write_text(table_of(self.passed - self.others))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-faults", action="store_true", help="write tests/faults/README.md")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "fault(name, happens, kept): what a test breaks; see tests/faults/table.py"
    )
    if config.getoption("--write-faults") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Outcomes())


@pytest.hookimpl(tryfirst=True)  # before -k and -m leave some out
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    config.stash[COLLECTED] = list(items)


@pytest.hookimpl(tryfirst=True)  # before tests are skipped
def pytest_runtest_setup(item: pytest.Item) -> None:
    item.user_properties += [("fault", json.dumps(fault)) for fault in faults_of(item)]
