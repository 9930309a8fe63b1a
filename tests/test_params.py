"""`params.yaml`: what is accepted, and what is said about what is not."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from stages.params.delayed_recall import load_delayed_recall
from stages.params.recipe import Recipe, changed, load_recipe
from stages.params.study import RENAMED, Params, load_params
from stages.runtime.errors import StageError
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
    assert (notebook.pad.num_words, notebook.pad.maxlen, notebook.pad.padding) == (10000, 200, "post")
    assert (notebook.model.embedding_dim, notebook.model.units, notebook.model.mask_zero) == (128, 128, False)
    assert (notebook.train.batch_size, notebook.train.epochs, notebook.train.checkpoint) == (32, 5, "last")
    assert notebook.rnn.learning_rate == notebook.lstm.learning_rate == 0.001
    assert notebook.train.global_clipnorm is None
    assert (params.recipes, params.seeds) == (("notebook", "prepadded", "tuned"), (0, 1, 2))


def test_nothing_can_be_changed() -> None:
    params = load_params(PARAMS)
    with pytest.raises(ValidationError, match="frozen"):
        setattr(params.blocks["tuned"].train, "epochs", 1)  # noqa: B010 - what mypy would not let pass


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("tuned.pad.num_words", 3, "tuned.pad.num_words = 3: should be greater than or equal to 4"),
        ("tuned.pad.maxlen", 0, "tuned.pad.maxlen = 0: should be greater than or equal to 1"),
        ("tuned.pad.validation_split", 0.0, "tuned.pad.validation_split = 0.0: should be greater than 0"),
        ("tuned.pad.validation_split", 1.0, "tuned.pad.validation_split = 1.0: should be less than 1"),
        ("tuned.pad.padding", "left", "tuned.pad.padding = 'left': should be 'pre' or 'post'"),
        ("tuned.pad.truncating", "both", "tuned.pad.truncating = 'both': should be 'pre' or 'post'"),
        ("tuned.pad.split_by", "name", "pad.split_by = 'name': should be 'review' or 'film'"),
        ("tuned.pad.split_seed", -1, "tuned.pad.split_seed = -1: should be greater than or equal to 0"),
        ("tuned.model.units", 0, "tuned.model.units = 0: should be greater than or equal to 1"),
        ("tuned.model.units", "128", "tuned.model.units = '128': should be a valid integer"),
        ("tuned.model.units", 128.0, "tuned.model.units = 128.0: should be a valid integer"),
        ("tuned.model.units", True, "tuned.model.units = True: should be a valid integer"),
        ("tuned.model.ppmi_window", 0, "ppmi_window = 0: should be greater than or equal to 1"),
        ("tuned.model.mask_zero", "no", "tuned.model.mask_zero = 'no': should be a valid boolean"),
        ("tuned.model.activation", "gelu", "activation = 'gelu': should be 'tanh', 'relu' or 'sigmoid'"),
        ("tuned.model.output_dropout", 1, "tuned.model.output_dropout = 1: should be less than 1"),
        ("tuned.train.optimizer", "lion", "optimizer = 'lion': should be 'adam', 'rmsprop' or 'sgd'"),
        ("tuned.train.global_clipnorm", 0.0, "tuned.train.global_clipnorm = 0.0: should be greater than 0"),
        (
            "tuned.model.units",
            10**30,
            "tuned.model.units = 1000000000000000000000000000000: should be less th",
        ),
        ("tuned.train.checkpoint", "first", "tuned.train.checkpoint = 'first': should be 'last' or 'best'"),
        pytest.param(
            "tuned.rnn.learning_rate",
            1e30,
            "tuned.rnn.learning_rate = 1e+30: should be less than or equal to 10",
            marks=pytest.mark.fault(
                "a learning rate of 1e30 in params.yaml", "a line says what is allowed", "everything"
            ),
        ),
        (
            "tuned.rnn.recurrent_initializer",
            "zeros",
            "initializer = 'zeros': should be 'orthogonal' or 'ident",
        ),
        ("tuned.lstm.chrono_t_max", 2, "tuned.lstm.chrono_t_max = 2: should be greater than or equal to 3"),
        ("tuned.rnn.learning_rate", -0.1, "tuned.rnn.learning_rate = -0.1: should be greater than 0"),
        ("tuned.lstm.learning_rate", float("nan"), "tuned.lstm.learning_rate = nan: should be a finite"),
        ("seeds", [], "seeds = []: List should have at least 1 item"),
        ("seeds", [0, 1, 1], "seeds = [0, 1, 1]: should hold each value once, but holds 1 twice"),
        ("seeds", [-1], "seeds.0 = -1: should be greater than or equal to 0"),
        ("seeds", 3, "seeds = 3: should be a valid list"),
        ("recipes", ["tuned", "tuned"], "should hold each value once, but holds 'tuned' twice"),
        ("recipes", ["Tuned!"], "recipes.0 = 'Tuned!': String should match pattern"),
        (
            "recipes",
            ["other"],
            "recipes = 'other': should be one of the blocks: long, notebook, prepadded",
        ),
        (
            "search.recipe",
            "other",
            "search.recipe = 'other': should be one of the blocks: long, notebook",
        ),
        (
            "release.recipe",
            "long",
            "release.recipe = 'long': should be one of `recipes`: notebook, prepadded",
        ),
        ("comparison.headline", "other", "comparison.headline = 'other': should be one of `recipes`: note"),
        ("published.recipe", "other", "published.recipe = 'other': should be one of the blocks"),
        (
            "learning_rates.recipes",
            ["tuned", "long"],
            "learning_rates.recipes = 'long': should be one of `recipes`: notebook, prepadded",
        ),
        ("learning_rates.seeds", [0], "learning_rates.seeds = [0]: should hold two seeds or more"),
        ("learning_rates.seeds", [1, 1], "learning_rates.seeds = [1, 1]: should hold each value once"),
        (
            "learning_rates.learning_rate",
            [0.01, 0.001],
            "learning_rates.learning_rate = [0.01, 0.001]: should rise from the lowest to the highest",
        ),
        ("learning_rates.learning_rate", [11], "learning_rates.learning_rate.0 = 11: should be less than"),
        (
            "best_rates.rates",
            [{"recipe": "long", "rnn": 0.1, "lstm": 0.1}],
            "best_rates.rates = 'long': should be one of learning_rates.recipes: prepadded, tuned",
        ),
        (
            "best_rates.rates",
            [{"recipe": "prepadded", "rnn": rate, "lstm": 0.1} for rate in (0.1, 0.2)],
            "should name each recipe once, but names 'prepadded' twice",
        ),
        ("best_rates.seeds", [3], "best_rates.seeds = [3]: should hold two seeds or more"),
        (
            "best_rates.seeds",
            [1, 2],
            "best_rates.seeds holds 1: should hold none of learning_rates.seeds, with which",
        ),
        ("whole_reviews.recipe", "tuned", "whole_reviews.recipe = 'tuned': should be none of `recipes`"),
        ("whole_reviews.recipe", "other", "whole_reviews.recipe = 'other': should be one of the blocks"),
        ("bag_of_words.recipe", "other", "bag_of_words.recipe = 'other': should be one of the blocks"),
        ("ablation.recipe", "other", "ablation.recipe = 'other': should be one of the blocks"),
        ("ablation.variants", [], "ablation.variants = []: List should have at least 1 item"),
        ("ablation_rates.seed", 1, "ablation_rates.seed = 1: should be none of ablation.seeds"),
        ("ablation_rates.margin", -1.0, "ablation_rates.margin = -1.0: should be greater than or equal to 0"),
        ("ladder.first", "other", "ladder.first = 'other': should be one of the blocks"),
        ("ladder.last", "other", "ladder.last = 'other': should be one of the blocks"),
        (
            "inspection.shown_tokens",
            [60, 20],
            "inspection.shown_tokens = [60, 20]: should be the least and the most",
        ),
        ("inspection.shown_tokens", [20], "inspection.shown_tokens.1 is missing"),
        (
            "delayed_recall.num_tokens",
            3,
            "delayed_recall.num_tokens = 3: should be greater than or equal to 4",
        ),
        (
            "delayed_recall.train.epochs",
            0,
            "delayed_recall.train.epochs = 0: should be greater than or equal to 1",
        ),
        ("search.learning_rate", [0], "search.learning_rate.0 = 0: should be greater than 0"),
        ("search.pooling", ["min"], "search.pooling.0 = 'min': should be 'last', 'mean' or 'max'"),
        ("download.mirrors", [], "download.mirrors = []: List should have at least 1 item"),
        ("download.digests.archive", ["abc"], "download.digests.archive.0 = 'abc': String should match"),
        ("tuned.train.epochs", MISSING, "tuned.train.epochs is missing"),
        ("seeds", MISSING, "seeds is missing"),
        ("tuned.train.epoch", 3, "tuned.train.epoch is not a parameter"),
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
    assert str(error.value).endswith("epoch is not a parameter; did you mean tuned.train.epochs?")


def test_every_mistake_is_reported(tmp_path: Path) -> None:
    path = write(tmp_path, "tuned.train.epochs", 0)
    path.write_text(path.read_text().replace("padding: post", "padding: left"))
    with pytest.raises(StageError) as error:
        load_params(path)
    assert len(str(error.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("former", "value", "said"),
    [
        ("tuned.train.keep", "best", "params.yaml: tuned.train.keep is now tuned.train.checkpoint"),
        ("tuned.pad.vocabulary", 10000, "params.yaml: tuned.pad.vocabulary is now tuned.pad.num_words"),
        ("comparison.resamples", 1000, "params.yaml: comparison.resamples is no longer a parameter"),
        ("comparison.n_resamples", 1000, "params.yaml: comparison.n_resamples is no longer a parameter"),
        ("comparison.seed", 0, "params.yaml: comparison.seed is no longer a parameter"),
        (
            "delayed_recall.train.kernel",
            "keras",
            "delayed_recall.train.kernel is now delayed_recall.train.impl",
        ),
        ("probe", {}, "params.yaml: probe is now delayed_recall"),
        (
            "delayed_recall.rnn",
            {"learning_rate": 0.001},
            "params.yaml: delayed_recall.rnn is now delayed_recall.learning_rate",
        ),
        (
            "delayed_recall.lstm",
            {"learning_rate": 0.001},
            "params.yaml: delayed_recall.lstm is now delayed_recall.learning_rate",
        ),
        ("tuned.pad.pairs", 0, "params.yaml: tuned.pad.pairs is no longer a parameter"),
        ("search.finalists", 2, "params.yaml: search.finalists is no longer a parameter"),
        (
            "bag_of_words.num_words",
            30000,
            "params.yaml: bag_of_words.num_words is no longer a parameter",
        ),
    ],
)
def test_a_former_name_is_answered_with_the_present_one(
    tmp_path: Path, former: str, value: Any, said: str
) -> None:
    with pytest.raises(StageError) as error:
        load_params(write(tmp_path, former, value))
    assert said in str(error.value).replace(str(tmp_path) + "/", "")
    assert len(str(error.value).splitlines()) == 1


def test_what_was_renamed_has_gone_and_what_it_became_exists() -> None:
    known = {"." + name for name in Params.model_fields}
    for block, fields in (
        ("", Params),
        *((name, each.annotation) for name, each in Params.model_fields.items()),
    ):
        known |= {f"{block}.{name}" for name in getattr(fields, "model_fields", ())}
    for part, field in Recipe.model_fields.items():
        known |= {f"{part}.{name}" for name in field.annotation.model_fields}  # type: ignore[union-attr]
    for former, present in RENAMED.items():
        assert f".{former}"[former.count(".") :] not in known
        assert present is None or f".{present}"[present.count(".") :] in known


def test_one_recipe_is_read_whatever_the_others_are(tmp_path: Path) -> None:
    path = write(tmp_path, "notebook.train.epochs", 0)
    assert load_recipe("tuned", path) == load_params(PARAMS).blocks["tuned"]
    with pytest.raises(StageError, match=r"params.yaml: notebook\.train\.epochs = 0: should be greater"):
        load_recipe("notebook", path)
    with pytest.raises(
        StageError, match=r"recipe 'gru' is not in .*, which has long, notebook, prepadded, tuned"
    ):
        load_recipe("gru", path)
    with pytest.raises(StageError, match="recipe 'seeds' is not in"):
        load_recipe("seeds", path)


def test_delayed_recall_is_read_by_itself(tmp_path: Path) -> None:
    path = write(tmp_path, "notebook.train.epochs", 0)
    assert load_delayed_recall(path) == load_params(PARAMS).delayed_recall
    with pytest.raises(StageError, match=r"delayed_recall\.learning_rate\.0 = 0: should be greater than 0"):
        load_delayed_recall(write(tmp_path, "delayed_recall.learning_rate", [0]))
    with pytest.raises(StageError, match=r"delayed_recall\.lstm is now delayed_recall\.learning_rate"):
        load_delayed_recall(write(tmp_path, "delayed_recall.lstm", {}))


def test_settings_of_a_recipe_can_be_changed() -> None:
    recipe = load_recipe("tuned", PARAMS)
    other = changed("tuned", recipe, [("model.pooling", "max"), ("rnn.learning_rate", 0.1)])
    assert (other.model.pooling, other.rnn.learning_rate, other.lstm) == ("max", 0.1, recipe.lstm)
    assert changed("tuned", recipe, []) == recipe
    with pytest.raises(
        StageError, match=r"'train\.epoch' is not a setting of recipe 'tuned', which has pad\.num_wo"
    ):
        changed("tuned", recipe, [("train.epoch", 3)])
    with pytest.raises(StageError, match=r"^tuned\.train\.epochs = 0: should be greater than or equal to 1$"):
        changed("tuned", recipe, [("train.epochs", 0)])


@pytest.mark.fault("params.yaml is missing, or no YAML", "a line says so, and where", "everything")
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: run this in the project's root folder"),
        (b"seeds: [0", "is not valid YAML"),
        (b"\xff\xfe", "is not valid YAML"),
        (b"seeds: [0]\nseeds: [1]", "is not valid YAML"),
        (b"seeds: [" + b"9" * 5000 + b"]", "is not valid YAML: Exceeds the limit"),
        (b"seeds: 2001-13-45", "is not valid YAML: month must be in"),
        (b"seeds: " + b"[" * 3000, "is not valid YAML: maximum recursion depth exceeded"),
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
