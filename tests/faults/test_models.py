"""Model files that would do harm, or are of something else: `predict` takes none of them."""

import json
import os
import pickle
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stages.networks.models import load_network, save_model
from stages.networks.provenance import FILE
from stages.params.recipe import CELLS
from stages.runtime.errors import StageError
from stages.runtime.files import RELEASED
from tests.conftest import ROOT, run_in
from tests.faults.random_models import save_random
from tests.faults.test_archives import Trap

Predicting = Callable[..., tuple[int, str, str]]
SAID = "a line names the file, and what restores it"
NOTHING = "everything: no code of the file's runs, nothing is printed"


def with_config(config: dict[str, Any]) -> Callable[[Path], None]:
    """Return what replaces the configuration in a model file."""

    def write(path: Path) -> None:
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in (members | {"config.json": json.dumps(config).encode()}).items():
                archive.writestr(name, content)

    return write


def lambda_layer(path: Path) -> None:
    import keras

    layer = keras.layers.Lambda(
        lambda each: (__import__("pathlib").Path("executed").mkdir(exist_ok=True), each)[1],
        output_shape=(1,),
        name="rnn",
    )
    keras.Sequential([keras.Input((1,)), layer]).save(path)


def a_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps(Trap(Path("executed"))))


def other_weights(number: float) -> Callable[[Path], None]:
    """Return what writes a model one of whose weights is this number."""

    def write(path: Path) -> None:
        model = load_network(path, "keras").model
        model.set_weights([np.full_like(weights, number) for weights in model.get_weights()])
        save_model(model, path)

    return write


MAKES_A_FOLDER = {
    "module": "os",
    "class_name": "mkdir",
    "config": {"path": "executed"},
    "registered_name": None,
}
IN_A_LIST = {"module": "builtins", "class_name": "function", "config": "eval", "registered_name": "function"}
OTHER = "model.keras is no model of the settings in data/released/rnn/provenance.json: delete it, and"
DAMAGED = "predict: data/released/rnn/model.keras is damaged ("


@pytest.mark.parametrize(
    ("write", "said"),
    [
        pytest.param(write, said, id=name, marks=pytest.mark.fault(name, SAID, NOTHING))
        for name, write, said in (
            ("a model file with a Lambda layer, which is code", lambda_layer, DAMAGED),
            ("a model file that is a pickle that runs code", a_pickle, DAMAGED),
            ("a model file that names a function of Python's", with_config(MAKES_A_FOLDER), DAMAGED),
            (
                "a model file with a layer of another module",
                with_config(
                    {
                        "module": "keras",
                        "class_name": "Sequential",
                        "config": {"name": "rnn_sentiment", "layers": [MAKES_A_FOLDER, IN_A_LIST]},
                        "registered_name": None,
                    }
                ),
                DAMAGED,
            ),
            ("a model file that is cut off", lambda path: os.truncate(path, 1000), DAMAGED),
            (
                "a model file of other shapes than its settings",
                lambda path: save_random(path, "rnn", num_words=5),
                OTHER,
            ),
            (
                "a model file of another cell",
                lambda path: save_random(path, "lstm"),
                OTHER,
            ),
            (
                "a model file with weights that are not numbers",
                other_weights(float("nan")),
                "model.keras has weights that are no finite numbers: delete it, and",
            ),
        )
    ],
)
def test_model_files_that_predict_refuses(
    predicting: Predicting, write: Callable[[Path], None], said: str
) -> None:
    write(RELEASED / "rnn/model.keras")
    status, printed, line = predicting("--json", "one")
    assert (status, printed) == (1, ""), line
    assert said in line and line.count("\n") == 1
    assert not Path("executed").exists()


def test_the_traps_would_go_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    monkeypatch.chdir(tmp_path)
    ways: tuple[tuple[Callable[[Path], None], Callable[[Path], object]], ...] = (
        (lambda_layer, lambda path: keras.models.load_model(path, safe_mode=False)(np.ones((1, 1)))),
        (a_pickle, lambda path: pickle.loads(path.read_bytes())),
    )
    for write, load in ways:
        write(tmp_path / "model.keras")
        with suppress(FileNotFoundError):
            Path("executed").rmdir()  # Keras may call the layer when it builds the model
        load(tmp_path / "model.keras")
        assert Path("executed").exists()


@pytest.mark.fault("a model file with a Lambda layer, at `release` and `score`", "neither opens it", NOTHING)
def test_release_and_score_load_no_model() -> None:
    code = (
        "import sys, stages.release, stages.score; print(*sorted({'keras', 'tensorflow'} & set(sys.modules)))"
    )
    assert run_in(ROOT, "python", "-c", code).stdout == "\n"


@pytest.mark.fault("provenance that is something else", SAID, NOTHING)
@pytest.mark.parametrize("made", [[], {}, {"settings": 3}, {"settings": {"pad": {}, "model": {}}}])
def test_provenance_that_predict_refuses(predicting: Predicting, made: Any) -> None:
    for cell in CELLS:
        (RELEASED / cell / FILE).write_text(json.dumps(made))
    status, printed, line = predicting("one")
    assert (status, printed) == (1, "")
    assert (
        line.startswith("predict: data/released/rnn/provenance.json is damaged (") and line.count("\n") == 1
    )


@pytest.mark.fault("a model file that is a zip bomb", SAID, NOTHING)
def test_a_model_file_that_is_a_zip_bomb(released: Path) -> None:
    path = RELEASED / "rnn/model.keras"
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():  # spaces after JSON are no mistake
            archive.writestr(name, content + b" " * 10**6 * (name == "config.json"))
    with pytest.raises(StageError, match="is compressed"):
        load_network(path, "keras")
