"""params.yaml and `--set`, mutated by the thousand: accepted, or `StageError` says what is wrong."""

import copy
import datetime
import math
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from stages.params.delayed_recall import load_delayed_recall
from stages.params.download import load_download
from stages.params.ladder import load_ladder, settings_after
from stages.params.recipe import Train, changed, load_recipe, setting
from stages.params.study import load_params
from stages.runtime.errors import StageError
from tests.examples import PARAMS

WHOLE: dict[str, Any] = YAML(typ="safe", pure=True).load(PARAMS.read_text())
RECIPE = load_recipe("tuned", PARAMS)
HAPPENS = "lines say which parameters are wrong, and what is allowed"
NOTHING = "everything; nothing is started"

# The same cases in every run.
fuzzed = settings(
    derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck), max_examples=400
)


def paths(value: Any, *above: Any) -> Iterator[tuple[Any, ...]]:
    """Yield where every value within `value` stands: keys and places in lists."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield (*above, key)
        yield from paths(value[key], *above, key)


NUMBERS = (0, 1, -1, 2**31, 2**32, 2**63, 10**30, 1e-320, 1e-30, 1e30, 1e308, float("nan"), float("inf"))
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(NUMBERS),
    st.integers(),
    st.floats(),
    st.floats(0, 1),
    st.text(max_size=8),
    st.sampled_from(["tuned", "long", "train.epochs=3", "train.epochs=0", "=", "post", "a" * 10**5]),
    st.binary(max_size=4),
    st.just(datetime.date(2001, 2, 3)),
)
VALUES = st.recursive(
    SCALARS, lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=4), each, max_size=3)
)
KEYS = st.sampled_from([1, None, True, 2.5, "", "tuned", "Tuned!", "epoch", "keep", "lstm", "probe", "pad"])
MUTATIONS = st.lists(
    st.tuples(
        st.sampled_from(list(paths(WHOLE))), st.sampled_from(["set", "near", "delete", "add"]), KEYS, VALUES
    ),
    min_size=1,
    max_size=2,
)


def mutate(params: dict[str, Any], path: tuple[Any, ...], how: str, key: Any, value: Any) -> None:
    """Change `params` in place at a path, where it still leads somewhere."""
    *above, last = path
    block: Any = params
    for each in above:
        block = block[each]
    if how == "add" and isinstance(block, dict):
        block[key] = value
    elif how == "near" and isinstance(block[last], float | int):
        block[last] = block[last] * 3 if block[last] else 0.25
    elif how == "delete":
        del block[last]
    else:
        block[last] = value


def load_all() -> None:
    """Read all that the stages and tools read, as they do."""
    params = load_params()
    study = params.ablation
    for variant in study.variants:
        changed(study.recipe, params.blocks[study.recipe], variant.changes())
    for reviews in study.reviews:
        changed(study.recipe, params.blocks[study.recipe], map(setting, reviews.settings.split()))


def load_steps() -> None:
    ladder = load_ladder()
    first, last = load_recipe(ladder.first), load_recipe(ladder.last)
    for step in ladder.steps:
        changed(ladder.first, first, settings_after(ladder, step.name, first, last))


LOADERS: tuple[Callable[[], object], ...] = (
    load_all,
    load_steps,
    load_download,
    load_delayed_recall,
    lambda: load_recipe("tuned"),
)


def refused(load: Callable[[], object]) -> bool:
    """Return whether it is refused, by an error of the project's own that says something."""
    try:
        load()
    except StageError as error:
        assert str(error).strip()
        return True
    return False


@pytest.mark.fault(
    "values in params.yaml that are missing, unknown, huge or of another type", HAPPENS, NOTHING
)
def test_values_that_are_mutated() -> None:
    found: list[bool] = []

    @fuzzed
    @given(MUTATIONS)
    def run(mutations: list[tuple[Any, ...]]) -> None:
        params = copy.deepcopy(WHOLE)
        for mutation in mutations:
            with suppress(KeyError, IndexError, TypeError):  # the one before has taken it away
                mutate(params, *mutation)
        with ExitStack() as stack:
            for module in ("study", "recipe", "download", "delayed_recall", "ladder"):
                stack.enter_context(patch(f"stages.params.{module}.read", lambda _: copy.deepcopy(params)))
            found.extend(refused(load) for load in LOADERS)

    run()
    assert len(found) == 400 * len(LOADERS)
    assert 400 < sum(found) < len(found) - 400


