"""From one recipe to another in single steps: the side study, and what the report says of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from stages.params.ladder import Ladder, Step, load_ladder, settings_after
from stages.params.recipe import CELLS, changed
from stages.params.study import load_params
from stages.reporting.comparison import compare_recipes
from stages.reporting.rendering import render
from stages.reporting.report import build_report, draw
from stages.reporting.sections.steps import Steps, steps_section
from stages.reporting.verdicts_variants import agree_by_chance, seeds_disagree, steps_taken
from stages.runtime.errors import StageError
from tests.conftest import ROOT, Project
from tests.examples import PARAMS, example_params, made_up_audit, made_up_bags, made_up_scores
from tests.examples_variants import made_up_ladder
from tests.test_report import made_up_inputs, small_params

REACHED = {
    "split_by_film": (0.7, 0.8),
    "mean_pooling": (0.9, 0.85),
    "training": (0.88, 0.89),
    "own_learning_rates": (0.88, 0.91),
}


@pytest.mark.parametrize("path", [PARAMS, ROOT / "params.yaml"])
def test_all_steps_together_make_the_last_recipe(path: Path) -> None:
    params, ladder = load_params(path), load_ladder(path)
    first, last = params.blocks[ladder.first], params.blocks[ladder.last]
    settings = settings_after(ladder, ladder.steps[-1].name, first, last)
    for cell in CELLS:
        assert changed(ladder.first, first, settings).settings(cell) == last.settings(cell)


def test_a_step_keeps_what_the_steps_before_it_took() -> None:
    params = example_params()
    first, last = params.blocks["prepadded"], params.blocks["tuned"]
    assert settings_after(params.ladder, "mean_pooling", first, last) == [
        ("pad.split_by", "film"),
        ("model.pooling", "mean"),
        ("model.mask_zero", True),
    ]


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([("a", "pad.split_by")], "ladder.steps: no step takes model.mask_zero, model.ppmi_window, "),
        ([("a", "pad.by")], "ladder.steps: a takes 'pad.by', which is no setting of a recipe"),
        ([("b", "pad.split_by")], "step 'a' is not in ladder.steps, which has b"),
    ],
)
def test_steps_that_lead_elsewhere_are_refused(steps: list[tuple[str, str]], said: str) -> None:
    params = example_params()
    ladder = Ladder(
        first="prepadded",
        last="tuned",
        seeds=(0,),
        steps=tuple(Step(name=name, takes=(taken,), reviews="tuned") for name, taken in steps),
    )
    with pytest.raises(StageError) as error:
        settings_after(ladder, "a", params.blocks["prepadded"], params.blocks["tuned"])
    assert str(error.value).startswith(said)


RUNS = {
    name: dict.fromkeys(
        (0, 1), made_up_scores(*reached) | {"settings": example_params().blocks[name].model_dump(mode="json")}
    )
    for name, reached in (("prepadded", (0.6, 0.8)), ("tuned", (0.88, 0.91)))
}


def section(**changes: Any) -> tuple[Steps | None, str]:
    """Return the section on a made-up study, and its text; changes: of the study's table."""
    params = example_params()
    table = made_up_ladder(params, REACHED) | changes
    results = compare_recipes(RUNS, made_up_audit(), made_up_bags())
    steps = steps_section(table, results, params, RUNS)
    return steps, render("steps.md", steps=steps, params=params.model_copy(update={"seeds": (0, 1)}))


def test_each_step_is_compared_with_the_one_before() -> None:
    steps, text = section()
    assert steps and steps.out_of_date == ""
    assert [step.name for step in steps.steps][:3] == ["prepadded", "split by film", "mean pooling"]
    assert (
        "**From `prepadded` to `tuned`, LSTM − RNN goes from +20.0 to +3.0 percentage points. With "
        "each of the 2 seeds it falls at split by film (−10.0) and mean pooling (−15.0), and rises at "
        "training (+6.0) and own learning rates (+2.0); in brackets the mean over seeds.**" in text
    )
    assert "| `prepadded` | | 60.0 % | 80.0 % | +20.0 | – | – |" in text
    assert "| split by film | `pad.split_by` | 70.0 % | 80.0 % | +10.0 | +10.0 | +0.0 |" in text
    assert "| training |" in text and "| −2.0 | +4.0 |" in text


def test_how_far_the_seeds_of_a_step_lie_apart_is_told() -> None:
    rows = made_up_ladder(example_params(), REACHED)["rows"]
    other = next(row for row in rows if (row["cell"], row["seed"]) == ("rnn", 1))
    other["test_accuracy"] += 0.04
    text = section(rows=rows)[1]
    assert (
        " those of one step lie up to\n4.0 percentage points apart for the RNN and 0.0 for the LSTM. " in text
    )
    assert "do not agree" not in text
    other["test_accuracy"] -= 0.2  # from 60 % up to 70 % and down to 54 %
    assert (
        "The seeds do not agree on the sign of what is gained by the RNN at split by film."
        in section(rows=rows)[1]
    )


def test_steps_at_which_seeds_disagree() -> None:
    assert seeds_disagree({"rnn": [], "lstm": []}) == ""
    assert seeds_disagree({"rnn": ["a", "b"], "lstm": ["c"]}) == (
        "The seeds do not agree on the sign of what is gained by the RNN at a and b and by the LSTM at c."
    )


def test_the_main_study_stands_beside_the_ladder() -> None:
    said = (
        "In the main study, with the seeds 0, 1, LSTM − RNN is +20.0 with `prepadded` and +3.0 with `tuned`."
    )
    assert said in section()[1]


