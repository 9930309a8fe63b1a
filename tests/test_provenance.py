"""What a model was trained with, and what is said where that has changed since."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.networks import training
from stages.networks.provenance import PACKAGES, check_current, differing, provenance
from stages.networks.training import check_padded
from stages.params.recipe import load_recipe
from stages.runtime import sources
from stages.runtime.errors import StageError
from stages.runtime.files import write_array, write_atomically
from tests.conftest import Project
from tests.examples import PARAMS


def test_provenance_names_settings_code_and_packages() -> None:
    made = provenance({"epochs": 5})
    assert made["settings"] == {"epochs": 5}
    assert {"stages/__init__.py", "stages/networks/provenance.py"} <= set(made["code"])
    assert all(len(digest) == 64 for digest in made["code"].values())
    assert set(made["packages"]) == set(PACKAGES)
    assert made["python"].startswith("3.")
    assert json.loads(json.dumps(made)) == made


def test_digests_are_those_of_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is imported later, an edit in between included, has the digest that its file had at the start."""
    name = "stages/networks/provenance.py"
    assert sources.digests() == sources.DIGESTS
    monkeypatch.setitem(sources.DIGESTS, name, "before the edit")
    made = provenance({})
    assert made["code"][name] == "before the edit"
    with pytest.raises(StageError, match=r"another stages/networks/provenance\.py than the present one"):
        check_current("run", made, {})


def test_nothing_is_said_where_nothing_changed() -> None:
    check_current("run", provenance({"train": {"epochs": 5}}), {"train": {"epochs": 5}})


def test_a_changed_setting_is_named() -> None:
    with pytest.raises(StageError) as error:
        check_current("tuned rnn seed 0", provenance({"train": {"epochs": 5}}), {"train": {"epochs": 6}})
    assert str(error.value) == (
        "tuned rnn seed 0 was trained with train.epochs = 5, but params.yaml now has 6; train it again, and "
        "change nothing meanwhile"
    )


def test_a_changed_module_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = provenance({})
    for name in made["code"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((sources.ROOT / name).read_bytes())
    monkeypatch.setattr(sources, "ROOT", tmp_path)
    check_current("run", made, {})
    with (tmp_path / "stages/networks/provenance.py").open("a") as file:
        file.write("# edited\n")
    with pytest.raises(StageError, match=r"run was trained with another .*provenance\.py than the present"):
        check_current("run", made, {})
    (tmp_path / "stages/networks/provenance.py").unlink()
    with pytest.raises(StageError, match=r"another .*/provenance\.py than the present"):
        check_current("run", made, {})


def test_reviews_padded_with_other_settings_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_recipe("tuned", PARAMS).pad
    write_atomically(Path("data/padded/other/settings.json"), settings.model_dump_json())
    check_padded("other", settings)
    with pytest.raises(StageError) as error:
        check_padded("other", settings.model_copy(update={"padding": "post"}))
    assert str(error.value) == (
        "data/padded/other was padded with padding = pre, not post: `dvc repro` runs `pad`"
    )


def test_a_training_checks_its_reviews_first_and_its_settings_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def edits(*_: object) -> training.Fitted:
        Path("params.yaml").write_text(PARAMS.read_text().replace("units: 128", "units: 64"))
        return training.Fitted([{"epoch": 1}], 1, np.zeros(2, np.float32))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(training, "fit", edits)
    Path("params.yaml").write_text(PARAMS.read_text())
    settings = load_recipe("notebook").pad
    padded = Path("data/padded/notebook")
    for split in ("train", "validation", "test"):
        write_array(padded / f"{split}_tokens.npy", np.ones((2, settings.maxlen), np.int32))
        write_array(padded / f"{split}_labels.npy", np.zeros(2, np.uint8))
    write_array(Path("data/word_vectors/notebook.npy"), np.empty((0, 128), np.float32))
    for each, said in (
        (settings.model_copy(update={"padding": "pre"}), "was padded with padding = pre, not post"),
        (settings, "was trained with model.units = 128, but params.yaml now has 64"),
    ):
        write_atomically(padded / "settings.json", each.model_dump_json())
        with pytest.raises(StageError, match=said):
            training.train_run("rnn", "notebook", 0, Path("data/models/run"))
        assert not Path("data/models/run").exists()


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ({}, {}, {}),
        ({"a": 1}, {"a": 2}, {"a": (1, 2)}),
        ({"a": {"b": 1, "c": 3}}, {"a": {"b": 2, "c": 3}}, {"a.b": (1, 2)}),
        ({"a": 1}, {"b": 1}, {"a": (1, None), "b": (None, 1)}),
    ],
)
def test_what_differs(one: dict[str, Any], other: dict[str, Any], expected: dict[str, Any]) -> None:
    assert differing(one, other) == expected


EDITED = """
import runpy, sys
from pathlib import Path
from stages.networks import training
fit = training.fit
def editing(*arguments, **options):
    path = Path({path!r})
    path.write_text(path.read_text().replace({old!r}, {new!r}))
    return fit(*arguments, **options)
training.fit = editing
sys.argv = ["train_rnn", "notebook", "0"]
runpy.run_module("stages.train_rnn", run_name="__main__", alter_sys=True)
"""


@pytest.mark.fault(
    "an edit of `{path}` while a stage trains",
    "the stage fails, and names what has changed, exit status 1",
    "the former results; no model of the former code or parameters is taken for one of the new",
)
@pytest.mark.parametrize(
    ("path", "old", "new", "said"),
    [
        (
            "params.yaml",
            "units: 128",
            "units: 64",
            "trained with model.units = 128, but params.yaml now has 64",
        ),
        (
            "stages/networks/batches.py",
            "POOL = 50",
            "POOL = 40",
            "trained with another stages/networks/batches.py than",
        ),
    ],
)
def test_an_edit_in_mid_run_fails_the_stage_and_leaves_nothing(
    trained: Project, path: str, old: str, new: str, said: str
) -> None:
    trained.params["notebook"] = trained.params["prepadded"]
    trained.save_params()
    for kind in ("padded", "word_vectors"):
        for each in (trained.folder / "data" / kind).glob("prepadded*"):
            each.with_name(each.name.replace("prepadded", "notebook")).symlink_to(each)
    result = trained.run("python", "-c", EDITED.format(path=path, old=old, new=new), check=False)
    assert result.returncode == 1
    assert f"train_rnn: notebook rnn seed 0 was {said}" in result.stderr
    assert not list((trained.folder / "data/models").glob("notebook/*"))


@pytest.mark.fault(
    "a model of other settings or versions in a run's folder: `{new}`",
    "`score` refuses it, and names what differs, exit status 1",
    "the former scores",
)
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"units": 128', '"units": 64', " was trained with model.units = 64, but params.yaml now has 128"),
        (
            '"python": "3',
            '"python": "0',
            " and data/models/tuned/lstm-0 were trained with different versions: ",
        ),
    ],
)
def test_score_refuses_models_of_other_settings_or_versions(
    trained: Project, old: str, new: str, said: str
) -> None:
    made = trained.folder / "data/models/tuned/rnn-0/provenance.json"
    text = made.read_text()
    made.unlink()  # a link into the cache
    made.write_text(text.replace(old, new))
    result = trained.stage("score", "tuned", "0")
    assert result.returncode == 1
    assert f"data/models/tuned/rnn-0{said}" in result.stderr
