"""The report's words follow the numbers."""

import json
from pathlib import Path
from typing import Any

import pytest

from stages import StageError, evaluate, figures, files
from stages.params import Params, load_params
from stages.report import QUOTED, changed_settings, percent, place, points, quote, render, spread
from stages.statistics import compare
from tests.conftest import ROOT


def made_up(rnn: float, lstm: float, **settings: Any) -> dict[str, Any]:
    """What `score` would write of two runs with these test accuracies."""
    recipe = load_params(ROOT / "params.yaml").blocks["notebook"].model_dump()
    recipe["pad"] |= settings
    result: dict[str, Any] = {
        "settings": recipe,
        "padding": {"share_of_reviews": 0.4, "mean_tokens": 31.5},
    }
    for cell, accuracy in (("rnn", rnn), ("lstm", lstm)):
        measured = {
            "accuracy": accuracy,
            "loss": 0.5,
            "auc": accuracy,
            "f1": accuracy,
            "confusion": [[int(100 * accuracy), 100 - int(100 * accuracy)], [20, 80]],
            "roc": [i / 100 for i in range(101)],
        }
        curve = [0.5, accuracy]
        result[cell] = {
            "cell_weights": {"rnn": 32896, "lstm": 131584}[cell],
            "weights": 1,
            "kept_epoch": 2,
            "history": {
                "epoch": [1, 2],
                **{f"{s}_{m}": curve for s in ("train", "validation") for m in ("accuracy", "loss")},
            },
            "validation": measured,
            "test": measured,
        }
    return result


@pytest.fixture(scope="module")
def params() -> Params:
    return load_params(ROOT / "params.yaml")


def report(runs: dict[str, Any], params: Params, name: str = "report.md") -> str:
    return render(name, compare(runs), runs, params.published)


def test_words_for_numbers() -> None:
    assert percent(0.86041) == "86.0 %"
    assert points(0.0104) == "+1.0"
    assert points(-0.0104) == "−1.0"
    assert spread({"mean": 0.8604, "sd": 0.0031}) == "86.0 ± 0.3 %"
    assert spread({"mean": 0.8604, "sd": None}) == "86.0 %"
    assert place(0.55, [0.56, 0.6]) == "1.0 points below the lowest"
    assert place(0.57, [0.56, 0.6]) == "within the range"
    assert place(0.62, [0.56, 0.6]) == "2.0 points above the highest"


def test_the_published_lstm_is_placed_among_the_runs(params: Params) -> None:
    text = report({"notebook": {0: made_up(0.55, 0.86), 1: made_up(0.58, 0.87)}}, params)
    assert "56.5 %, is within the range of the plain RNN runs here\n(55.0 % to 58.0 %)" in text
    assert "29.5 points below the lowest of the genuine LSTM runs (86.0 % to 87.0 %)" in text
    assert "32,896" in text and "131,584" in text
    assert "31.5 of them per test review" in text

    text = report({"notebook": {0: made_up(0.80, 0.56), 1: made_up(0.81, 0.57)}}, params)
    assert "56.5 %, is 23.5 points below the lowest of the plain RNN runs" in text
    assert "within the range of the genuine LSTM runs" in text


def test_the_gap_is_only_explained_where_it_closes(params: Params) -> None:
    notebook = {0: made_up(0.56, 0.86)}
    closing = report({"notebook": notebook, "tuned": {0: made_up(0.85, 0.87, padding="pre")}}, params)
    assert "+30.0 points become +2.0: most of that gap came from padding and training" in closing
    assert "| `pad.padding` | post | pre |" in closing
    staying = report({"notebook": notebook, "tuned": {0: made_up(0.56, 0.87)}}, params)
    assert "most of that gap" not in staying
    turned = report({"notebook": notebook, "tuned": {0: made_up(0.88, 0.87)}}, params)
    assert "LSTM − RNN is −1.0 percent points" in turned


def test_padding_before_the_text_is_not_blamed(params: Params) -> None:
    text = report({"notebook": {0: made_up(0.56, 0.86, padding="pre")}}, params)
    assert "zeros *after* the text" not in text


def test_a_single_seed_is_said_to_be_one(params: Params) -> None:
    assert "There is one seed" in report({"tuned": {0: made_up(0.5, 0.6)}}, params)
    several = report({"tuned": {0: made_up(0.5, 0.6), 4: made_up(0.5, 0.7)}}, params)
    assert "The spread is over 2 seeds" in several
    assert "+10.0, +20.0 seed by seed" in several


