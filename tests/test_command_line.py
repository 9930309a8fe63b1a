"""What users meet when something is wrong: one line, an exit status, nothing half-written."""

import pytest

from tests.conftest import Project

STAGES = (
    "download",
    "pad",
    "train_rnn",
    "train_lstm",
    "score",
    "release",
    "audit",
    "bag_of_words",
    "film_groups",
    "word_vectors",
    "train_delayed_recall",
    "score_delayed_recall",
    "inspect_models",
    "evaluate",
    "page",
)
DELAYED_RECALL = ("train_delayed_recall", "score_delayed_recall")
ARGUMENTS = {
    "pad": ("tuned",),
    "train_rnn": ("tuned", "0"),
    "train_lstm": ("tuned", "0"),
    "score": ("tuned", "0"),
    "word_vectors": ("tuned",),
    "train_delayed_recall": ("0",),
    "score_delayed_recall": ("0",),
    "inspect_models": ("tuned",),
}


def assert_refused(project: Project, status: int, said: str, stage: str, *arguments: str) -> None:
    result = project.stage(stage, *arguments)
    assert result.returncode == status, result.stderr
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1, result.stderr
    written = [path for path in (project.folder / "data").rglob("*") if path.name != ".gitignore"]
    assert not written


def test_wrong_arguments(project: Project) -> None:
    said = "recipe 'other' is not in params.yaml, which has long, notebook, prepadded, tuned"
    for stage in ("pad", "word_vectors", "train_rnn", "train_lstm"):
        assert_refused(project, 1, f"{stage}: {said}", stage, "other", *ARGUMENTS[stage][1:])
    assert_refused(project, 2, "argument seed: invalid int value: 'x'", "train_rnn", "tuned", "x")
    assert_refused(project, 2, "the following arguments are required: seed", "train_lstm", "tuned")
    assert_refused(project, 2, "unrecognized arguments: extra", "download", "extra")


def test_stages_run_before_their_inputs_exist(project: Project) -> None:
    said = "does not exist: run the stages before this one, `dvc repro` runs all"
    assert_refused(project, 1, f"pad: data/raw/train_labels.npy {said}", "pad", "tuned")
    for stage in ("train_rnn", "train_lstm", "score"):
        assert_refused(project, 1, f"{stage}: data/padded/tuned/train_tokens.npy {said}", stage, "tuned", "0")
    for stage, missing in (
        ("film_groups", "data/raw/train_tokens.npy"),
        ("word_vectors", "data/padded/tuned/train_tokens.npy"),
        ("release", "data/models/tuned/rnn-0/summary.json"),
        ("audit", "data/raw/word_index.json"),
        ("bag_of_words", "data/raw/train_labels.npy"),
        ("score_delayed_recall", "data/delayed_recall/0/provenance.json"),
        ("inspect_models", "data/padded/tuned/train_tokens.npy"),
        ("page", "reports/report.md"),
    ):
        assert_refused(project, 1, f"{stage}: {missing} {said}", stage, *ARGUMENTS.get(stage, ()))
    assert_refused(project, 1, f"evaluate: reports/runs/notebook-0.json {said}", "evaluate")


def test_a_wrong_parameter_stops_every_stage_that_reads_it(project: Project) -> None:
    project.params["tuned"]["train"]["epochs"] = 0
    project.save_params()
    said = "params.yaml: tuned.train.epochs = 0: should be greater than or equal to 1"
    for stage in STAGES:
        if stage not in ("audit", "film_groups", "page", "score", *DELAYED_RECALL):
            assert_refused(project, 1, f"{stage}: {said}", stage, *ARGUMENTS.get(stage, ()))
    project.params["delayed_recall"]["delays"] = [0]
    project.save_params()
    said = "params.yaml: delayed_recall.delays.0 = 0: should be greater than or equal to 1"
    assert_refused(project, 1, f"train_delayed_recall: {said}", "train_delayed_recall", "0")


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


def test_every_stage_explains_itself(project: Project) -> None:
    for stage in STAGES:
        result = project.stage(stage, "--help")
        assert result.returncode == 0
        assert result.stdout.startswith(f"usage: python -m stages.{stage} ")
        assert len(result.stdout.splitlines()) > 4
