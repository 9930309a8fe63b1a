"""Stage `run_notebook`: the notebook in plain Keras, with what it prints and draws."""

from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from traitlets.config import Config

from stages.publishing.notebook import notebook
from stages.reviews.encoding import load_raw
from stages.runtime.command_line import stage_main
from stages.runtime.errors import StageError
from stages.runtime.files import load_text, write_atomically

SOURCE = Path(__file__).parent / "keras_notebook/notebook.md"
EXECUTED = Path("data/keras_notebook/executed.ipynb")

# What its process runs first. `stages` fixes threads and instructions, so that the same bytes come out again.
# And `load_data` gives the reviews of this pipeline, without a download, shuffled as Keras shuffles its own.
BEFORE = """
from stages.reviews.encoding import encode, load_raw
import keras
import numpy as np

def load_data(num_words):
    random, splits = np.random.RandomState(113), []
    for split in ("train", "test"):
        tokens, offsets, labels = (load_raw(split, part) for part in ("tokens", "offsets", "labels"))
        tokens, offsets = encode(np.array(tokens), offsets, num_words)
        order = np.arange(len(labels))
        random.shuffle(order)
        reviews = np.split(tokens, offsets[1:-1])
        splits.append(([reviews[row].tolist() for row in order], np.array(labels)[order]))
    return splits

keras.datasets.imdb.load_data = load_data
%config InlineBackend.figure_formats = ["png"]
"""


def run_notebook() -> None:
    """Run the notebook in a process of its own and write it with its outputs to data/keras_notebook."""
    for split in ("train", "test"):
        load_raw(split, "labels")  # says what is missing
    made = notebook(load_text(SOURCE))
    first = nbformat.v4.new_code_cell(BEFORE)
    made.cells.insert(0, first)
    local = Config(KernelManager={"transport": "ipc"})  # no port that others could connect to
    client = NotebookClient(
        made, timeout=None, record_timing=False, coalesce_streams=True, kernel_name="python3", config=local
    )
    try:
        with client.setup_kernel():
            for place, cell in enumerate(made.cells):
                client.execute_cell(cell, place, store_history=cell is not first)
                if cell.cell_type != "code":
                    continue
                # What TensorFlow says on standard error is of this machine and hour.
                cell.outputs = [each for each in cell.outputs if each.get("name") != "stderr"]
                for each in cell.outputs:
                    print(f"run_notebook: {each.get('text', 'a figure').strip()}", flush=True)
    except CellExecutionError as error:
        raise StageError(f"{SOURCE.name}: {error.ename}: {error.evalue}") from None
    made.cells.remove(first)
    write_atomically(EXECUTED, nbformat.writes(made) + "\n")


if __name__ == "__main__":
    stage_main(run_notebook)