HEAD = b"# A comment.\nseeds: [0, 1]\n"
TUNED = HEAD + b"tuned:" + PARAMS.read_bytes().split(b"\ntuned:")[1].split(b"\nlong:")[0]
REST = b"num_words: 10, maxlen: 5, truncating: pre, validation_split: 0.1, split_seed: 0"
TUNED = TUNED.replace(b"<<: *pad", REST)  # whose anchor is in another recipe
PIECES = st.binary(max_size=6) | st.sampled_from(
    [
        *(b"\x00", b"\xff", b"\xc3", b"\xe2\x80\xa8", b"\xef\xbb\xbf", b"\x85", b"\x1b[0m"),
        *(bytes([each]) for each in b"{}[]:-#%@`!&*|>'\"?,<= "),
        *(b"\t", b"\r", b"\n", b"\n---\n", b"\n...\n", b"\n- ", b" *tuned_model", b"&a [*a]", b"2001-13-45"),
        *(b"9" * 5000, b"[" * 2000, b"{a: " * 500, b"1e999", b".nan", b"0x1F", b"1_0", b"~", b"!!str "),
        *(b"!!python/object/apply:os.abort []", b"tuned:", b"pad:", b"  units: 3\n", b"null"),
    ]
)
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "latin-1", "cp037"])


@pytest.mark.fault("params.yaml is damaged, or in another encoding", HAPPENS, NOTHING)
def test_bytes_that_are_mutated(tmp_path: Path) -> None:
    found: list[bool] = []
    path = tmp_path / "params.yaml"
    place = st.integers(0, len(TUNED))

    @fuzzed
    @given(st.lists(st.tuples(place, st.integers(0, 12), PIECES), min_size=1, max_size=3), ENCODINGS)
    def run(edits: list[tuple[int, int, bytes]], encoding: str) -> None:
        content = TUNED.decode().encode(encoding)
        for begin, length, piece in edits:
            content = content[:begin] + piece + content[begin + length :]
        path.write_bytes(content)
        found.append(refused(lambda: load_recipe("tuned", path)))

    path.write_bytes(TUNED)
    assert not refused(lambda: load_recipe("tuned", path))
    run()
    assert len(found) == 400
    assert 200 < sum(found) < 395


@pytest.mark.fault("`--set` with anything", HAPPENS, NOTHING)
def test_settings_that_are_mutated() -> None:
    found: list[bool] = []
    names = [f"{part}.{name}" for part, block in RECIPE.model_dump().items() for name in block]
    texts = st.text(max_size=12) | st.integers().map(str) | st.floats().map(str) | st.sampled_from("[{*&!|>")

    @fuzzed
    @given(st.sampled_from([*names, "units", "", "model.", ".", "model.unit"]), st.sampled_from("=: "), texts)
    def run(name: str, equals: str, text: str) -> None:
        found.append(refused(lambda: changed("tuned", RECIPE, [setting(name + equals + text)])))

    run()
    assert len(found) == 400
    assert 200 < sum(found) < 395


LONG = f"0x{'f' * 5000}"  # a number that Python does not print


@pytest.mark.fault("odd values and names in params.yaml", HAPPENS, NOTHING)
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(HEAD + b"x: !!bool maybe", id="a text that is tagged as a truth value"),
        pytest.param(HEAD + b"x: !!int ''", id="an empty text that is tagged as a number"),
        pytest.param(TUNED.replace(b"units: 128", f"units: {LONG}".encode()), id="a number without end"),
        pytest.param(HEAD + b"1: {pad: {}}", id="a name that is a number"),
    ],
)
def test_odd_files(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "params.yaml").write_bytes(content)
    assert refused(lambda: load_recipe("tuned", tmp_path / "params.yaml"))


@pytest.mark.fault("odd values behind `--set`", HAPPENS, NOTHING)
@pytest.mark.parametrize("value", ["2001-13-45", "!!bool maybe", "[" * 999, LONG])
def test_odd_settings(value: str) -> None:
    assert refused(lambda: changed("tuned", RECIPE, [setting(f"model.units={value}")]))


@pytest.mark.fault(
    "{name} = {value:g} in a recipe",
    "training goes on with finite numbers, or ends with the line on a loss that is not finite",
    "no number that is not finite gets into a model",
)
@pytest.mark.parametrize(
    ("name", "value"), [("epsilon", 1e300), ("epsilon", 1e-300), ("global_clipnorm", 1e300)]
)
def test_absurd_but_finite(name: str, value: float) -> None:
    """float32 makes infinity of the largest of these numbers, and 0 of the smallest."""
    from tests.test_training import small_fit  # TensorFlow takes seconds

    Train.model_validate(RECIPE.train.model_dump() | {name: value})  # allowed
    try:
        changes: dict[str, Any] = {name: value}
        network, fitted = small_fit("rnn", implementation="keras", epochs=1, **changes)
    except StageError as error:
        assert re.search(r"step \d: the loss is nan\. Lower the learning rate", str(error))
        return
    assert all(math.isfinite(number) for row in fitted.history for number in row.values())
    assert all(np.isfinite(weights).all() for weights in network.model.get_weights())
