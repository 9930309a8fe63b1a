"""A Jupyter notebook from a text in Markdown: each block of Python is a cell of code."""

import re

import nbformat
from nbformat import NotebookNode

CODE = re.compile(r"^```python\n(.*?)^```$\n?", re.MULTILINE | re.DOTALL)


def notebook(text: str) -> NotebookNode:
    """Return the notebook, not run yet: its cells are the text's blocks of Python, and what is between."""
    made = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    )
    for place, part in enumerate(CODE.split(text)):  # text and code, in turns
        if part.strip():
            add = nbformat.v4.new_code_cell if place % 2 else nbformat.v4.new_markdown_cell
            made.cells.append(numbered(add(part.strip()), len(made.cells)))
    return made


def with_text(made: NotebookNode, text: str) -> NotebookNode:
    """Return a notebook with one more cell of Markdown at its end."""
    made.cells.append(numbered(nbformat.v4.new_markdown_cell(text.strip()), len(made.cells)))
    return made


def numbered(cell: NotebookNode, number: int) -> NotebookNode:
    """Return a cell with its number for an id, where nbformat draws one at random."""
    cell["id"] = f"cell-{number}"
    return cell


def printed(made: NotebookNode) -> str:
    """Return what a notebook that was run has printed."""
    outputs = [output for cell in made.cells for output in cell.get("outputs", ())]
    return "".join(output["text"] for output in outputs if output["output_type"] == "stream")
