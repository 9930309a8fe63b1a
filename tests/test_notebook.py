"""The notebook in plain Keras: as written, as it runs on the generated archive, and what is said of it."""

import json
import re
from pathlib import Path

import nbformat
import pytest
from ruamel.yaml import YAML

from stages import run_notebook as stage
from stages.params.study import load_params
from stages.publishing.notebook import notebook, printed, with_text
from stages.run_notebook import SOURCE, run_notebook
from stages.runtime.errors import StageError
from stages.tabulate_notebook import (
    EXECUTED,
    TRAININGS,
    agreement,
    beside,
    comparison,
    pipeline_runs,
    tabulate_notebook,
)
from tests.conftest import ROOT, Project
from tests.examples import PARAMS

TEXT = "# Title\n\nWords.\n\n```python\nprint(1)\n```\n\n```python\nx = 2\n\ny = 3\n```\nThe end.\n"


def test_a_notebook_is_made_of_text_and_code() -> None:
    made = notebook(TEXT)
    cells = [(cell.cell_type, cell.source) for cell in made.cells]
    assert cells == [
        ("markdown", "# Title\n\nWords."),
        ("code", "print(1)"),
        ("code", "x = 2\n\ny = 3"),
        ("markdown", "The end."),
    ]
    nbformat.validate(made)
    assert nbformat.writes(made) == nbformat.writes(notebook(TEXT))
    made.cells[1].outputs = [nbformat.v4.new_output("stream", text="1\n")]
    assert printed(made) == "1\n"
    assert with_text(made, "More.\n").cells[-1].source == "More."


def test_it_is_short_and_needs_nothing_of_this_project() -> None:
    cells = [cell.source for cell in notebook(SOURCE.read_text()).cells if cell.cell_type == "code"]
    lines = [line for cell in cells for line in cell.splitlines() if line.strip()]
    assert 20 < len(lines) <= 60
    imports = {line for line in lines if re.match(r"import|from", line)}
    assert imports == {"import keras", "import matplotlib.pyplot as plt"}


@pytest.mark.slow
def test_it_runs_on_the_generated_archive(trained: Project) -> None:
    said = trained.make("keras_notebook", "VERBOSE=1").stdout
    assert "run_notebook: RNN, both: " in said
    made = nbformat.read(trained.folder / "reports/keras_notebook.ipynb", as_version=4)
    nbformat.validate(made)
    code = [cell for cell in made.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    (figure,) = (output for output in code[-1].outputs if output.output_type == "display_data")
    assert len(figure.data["image/png"]) > 10_000
    text = made.cells[-1].source
    assert trained.text("reports/results.md").strip() in text
    assert "The pipeline has too few runs of these settings" in text  # the fixture trains other recipes
    for link in re.findall(r"\]\(([^)]+)\)", text):
        assert (trained.folder / "reports" / link).is_file()
    table = json.loads(trained.text("reports/keras_notebook.json"))
    assert table["accuracies"].keys() == TRAININGS.keys()
    for name, accuracy in table["accuracies"].items():
        assert f"{name}: {100 * accuracy:.1f} % of the test reviews right" in printed(made)


def test_a_cell_that_fails(trained: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(trained.folder)
    monkeypatch.setattr(stage, "SOURCE", tmp_path / "broken.md")
    (tmp_path / "broken.md").write_text("```python\n1 / 0\n```\n")
    with pytest.raises(StageError) as error:
        run_notebook()
    assert str(error.value) == "broken.md: ZeroDivisionError: division by zero"
    assert not EXECUTED.exists()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(PARAMS.read_text())
    return tmp_path


def test_what_is_missing_or_damaged(folder: Path) -> None:
    with pytest.raises(StageError, match=r"^data/raw/train_labels\.npy does not exist: "):
        run_notebook()
    with pytest.raises(StageError, match=r"^data/keras_notebook/executed\.ipynb does not exist: "):
        tabulate_notebook()
    EXECUTED.parent.mkdir(parents=True)
    EXECUTED.write_text('{"cells": ')
    with pytest.raises(StageError, match=r"^data/keras_notebook/executed\.ipynb is damaged \("):
        tabulate_notebook()


def test_it_is_compared_with_the_pipelines_seeds() -> None:
    """By hand: 0.5 ± 0.1 over three seeds; t of 2 degrees of freedom, 4.303, times 0.1 times √(4/3)."""
    found = beside(0.9, [0.4, 0.5, 0.6])
    assert found["prediction_interval"] == pytest.approx([0.0032, 0.9968], abs=1e-4)
    far = beside(0.9, [0.50, 0.51, 0.49])
    end = "lie inside the 95 % prediction interval for one more run of the pipeline"
    assert (
        agreement({"one": found, "other": far})
        == f"1 of 2 accuracies {end}; outside: other. A single run does not tell why."
    )
    assert agreement({"one": found}) == f"1 of 1 accuracies {end}."
    assert comparison({"one": found}, 7).endswith(
        "| one | 90.0 % | 40.0 % | 50.0 % | 3 | 0.3 % to 99.7 % |\n"
    )


def test_the_pipelines_runs_of_the_same_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The published rate was tried again by `make learning_rates`: there, its first seeds come out alike."""
    monkeypatch.chdir(ROOT)
    params = load_params()
    own = pipeline_runs(params, "rnn", "post", 0.001)
    assert len(own) == len(params.seeds)
    found = {name: pipeline_runs(params, *training) for name, training in TRAININGS.items()}
    chosen_and_measured = set(params.learning_rates.seeds) | set(params.best_rates.seeds)
    assert {name: len(runs) for name, runs in found.items()} == {
        "RNN, published settings": len(params.seeds),
        "LSTM, published settings": len(chosen_and_measured | set(params.seeds)),  # its best rate
        "RNN, zeros before the text": len(params.seeds),
        "RNN, lower learning rate": len(params.learning_rates.seeds),
        "RNN, both": len(chosen_and_measured),  # its best rate
    }
    assert len({runs[0] for runs in found.values()}) == len(TRAININGS)
    again = pipeline_runs(params.model_copy(update={"recipes": ()}), "rnn", "post", 0.001)
    assert again == own[: len(again)] and len(again) == len(params.learning_rates.seeds)
    assert pipeline_runs(params, "rnn", "post", 9.0) == []


def test_it_trains_what_is_compared() -> None:
    calls = re.findall(
        r'^train_and_test\("(.*)", keras\.layers\.(\w+), "(\w+)", ([\d.]+)\)$',
        SOURCE.read_text(),
        re.MULTILINE,
    )
    cells = {"SimpleRNN": "rnn", "LSTM": "lstm"}
    assert {name: (cells[layer], padding, float(rate)) for name, layer, padding, rate in calls} == TRAININGS


def test_the_citation_is_complete() -> None:
    cited = YAML(typ="safe", pure=True).load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors", "license"} <= cited.keys()
    version = re.search(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version and cited["version"] == version[1]
    licence = (ROOT / "LICENSE").read_text()
    assert cited["authors"][0]["name"] in licence and licence.startswith(cited["license"])
