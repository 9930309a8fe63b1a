"""`params.yaml`: what is accepted, and what is said about what is not."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from stages import StageError
from stages.params.study import load_params
from tests.conftest import ROOT
from tests.examples import PARAMS

MISSING = object()


def write(folder: Path, name: str, value: Any) -> Path:
    """Write the project's parameters with the one called `name` set to `value`, or left out."""
    params = YAML(typ="safe", pure=True).load(PARAMS.read_text())
    *blocks, last = name.split(".")
    block = params
    for part in blocks:
        block = block[part]
    if value is MISSING:
        del block[last]
    else:
        block[last] = value
    path = folder / "params.yaml"
    with path.open("w") as file:
        YAML(typ="safe", pure=True).dump(params, file)
    return path


def test_the_projects_own_parameters() -> None:
    load_params(ROOT / "params.yaml")  # whatever their values are


def test_values_are_those_of_the_file() -> None:
    params = load_params(PARAMS)
    notebook = params.blocks["notebook"]
    assert (notebook.pad.vocabulary, notebook.pad.length, notebook.pad.padding) == (10000, 200, "post")
    assert (notebook.model.embedding_width, notebook.model.units, notebook.model.masking) == (128, 128, False)
    assert (notebook.train.batch_size, notebook.train.epochs, notebook.train.keep) == (32, 5, "last")
    assert notebook.rnn.learning_rate == notebook.lstm.learning_rate == 0.001
    assert notebook.train.clip_norm is None
    assert (params.recipes, params.seeds) == (("notebook", "prepadded", "tuned"), (0, 1, 2))