def test_a_report_needs_no_notebook(params: Params) -> None:
    text = report({"mine": {0: made_up(0.5, 0.6)}, "other": {0: made_up(0.6, 0.7)}}, params)
    assert "## The recipe `mine`" in text and "## The recipe `other`" in text
    assert "What differs from the published result" not in text


def test_the_table_of_results(params: Params) -> None:
    runs = {"notebook": {0: made_up(0.56, 0.86)}, "tuned": {0: made_up(0.85, 0.87)}}
    assert report(runs, params, "results.md").splitlines() == [
        "| test accuracy | published | `notebook`, measured | `tuned`, measured |",
        "| --- | --- | --- | --- |",
        "| plain RNN | 58.2 % | 56.0 % | 85.0 % |",
        "| LSTM | 56.5 % (a second RNN) | 86.0 % | 87.0 % |",
        "| LSTM − RNN, percent points | −1.6 | +30.0 | +2.0 |",
    ]


def test_changed_settings_are_those_that_differ() -> None:
    runs = {"a": {0: made_up(0.5, 0.5)}, "b": {0: made_up(0.5, 0.5, length=9)}}
    assert changed_settings(runs) == {"pad.length": {"a": 200, "b": 9}}


def test_every_figure_is_drawn_for_any_recipes_and_seeds(params: Params, tmp_path: Path) -> None:
    for runs in (
        {"notebook": {0: made_up(0.5, 0.6)}},
        {
            "a": {0: made_up(0.5, 0.6), 1: made_up(0.6, 0.7)},
            "notebook": {0: made_up(0.5, 0.6), 1: made_up(0.5, 1)},
        },
    ):
        for name, figure in (
            ("accuracy", figures.accuracy(runs, params.published)),
            ("learning_curves", figures.learning_curves(runs, params.published)),
            ("roc", figures.roc(runs)),
            ("confusion", figures.confusion(runs)),
        ):
            figure.savefig(tmp_path / f"{name}.png")
            for axes in figure.axes:
                assert axes.get_xlabel() and axes.get_ylabel(), name


def test_curves_are_means_over_seeds() -> None:
    runs = {"a": {0: made_up(0.5, 0.6), 1: made_up(0.7, 0.6)}}
    curves = evaluate.learning_curves(runs)["a"]
    assert curves["epoch"].tolist() == [1, 2]
    assert curves["rnn"].tolist() == [0.5, 0.6]
    assert evaluate.roc_curves(runs)["a"]["lstm"].tolist()[-1] == 1.0


def test_a_run_that_was_dropped_is_deleted(
    params: Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    small = params.model_copy(update={"recipes": ("tuned",), "seeds": (0, 1)})
    for seed in (0, 1, 2):
        files.new_file(files.RUNS / f"tuned-{seed}.json", json.dumps(made_up(0.5, 0.6)))
    runs = evaluate.read_runs(small)
    assert list(runs) == ["tuned"] and list(runs["tuned"]) == [0, 1]
    assert sorted(path.name for path in files.RUNS.iterdir()) == ["tuned-0.json", "tuned-1.json"]
    assert "tuned-2.json belongs to no run" in capsys.readouterr().out

    (files.RUNS / "tuned-1.json").unlink()
    files.new_file(files.RUNS / "left-9.json", "{}")
    with pytest.raises(StageError, match=r"tuned-1\.json is not there"):
        evaluate.read_runs(small)
    assert (files.RUNS / "left-9.json").exists()  # nothing is deleted where something is wrong


def test_quote_replaces_what_stands_between_the_marks() -> None:
    readme = "before\n<!-- from reports/{0}.md -->\n{1}<!-- end of reports/{0}.md -->\nafter\n"
    assert quote(readme.format("speed", "old\n"), "speed", "new\n") == readme.format("speed", "new\n")
    with pytest.raises(StageError, match="once each"):
        quote(readme.format("results", "old\n"), "speed", "new\n")


@pytest.mark.parametrize("name", QUOTED)
def test_the_readme_quotes_the_reports(name: str) -> None:
    readme = (ROOT / "README.md").read_text()
    assert quote(readme, name, (ROOT / "reports" / f"{name}.md").read_text()) == readme
