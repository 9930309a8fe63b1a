"""The side study of whole reviews: poolings that are tried, and a recipe's runs, in one table."""

import json
from pathlib import Path

import pytest

from stages.scoring.histories import kept_accuracy
from tests.conftest import Project


def test_a_run_counts_with_the_epoch_that_was_kept(tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text("epoch,validation_accuracy\n1,0.5\n2,0.875\n3,0.75\n")
    for epoch, accuracy in ((3, 0.75), (2, 0.875)):
        (tmp_path / "summary.json").write_text(json.dumps({"kept_epoch": epoch}))
        assert kept_accuracy(tmp_path) == accuracy


def test_a_missing_run_is_named(project: Project) -> None:
    result = project.stage("tabulate")
    assert result.returncode == 1
    assert result.stderr.startswith(
        "tabulate: data/whole_reviews/tried/rnn-mean/provenance.json does not exist: "
    )


@pytest.mark.slow
def test_the_study_tries_poolings_and_scores_all_seeds(trained: Project) -> None:
    trained.params["whole_reviews"] |= {"seeds": [0], "poolings": ["max"]}
    trained.save_params()
    left_over = trained.folder / "data/whole_reviews/runs/other-3.json"
    left_over.parent.mkdir(parents=True)
    left_over.write_text("{}")
    trained.make("whole_reviews")
    table = json.loads(trained.text("data/whole_reviews/table.json"))
    assert json.loads(trained.text("reports/whole_reviews.json")) == table
    assert table["recipe"] == "long"
    assert [(row["cell"], row["pooling"]) for row in table["tried"]] == [("rnn", "max"), ("lstm", "max")]
    assert all(0 <= row["validation_accuracy"] <= 1 for row in table["tried"])
    assert list(table["runs"]) == ["0"]
    assert table["runs"]["0"]["settings"] == trained.params["long"]
    assert {"rnn", "lstm", "provenance"} < table["runs"]["0"].keys()
    assert not left_over.exists()
    code = {Path(name).name for name in table["provenance"]["code"]}
    assert {"train_variant.py", "train_rnn.py", "train_lstm.py", "training.py"} < code
    tried = json.loads(trained.text("data/whole_reviews/tried/lstm-max/provenance.json"))
    run = json.loads(trained.text("data/models/long/lstm-0/provenance.json"))
    assert tried["settings"]["model"]["pooling"] == "max"
    assert run["settings"]["model"]["pooling"] == trained.params["long"]["model"]["pooling"]

    # A run whose packages were others is refused.
    file = trained.folder / "data/whole_reviews/tried/lstm-max/provenance.json"
    made = file.read_text()
    file.unlink()
    file.write_text(json.dumps(tried | {"python": "3.9"}))
    refused = trained.stage("tabulate").stderr
    assert "lstm-max were trained with different versions: Python 3." in refused
    file.write_text(json.dumps(tried | {"code": {"stages/tabulate.py": "0"}}))
    assert "lstm-max was trained with another stages/tabulate.py" in trained.stage("tabulate").stderr
    file.write_text(made)

    # Another pooling tried, and taken: the tries stay, what has the recipe's pooling is trained again.
    trained.params["long"]["model"]["pooling"] = "max"
    trained.params["whole_reviews"]["poolings"] = ["max", "last"]
    trained.save_params()
    status = json.loads(trained.run("dvc", "status", "--json", "stages/whole_reviews/dvc.yaml").stdout)
    training = {name.partition(":")[2] for name in status if ":train_" in name}
    assert training == {"train_rnn@0", "train_lstm@0", "train_variant@rnn-last", "train_variant@lstm-last"}