def test_nothing_can_be_changed() -> None:
    params = load_params(PARAMS)
    with pytest.raises(ValidationError, match="frozen"):
        setattr(params.blocks["tuned"].train, "epochs", 1)  # noqa: B010 - what mypy would not let pass


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("tuned.pad.vocabulary", 3, "tuned.pad.vocabulary = 3: should be greater than or equal to 4"),
        ("tuned.pad.pairs", -1, "tuned.pad.pairs = -1: should be greater than or equal to 0"),
        (
            "tuned.pad.pairs",
            9997,
            "pairs = 9997: should be at most 9996, as vocabulary holds them and 4 others",
        ),
        ("tuned.pad.length", 0, "tuned.pad.length = 0: should be greater than or equal to 1"),
        ("tuned.pad.validation_share", 0.0, "tuned.pad.validation_share = 0.0: should be greater than 0"),
        ("tuned.pad.validation_share", 1.0, "tuned.pad.validation_share = 1.0: should be less than 1"),
        ("tuned.pad.padding", "left", "tuned.pad.padding = 'left': should be 'pre' or 'post'"),
        ("tuned.pad.truncating", "both", "tuned.pad.truncating = 'both': should be 'pre' or 'post'"),
        ("tuned.pad.validation", "names", "pad.validation = 'names': should be 'reviews' or 'films'"),
        ("tuned.pad.split_seed", -1, "tuned.pad.split_seed = -1: should be greater than or equal to 0"),
        ("tuned.model.units", 0, "tuned.model.units = 0: should be greater than or equal to 1"),
        ("tuned.model.units", "128", "tuned.model.units = '128': should be a valid integer"),
        ("tuned.model.units", 128.0, "tuned.model.units = 128.0: should be a valid integer"),
        ("tuned.model.units", True, "tuned.model.units = True: should be a valid integer"),
        ("tuned.model.embedding_window", 0, "embedding_window = 0: should be greater than or equal to 1"),
        ("tuned.model.masking", "no", "tuned.model.masking = 'no': should be a valid boolean"),
        ("tuned.model.activation", "gelu", "activation = 'gelu': should be 'tanh', 'relu' or 'sigmoid'"),
        ("tuned.model.output_dropout", 1, "tuned.model.output_dropout = 1: should be less than 1"),
        ("tuned.train.optimizer", "lion", "optimizer = 'lion': should be 'adam', 'rmsprop' or 'sgd'"),
        ("tuned.train.clip_norm", 0.0, "tuned.train.clip_norm = 0.0: should be greater than 0"),
        ("tuned.train.keep", "first", "tuned.train.keep = 'first': should be 'last' or 'best'"),
        ("tuned.rnn.learning_rate", -0.1, "tuned.rnn.learning_rate = -0.1: should be greater than 0"),
        ("tuned.lstm.learning_rate", float("nan"), "tuned.lstm.learning_rate = nan: should be a finite"),
        ("seeds", [], "seeds = []: List should have at least 1 item"),
        ("seeds", [0, 1, 1], "seeds = [0, 1, 1]: should hold each value once, and 1 stands there twice"),
        ("seeds", [-1], "seeds.0 = -1: should be greater than or equal to 0"),
        ("seeds", 3, "seeds = 3: should be a valid list"),
        ("recipes", ["tuned", "tuned"], "should hold each value once, and 'tuned' stands there twice"),
        ("recipes", ["Tuned!"], "recipes.0 = 'Tuned!': String should match pattern"),
        (
            "recipes",
            ["other"],
            "recipes names 'other', which has no block; the blocks are long, notebook, prepadded",
        ),
        (
            "search.recipe",
            "other",
            "search.recipe names 'other', which has no block; the blocks are long, notebook",
        ),
        ("bag_of_words.recipe", "other", "bag_of_words.recipe names 'other', which has no block"),
        ("inside.shown_tokens", [60, 20], "inside.shown_tokens = [60, 20]: should be the least and the most"),
        ("inside.shown_tokens", [20], "inside.shown_tokens.1 is missing"),
        ("probe.vocabulary", 3, "probe.vocabulary = 3: should be greater than or equal to 4"),
        ("probe.train.epochs", 0, "probe.train.epochs = 0: should be greater than or equal to 1"),
        ("comparison.resamples", 10, "comparison.resamples = 10: should be greater than or equal to 100"),
        ("search.learning_rates", [0], "search.learning_rates.0 = 0: should be greater than 0"),
        ("search.settings", {"train.epochs": []}, "search.settings.train.epochs = []: List should have"),
        ("download.mirrors", [], "download.mirrors = []: List should have at least 1 item"),
        ("download.digests.archive", ["abc"], "download.digests.archive.0 = 'abc': String should match"),
        ("tuned.train.epochs", MISSING, "tuned.train.epochs is missing"),
        ("seeds", MISSING, "seeds is missing"),
        ("tuned.train.epoch", 3, "tuned.train.epoch is no parameter"),
        ("tuned", None, "tuned = None: should be a valid dictionary"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(
    tmp_path: Path, name: str, value: Any, said: str
) -> None:
    with pytest.raises(StageError) as error:
        load_params(write(tmp_path, name, value))
    assert said in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_a_misspelt_name_is_recognised(tmp_path: Path) -> None:
    path = write(tmp_path, "tuned.train.epochs", 3)
    path.write_text(path.read_text().replace("epochs: 3", "epoch: 3"))
    with pytest.raises(StageError) as error:
        load_params(path)
    assert str(error.value).endswith("epoch is no parameter; did you mean tuned.train.epochs?")


def test_every_mistake_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, "tuned.train.epochs", 0)
    path.write_text(path.read_text().replace("padding: post", "padding: left"))
    with pytest.raises(StageError) as error:
        load_params(path)
    assert len(str(error.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: run this in the project's root folder"),
        (b"seeds: [0", "is not valid YAML"),
        (b"\xff\xfe", "is not valid YAML"),
        (b"seeds: [0]\nseeds: [1]", "is not valid YAML"),
        (b"", "should be a mapping"),
        (b"- a list", "should be a mapping"),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "params.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StageError, match=said) as error:
        load_params(path)
    assert len(str(error.value).splitlines()) == 1
