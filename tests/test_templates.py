"""Templates write down what they are given: they compute nothing and compare no numbers."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

from stages.reporting.rendering import FILTERS
from tests.conftest import ROOT

ARITHMETIC = (nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow, nodes.Neg)
PRESENTING = {*FILTERS, "join", "length", "safe"}  # `length` says how many there are
METHODS = {"items", "values"}


def computations(source: str) -> Iterator[str]:
    """Yield what a template computes or compares, but for names with words."""
    tree = Environment().parse(source)
    macros = {macro.name for macro in tree.find_all(nodes.Macro)}
    for node in tree.find_all(nodes.Node):
        if isinstance(node, ARITHMETIC):
            yield f"line {node.lineno}: {type(node).__name__}"
        elif isinstance(node, nodes.Compare) and not all(map(of_words, node.ops)):
            yield f"line {node.lineno}: a comparison"
        elif isinstance(node, nodes.Filter) and node.name not in PRESENTING:
            yield f"line {node.lineno}: the filter {node.name}"
        elif isinstance(node, nodes.Test) and node.name != "none":
            yield f"line {node.lineno}: the test {node.name}"
        elif isinstance(node, nodes.Call):
            called = node.node
            method = isinstance(called, nodes.Getattr) and called.attr in METHODS
            if not method and not (isinstance(called, nodes.Name) and called.name in macros):
                yield f"line {node.lineno}: a call"


def of_words(operand: nodes.Operand) -> bool:
    """Return whether something is compared with a word, or looked up by its name."""
    if operand.op in ("in", "notin"):
        return True
    return (
        operand.op in ("eq", "ne")
        and isinstance(operand.expr, nodes.Const)
        and isinstance(operand.expr.value, str)
    )


@pytest.mark.parametrize("path", sorted(ROOT.glob("stages/**/*.j2")), ids=lambda path: path.name)
def test_a_template_only_writes_down(path: Path) -> None:
    assert list(computations(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "source",
    [
        "{{ a + b }}",
        "{{ a - 1 }}",
        "{{ -a }}",
        "{{ 100 * a }}",
        "{{ a / b }}",
        "{% if a > 0 %}{% endif %}",
        "{% if a == 1 %}{% endif %}",
        "{% if a == b %}{% endif %}",
        '{{ "yes" if a is gt 1 }}',
        "{{ rows | sum }}",
        "{{ a | round(1) }}",
        "{{ rows | min }}",
        '{{ rows | selectattr("reviews") | list }}',
        "{{ rows.index(a) }}",
        "{% for i in range(3) %}{% endfor %}",
    ],
)
def test_what_computes_is_found(source: str) -> None:
    assert list(computations(source))


@pytest.mark.parametrize(
    "source",
    [
        "{{ a | percent }}",
        '{% if a == "mean" %}{% endif %}',
        "{% if name in names %}{% endif %}",
        "{% if a is none %}{% endif %}",
        "{% macro b(c) %}{{ c }}{% endmacro %}{{ b(1) }}",
        "{% for name, a in rows.items() %}{{ name if not loop.last }}{% endfor %}",
    ],
)
def test_what_writes_down_is_not(source: str) -> None:
    assert not list(computations(source))
