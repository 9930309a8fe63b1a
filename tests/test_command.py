"""What users meet when something is wrong: one line, an exit status, nothing half-written."""

from pathlib import Path

import pytest

from stages.runtime.files import new_file, new_folder
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
    "probe",
    "inside",
    "evaluate",
)
ARGUMENTS = {
    "pad": ("tuned",),
    "train_rnn": ("tuned", "0"),
    "train_lstm": ("tuned", "0"),
    "score": ("tuned", "0"),
    "probe": ("0",),
    "inside": ("tuned",),
}


def assert_refused(project: Project, status: int, said: str, stage: str, *arguments: str) -> None:
    result = project.stage(stage, *arguments)
    assert result.returncode == status, result.stderr
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1, result.stderr
    written = [path for path in (project.folder / "data").rglob("*") if path.name != ".gitignore"]
    assert not written


def test_wrong_arguments(project: Project) -> None:
    recipe = "recipe 'other' is not in params.yaml, which has long, notebook, prepadded, tuned"
    for stage in ("pad", "train_rnn", "train_lstm", "score", "inside"):
        assert_refused(project, 2, recipe, stage, "other", *ARGUMENTS[stage][1:])
    seed = "seed 7 is not in params.yaml, which has 0"
    for stage in ("train_rnn", "train_lstm", "score"):
        assert_refused(project, 2, seed, stage, "tuned", "7")
    assert_refused(project, 2, seed, "probe", "7")
    assert_refused(project, 2, "argument seed: invalid int value: 'x'", "train_rnn", "tuned", "x")
    assert_refused(project, 2, "the following arguments are required: seed", "train_lstm", "tuned")
    assert_refused(project, 2, "unrecognized arguments: extra", "download", "extra")


def test_stages_run_before_their_inputs_exist(project: Project) -> None:
    said = "is not there: run the stages before this one, `dvc repro` runs all"
    assert_refused(project, 1, f"pad: data/raw/train_tokens.npy {said}", "pad", "tuned")
    for stage in ("train_rnn", "train_lstm", "score"):
        assert_refused(project, 1, f"{stage}: data/padded/tuned/train_tokens.npy {said}", stage, "tuned", "0")
    for stage, missing in (
        ("release", "data/models/tuned/rnn-0/summary.json"),
        ("audit", "data/raw/word_index.json"),
        ("bag_of_words", "data/raw/train_tokens.npy"),
        ("inside", "data/padded/tuned/train_tokens.npy"),
    ):
        assert_refused(project, 1, f"{stage}: {missing} {said}", stage, *ARGUMENTS.get(stage, ()))
    assert_refused(project, 1, f"evaluate: reports/runs/notebook-0.json {said}", "evaluate")


def test_a_wrong_parameter_stops_every_stage(project: Project) -> None:
    project.params["notebook"]["train"]["epochs"] = 0
    project.save_params()
    said = "params.yaml: notebook.train.epochs = 0: should be greater than or equal to 1"
    for stage in STAGES:
        assert_refused(project, 1, f"{stage}: {said}", stage, *ARGUMENTS.get(stage, ()))


@pytest.mark.parametrize("validation", ["reviews", "films"])
def test_a_validation_share_that_cannot_be_met(project: Project, validation: str) -> None:
    assert project.stage("download").returncode == 0
    project.params["tuned"]["pad"] |= {"validation": validation, "validation_share": 0.001}
    project.save_params()
    result = project.stage("pad", "tuned")
    assert result.returncode == 1
    assert result.stderr.startswith("pad: tuned.pad.validation_share = 0.001 cannot be met: ")
    assert len(result.stderr.splitlines()) == 1
    assert not list((project.folder / "data").glob("padded/*"))


def test_every_stage_explains_itself(project: Project) -> None:
    for stage in STAGES:
        result = project.stage(stage, "--help")
        assert result.returncode == 0
        assert result.stdout.startswith(f"usage: python -m stages.{stage} ")
        assert len(result.stdout.splitlines()) > 4


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "target"
    with new_folder(target) as folder:
        new_file(folder / "old", "1")
    with pytest.raises(KeyboardInterrupt), new_folder(target) as folder:
        new_file(folder / "new", "2")
        raise KeyboardInterrupt
    assert [path.name for path in target.iterdir()] == ["old"]
    with new_folder(target) as folder:
        new_file(folder / "new", "2")
    assert [path.name for path in target.iterdir()] == ["new"]
    assert list(target.parent.iterdir()) == [target]