def test_without_the_study_no_step_is_shown() -> None:
    assert "`make ladder` trains the steps" in section(first="other")[1]
    rows = made_up_ladder(example_params(), REACHED)["rows"]
    steps, text = section(rows=[*rows, rows[0] | {"seed": 9}])
    assert steps is None and "`make ladder` trains the steps" in text


def test_the_report_has_the_section_and_its_figure() -> None:
    params = small_params(RUNS)
    for table in (made_up_ladder(params, REACHED), {}):
        inputs = made_up_inputs(params, RUNS, ladder=table)
        made = build_report(params, inputs)
        text = render("report.md", **made._asdict())
        assert "## Which step closes the gap?" in text
        assert ("figures/steps.png" in text) == ("steps" in draw(inputs, made)) == bool(table)


def test_what_is_out_of_date_is_named() -> None:
    settings = made_up_ladder(example_params(), REACHED)["settings"]
    settings["last"]["train"]["epochs"] = 99
    steps, text = section(settings=settings, steps=made_up_ladder(example_params(), REACHED)["steps"][:2])
    assert steps and steps.out_of_date == (
        "**Out of date: `ladder.steps` and `tuned.train.epochs` have changed since; "
        "`make ladder` runs it again.**"
    )
    assert steps.out_of_date in text


def test_what_the_steps_say() -> None:
    names, gaps = ("a", "b"), (0.2, 0.01)
    start = "From `a` to `b`, LSTM − RNN goes from +20.0 to +1.0 percentage points."
    assert steps_taken(names, gaps, {"x": -0.25, "y": -0.01}, {"z": 0.07}, 2) == (
        f"{start} With each of the 2 seeds it falls at x (−25.0) and y (−1.0), and rises at z (+7.0); "
        "in brackets the mean over seeds."
    )
    assert steps_taken(names, gaps, {}, {"z": 0.07}, 3).endswith(
        "of the 3 seeds it rises at z (+7.0); in brackets the mean over seeds."
    )
    assert "of the 3 seeds it falls at x (−25.0); in" in steps_taken(names, gaps, {"x": -0.25}, {}, 3)
    said = steps_taken(names, gaps, {}, {}, 2)
    assert said == f"{start} At no step do the 2 seeds agree that it falls or rises."
    assert steps_taken(names, gaps, {"x": -0.25}, {}, 1) == f"{start} One seed cannot tell at which step."


def test_seeds_agree_by_chance() -> None:
    assert agree_by_chance(1, 13, 13) == ""
    assert agree_by_chance(2, 13, 7) == (
        "Did no step change anything, 2 seeds would agree on a sign at 6.5 of 13 steps by chance, on "
        "average; they do at 7."
    )
    assert "at 3 of 12 steps" in agree_by_chance(3, 12, 5)
    assert "at 2 of 4 steps by chance, on average; they do at 4." in section()[1]


@pytest.mark.parametrize(("lstm", "told"), [(0.9, False), (0.8997, False), (0.899, True)])
def test_a_change_that_is_told_as_zero_has_no_sign(lstm: float, told: bool) -> None:
    reached = REACHED | {"split_by_film": (0.7, lstm)}  # from 0.6 and 0.8: LSTM − RNN stays
    steps, _ = section(rows=made_up_ladder(example_params(), reached)["rows"])
    assert steps and ("split by film" in steps.verdict) == told


def test_a_step_at_which_the_seeds_disagree_is_not_named() -> None:
    rows = made_up_ladder(example_params(), REACHED)["rows"]
    for row in rows:
        if (row["cell"], row["seed"], row["step"]) == ("rnn", 1, "split_by_film"):
            row["test_accuracy"] = 0.59  # the gap rises from 20 to 21 points, and then falls farther
    steps, _ = section(rows=rows)
    assert steps and "it falls at mean pooling (−20.5), and rises at training (+6.0)" in steps.verdict


def test_mistakes_are_one_line(project: Project) -> None:
    result = project.stage("train_step", "training", "gru", "0", "--out", "data/x")
    assert (result.returncode, result.stderr) == (1, "train_step: cell = 'gru': should be rnn or lstm\n")
    project.params["ladder"]["steps"].pop()
    project.save_params()
    result = project.stage("train_step", "training", "rnn", "0", "--out", "data/x")
    assert (result.returncode, result.stderr) == (
        1,
        "train_step: ladder.steps: no step takes lstm.learning_rate, in which 'prepadded' and 'tuned' "
        "differ\n",
    )


@pytest.mark.slow
def test_the_study_ends_at_the_last_recipe(trained: Project) -> None:
    steps = trained.params["ladder"]["steps"]
    taken = [name for step in steps[1:] for name in step["takes"]]
    trained.params["ladder"] |= {
        "seeds": [0],
        "steps": [steps[0], {"name": "all_else", "takes": taken, "reviews": "tuned"}],
    }
    trained.save_params()
    trained.make("ladder")
    table = json.loads(trained.text("reports/ladder.json"))
    assert [(row["step"], row["cell"]) for row in table["rows"]] == [
        (step, cell) for step in ("split_by_film", "all_else") for cell in CELLS
    ]
    assert [row["learning_rate"] for row in table["rows"]] == [0.001, 0.001, 0.001, 0.003]
    # The last step's models are the last recipe's, and the first step's are not.
    for cell in CELLS:
        own = (trained.folder / f"data/models/tuned/{cell}-0/model.keras").read_bytes()
        for step, same in (("all_else", True), ("split_by_film", False)):
            run = trained.folder / f"data/ladder/runs/{step}-{cell}-0"
            assert ((run / "model.keras").read_bytes() == own) is same
