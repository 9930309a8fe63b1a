"""What users meet when something is wrong: one line, an exit status, nothing half-written."""

from pathlib import Path

import pytest

from stages.runner.dvc import NOTES
from tests.conftest import ROOT, Project, run_in

STAGES = sorted(path.stem for path in ROOT.glob("stages/[a-z]*.py"))
TOOLS = sorted(path.stem for path in ROOT.glob("stages/tools/[a-z]*.py"))
ARGUMENTS = {
    "pad": ("tuned",),
    "train_rnn": ("tuned", "0"),
    "train_lstm": ("tuned", "0"),
    "train_variant": ("tuned", "rnn", "0", "--out", "data/variant", "--set", "model.pooling=max"),
    "train_step": ("training", "rnn", "0", "--out", "data/step"),
    "score": ("tuned", "0"),
    "word_vectors": ("tuned",),
    "train_delayed_recall": ("lstm-chrono", "0.001", "0", "--out", "data/recall"),
    "inspect_models": ("tuned",),
}
# Stage → what it misses first where nothing has run yet.
MISSING = {
    "audit": "data/raw/word_index.json",
    "bag_of_words": "data/raw/train_labels.npy",
    "demo": "data/raw/word_index.json",
    "evaluate": "reports/runs/notebook-0.json",
    "film_groups": "data/raw/train_tokens.npy",
    "inspect_models": "data/padded/tuned/train_tokens.npy",
    "pad": "data/raw/train_labels.npy",
    "page": "reports/report.md",
    "release": "data/models/tuned/rnn-0/summary.json",
    "run_notebook": "data/raw/train_labels.npy",
    "score": "data/padded/tuned/train_tokens.npy",
    "tabulate": "data/whole_reviews/tried/rnn-mean/provenance.json",
    "tabulate_ablation": "data/ablation/runs/masking_and_prepadding-rnn-0/provenance.json",
    "tabulate_ablation_rates": "data/ablation_rates/runs/masking_and_prepadding-rnn-0.001/provenance.json",
    "tabulate_ladder": "data/ladder/runs/split_by_film-rnn-0/provenance.json",
    "tabulate_notebook": "data/keras_notebook/executed.ipynb",
    "train_lstm": "data/padded/tuned/settings.json",
    "train_rnn": "data/padded/tuned/settings.json",
    "train_step": "data/padded/tuned/settings.json",
    "train_variant": "data/padded/tuned/settings.json",
    "word_vectors": "data/padded/tuned/train_tokens.npy",
}
NO_RECIPE = {
    "audit",
    "download",
    "film_groups",
    "page",
    "run_notebook",
    "tabulate_delayed_recall",
    "train_delayed_recall",
}


def assert_refused(project: Project, status: int, said: str, stage: str, *arguments: str) -> None:
    result = project.stage(stage, *arguments)
    assert result.returncode == status, result.stderr
    lines = [
        line for line in result.stderr.splitlines() if not NOTES.match(line)
    ]  # TensorFlow's, at its import
    assert len(lines) == 1 and said in lines[0], result.stderr
    written = [path for path in (project.folder / "data").rglob("*") if path.is_file()]
    assert {path.name for path in written} == {".gitignore", "README.md"}


def test_wrong_arguments(project: Project) -> None:
    said = "recipe 'other' is not in params.yaml, which has long, notebook, prepadded, tuned"
    for stage, arguments in ARGUMENTS.items():
        if stage not in {*NO_RECIPE, "train_step"}:
            assert_refused(project, 1, f"{stage}: {said}", stage, "other", *arguments[1:])
    steps = "split_by_film, mean_pooling, training, own_learning_rates"
    said = f"step 'other' is not in ladder.steps, which has {steps}"
    assert_refused(project, 1, f"train_step: {said}", "train_step", "other", *ARGUMENTS["train_step"][1:])
    assert_refused(project, 2, "argument seed: invalid int value: 'x'", "train_rnn", "tuned", "x")
    assert_refused(project, 2, "the following arguments are required: seed", "train_lstm", "tuned")
    assert_refused(project, 2, "unrecognized arguments: extra", "download", "extra")
    said = "start = 'lstm': should be one of rnn-orthogonal, rnn-identity, lstm-unit, lstm-chrono"
    assert_refused(project, 1, said, "train_delayed_recall", "lstm", *ARGUMENTS["train_delayed_recall"][1:])


def test_stages_run_before_their_inputs_exist(project: Project) -> None:
    said = "does not exist: run the stages before this one, `dvc repro` runs all"
    # `download` and `train_delayed_recall` need nothing; what others say is in their studies' tests.
    others = {
        "choose",
        "download",
        "tabulate_best_rates",
        "tabulate_delayed_recall",
        "tabulate_learning_rates",
        "train_delayed_recall",
    }
    assert set(STAGES) - MISSING.keys() == others
    for stage, missing in MISSING.items():
        assert_refused(project, 1, f"{stage}: {missing} {said}", stage, *ARGUMENTS.get(stage, ()))


def test_a_wrong_parameter_stops_every_stage_that_reads_it(project: Project) -> None:
    project.params["tuned"]["train"]["epochs"] = 0
    project.save_params()
    said = "params.yaml: tuned.train.epochs = 0: should be greater than or equal to 1"
    for stage in STAGES:
        if stage not in NO_RECIPE:
            assert_refused(project, 1, f"{stage}: {said}", stage, *ARGUMENTS.get(stage, ()))
    project.params["delayed_recall"]["delays"] = [0]
    project.save_params()
    said = "params.yaml: delayed_recall.delays.0 = 0: should be greater than or equal to 2"
    for stage in ("tabulate_delayed_recall", "train_delayed_recall"):
        assert_refused(project, 1, f"{stage}: {said}", stage, *ARGUMENTS.get(stage, ()))


@pytest.mark.fault(
    "a validation split that cannot be met",
    "a line names it, exit status 1",
    "everything; nothing is written",
)
@pytest.mark.parametrize("split_by", ["review", "film"])
def test_a_validation_split_that_cannot_be_met(project: Project, split_by: str) -> None:
    for stage in ("download", "film_groups"):
        assert project.stage(stage).returncode == 0
    project.params["tuned"]["pad"] |= {"split_by": split_by, "validation_split": 0.001}
    project.save_params()
    result = project.stage("pad", "tuned")
    assert result.returncode == 1
    assert result.stderr.startswith("pad: tuned.pad.validation_split = 0.001 cannot be met: ")
    assert len(result.stderr.splitlines()) == 1
    assert not list((project.folder / "data").glob("padded/*"))


@pytest.mark.parametrize("command", [*STAGES, *(f"tools.{tool}" for tool in TOOLS)])
def test_a_command_explains_itself_and_does_nothing(tmp_path: Path, command: str) -> None:
    result = run_in(
        tmp_path, "env", f"PYTHONPATH={ROOT}", "python", "-m", f"stages.{command}", "--help", check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(f"usage: python -m stages.{command} ")
    assert len(result.stdout.splitlines()) > 4
    assert not list(tmp_path.iterdir())
