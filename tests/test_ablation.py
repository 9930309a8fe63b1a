"""What each part of a recipe is worth: the side study, its pilot, and what the report says of both."""

import json
from functools import cache
from typing import Any

import pytest

from stages.reporting.comparison import Result, compare_recipes
from stages.reporting.rendering import render
from stages.reporting.report import build_report, draw
from stages.reporting.sections.ablation import Ablation, ablation_section
from stages.reporting.sections.search import search_section
from stages.reporting.verdicts_variants import by_chance, gap_changes, rates_decided, who_gains
from stages.tabulate_ablation_rates import chosen
from tests.conftest import Project
from tests.examples import made_up_audit, made_up_bags, made_up_scores, made_up_search
from tests.examples_variants import made_up_ablation, made_up_pilot
from tests.test_report import TWO_SEEDS, made_up_inputs, small_params

PARAMETERS = small_params({"notebook": TWO_SEEDS, "tuned": TWO_SEEDS})
# Of the tests' variants: what RNN and LSTM lose or gain.
WORTH = {
    "masking_and_prepadding": (0.2, 0.0),
    "word_vectors": (0.1, 0.3),
    "twice_the_epochs": (-0.1, 0.0),
}
OWN = {cell: {"rnn": 0.001, "lstm": 0.003} for cell in WORTH}  # the rates that the tests' recipe has


@cache
def results(seeds: tuple[int, ...] = (0, 1)) -> dict[str, Result]:
    """Return a made-up main study."""
    run = made_up_scores(0.8, 0.9) | {"settings": settings()}
    runs = {"notebook": TWO_SEEDS, "tuned": dict.fromkeys(seeds, run)}
    return compare_recipes(runs, made_up_audit(), made_up_bags())


def section(table: dict[str, Any], pilot: dict[str, Any] | None = None) -> tuple[Ablation, str]:
    """Return the section on a made-up study, and its text."""
    runs = {name: result.seeds for name, result in results().items()}
    ablation = ablation_section(table, pilot or {}, results(), PARAMETERS, runs)
    assert ablation
    return ablation, render("ablation.md", ablation=ablation, results=results())


def settings() -> dict[str, Any]:
    """Return those of the tests' recipe."""
    return PARAMETERS.blocks["tuned"].model_dump(mode="json")


def study(**changes: Any) -> dict[str, Any]:
    return made_up_ablation(PARAMETERS, WORTH) | changes


def pilot(rates: dict[str, dict[str, float]]) -> dict[str, Any]:
    return made_up_pilot(PARAMETERS, rates)


def test_what_a_part_is_worth_is_paired_by_seed() -> None:
    ablation, text = section(study())
    # What is worth most to both cells together comes first.
    assert [part.name for part in ablation.parts] == ["word vectors", "masking and prepadding"]
    worth = ablation.parts[0].worth["lstm"]
    assert worth["seeds"] == pytest.approx([0.3, 0.31]) and worth["mean"] == pytest.approx(0.305)
    # Student's t with one degree of freedom: 12.706 · 0.005
    assert worth["interval"] == pytest.approx([0.305 - 0.0635, 0.305 + 0.0635], abs=1e-4)
    assert worth["accuracy"] == pytest.approx(0.595)
    # What the LSTM loses of its lead: without word vectors it loses 20 points more than the RNN.
    change = ablation.parts[0].gap_change
    assert change["seeds"] == pytest.approx([-0.2, -0.2]) and change["mean"] == pytest.approx(-0.2)
    (added,) = ablation.additions
    assert added.gap_change["seeds"] == pytest.approx([0.1, 0.1])
    assert added.worth["rnn"]["seeds"] == pytest.approx([-0.1, -0.09])
    assert (
        "| word vectors | `model.ppmi_window=null` | +10.5 (+4.2 to +16.9) | +30.5 (+24.1 to +36.9) "
        "| −20.0 (−20.0 to −20.0) | 69.5 % | 59.5 % |" in text
    )
    assert (
        "| twice the epochs | `train.epochs=10` | −9.5 (−15.8 to −3.1) | +0.5 (−5.9 to +6.9) "
        "| +10.0 (+10.0 to +10.0) | 70.5 % | 90.5 % |" in text
    )
    assert "| – (`tuned`) | – | – | – | – | 80.0 % | 90.0 % | 0.001 | 0.003 |" in text


def test_the_verdicts_come_first() -> None:
    _, text = section(study())
    assert (
        "\n**LSTM − RNN changes by −20.0 (−20.0 to −20.0) percentage points without word vectors, which"
        in text
    )
    assert (
        "worth +20.5 (+14.1 to +26.9) to the RNN and +0.5 (−5.9 to +6.9) to the LSTM. Both cells gain from "
        "word vectors; the RNN gains from masking and prepadding, which is not shown for the LSTM.**"
    ) in text
    assert (
        "\nThe RNN loses by twice the epochs, which is not shown for the LSTM. LSTM − RNN changes by +"
        in text
    )
    assert "Of the 9 intervals 7 exclude 0. Were no part worth anything, 0.5 would by chance" in text


def test_without_the_study_nothing_is_claimed() -> None:
    for table, main in (
        ({}, results()),
        (study(), {"notebook": results()["notebook"]}),
        (study(), results(seeds=(7,))),
    ):
        assert ablation_section(table, {}, main, PARAMETERS, {}) is None
    assert "`make ablation` trains the variants" in render("ablation.md", ablation=None)


def test_the_report_has_the_section_and_its_figure() -> None:
    runs = {"notebook": TWO_SEEDS, "tuned": TWO_SEEDS}
    for table in (study(), {}):
        inputs = made_up_inputs(PARAMETERS, runs, ablation=table)
        report = build_report(PARAMETERS, inputs)
        text = render("report.md", **report._asdict())
        assert "## What is each part worth to each cell?" in text
        assert ("With one part of `tuned` left out at a time and 2 seeds, LSTM − RNN " in text) == bool(table)
        assert ("figures/ablation.png" in text) == ("ablation" in draw(inputs, report)) == bool(table)


def test_the_ablation_stands_beside_what_equal_settings_cost() -> None:
    search = made_up_search(PARAMETERS)
    alone = search["chosen"]["settings"] | {"model.pooling": "last"}
    for row in search["rows"]:  # with another pooling the LSTM does better in the search
        if (row["cell"], row["settings"]) == ("lstm", alone):
            row["mean"] = 0.99
    other = "model.pooling=last"
    for settings, out_of_date, told in ((other, "", True), (other, "Out of date", False), ("x=y", "", False)):
        ablation, _ = section(study())
        parts = [part._replace(settings=settings) for part in ablation.parts[:1]]
        found = search_section(
            search, ablation._replace(parts=parts, out_of_date=out_of_date), PARAMETERS, {}
        ).elsewhere
        assert ("word vectors is worth +30.5 (" in found and "to the LSTM." in found) == told == bool(found)


def test_a_single_seed_shows_nothing() -> None:
    rows = [row for row in study()["rows"] if row["seed"] == 0]
    ablation, text = section(study(rows=rows))
    assert ablation.verdict.startswith("One seed cannot tell")
    assert ablation.gap_changes == ablation.chance == "" and "LSTM − RNN" not in ablation.of_additions
    assert "| +10.0 | +30.0 |" in text


def test_how_rates_were_decided() -> None:
    _, text = section(study())
    assert "Another rate than the recipe's has word vectors (RNN, 0.003). Whether other rates" in text
    _, text = section(study(), pilot(OWN | {"word_vectors": {"rnn": 0.003, "lstm": 0.003}}))
    assert "more than 0.3 percentage points. Another rate than" in text and "**The pilot" not in text
    _, text = section(study(), pilot(OWN))
    assert "**The pilot found another rate than params.yaml has for word vectors (RNN, 0.001).**" in text


def test_what_is_out_of_date_is_named() -> None:
    fresh, _ = section(study(), pilot(OWN))
    assert fresh.out_of_date == ""
    other = study(settings=settings() | {"model": settings()["model"] | {"units": 5}})
    other["variants"] = other["variants"][:2]
    ablation, text = section(other, pilot(OWN) | {"margin": 1.0})
    assert ablation.out_of_date == (
        "**Out of date: `ablation.variants` and `tuned.model.units` have changed since; "
        "`make ablation` runs it again.** "
        "**Out of date: `ablation_rates.margin` has changed since; `make ablation_rates` runs it again.**"
    )
    assert ablation.out_of_date in text


def estimate(low: float, high: float) -> dict[str, Any]:
    return {"mean": (low + high) / 2, "interval": [low, high]}


SIGNS = {1: estimate(0.1, 0.2), 0: estimate(-0.1, 0.1), -1: estimate(-0.2, -0.1)}


@pytest.mark.parametrize(
    ("rnn", "lstm", "said"),
    [
        (1, 1, "Both cells gain from a and b."),
        (1, 0, "The RNN gains from a and b, which is not shown for the LSTM."),
        (0, 1, "The LSTM gains from a and b, which is not shown for the RNN."),
        (1, -1, "The RNN gains and the LSTM loses by a and b."),
        (-1, 1, "The LSTM gains and the RNN loses by a and b."),
        (-1, 0, "The RNN loses by a and b, which is not shown for the LSTM."),
        (0, -1, "The LSTM loses by a and b, which is not shown for the RNN."),
        (-1, -1, "Both cells lose by a and b."),
        (0, 0, "3 seeds show neither gain nor loss by a and b for either cell."),
    ],
)
def test_who_gains(rnn: int, lstm: int, said: str) -> None:
    cells = {"rnn": SIGNS[rnn], "lstm": SIGNS[lstm]}
    assert who_gains({"a": cells, "b": cells}, 3) == said
    assert who_gains({"a": cells, "b": cells}, 1).startswith("One seed cannot tell")


def test_parts_are_grouped_by_who_gains() -> None:
    both, none = {"rnn": SIGNS[1], "lstm": SIGNS[1]}, {"rnn": SIGNS[0], "lstm": SIGNS[0]}
    same = {"rnn": estimate(0.0, 0.0), "lstm": estimate(0.0, 0.0)}
    rest = "3 seeds show neither gain nor loss by the rest for either cell."
    assert who_gains({"a": none, "b": both, "c": none, "d": none}, 3) == f"Both cells gain from b; {rest}"
    assert (
        who_gains({"a": same, "b": both, "c": none}, 3)
        == f"A leaves every accuracy as it is; both cells gain from b; {rest}"
    )
    assert who_gains({"a": same, "b": same}, 3) == "A and b leave every accuracy as it is."


def test_which_parts_change_the_gap() -> None:
    worth = {part: {"rnn": SIGNS[0], "lstm": SIGNS[-1]} for part in "abc"}
    each = "which is worth +0.0 (−10.0 to +10.0) to the RNN and −15.0 (−20.0 to −10.0) to the LSTM"

    def said(*signs: int, kind: str = "without") -> str:
        return gap_changes({name: SIGNS[sign] for name, sign in zip("abc", signs, strict=False)}, worth, kind)

    a, b = ("+15.0 (+10.0 to +20.0) percentage points", "−15.0 (−20.0 to −10.0) percentage points")
    assert said(1, -1) == f"LSTM − RNN changes by {a} without a, {each}, and by {b} without b, {each}."
    assert said(-1, kind="with") == f"LSTM − RNN changes by {b} with a, {each}."
    assert (
        said(0, 1) == f"LSTM − RNN changes by {a} without b, {each}; for the rest no change of it is shown."
    )
    assert said(0, 0) == "LSTM − RNN is not shown to change."


def test_some_intervals_exclude_0_by_chance() -> None:
    assert by_chance(4, 30) == (
        "Of the 30 intervals 4 exclude 0. Were no part worth anything, 1.5 would by chance, on average; none "
        "is widened for that. They are not independent: all compare with the same runs of the recipe."
    )
    assert "anything, 2 would" in by_chance(4, 40)


def test_how_the_pilot_is_told() -> None:
    ran = {"seed": 0, "margin": 0.3}
    assert rates_decided({}, [], []).startswith("Every variant has the learning rates of the recipe. Whether")
    assert rates_decided(ran, [], []).endswith(
        "0.3 percentage points. Every variant has the learning rates of the recipe."
    )
    assert rates_decided(ran, ["a", "b"], []).endswith("Another rate than the recipe's have a and b.")
    assert rates_decided(ran, ["a"], ["b"]).endswith(
        "**The pilot found another rate than params.yaml has for b.**"
    )


@pytest.mark.parametrize(("reached", "rate"), [(0.8031, 0.003), (0.803, 0.001), (0.7, 0.001)])
def test_a_variant_gets_another_rate_where_that_is_better_by_more_than_the_margin(
    reached: float, rate: float
) -> None:
    rows = [
        {"variant": "a", "cell": "rnn", "learning_rate": 0.001, "validation_accuracy": 0.8},
        {"variant": "a", "cell": "rnn", "learning_rate": 0.003, "validation_accuracy": reached},
        {"variant": "a", "cell": "lstm", "learning_rate": 0.003, "validation_accuracy": 0.8},
    ]
    assert chosen(rows, {"rnn": 0.001, "lstm": 0.003}, 0.3) == {"a": {"rnn": rate, "lstm": 0.003}}


def test_the_pilot_tries_the_recipes_own_rates(project: Project) -> None:
    project.params["ablation_rates"]["tried"] = [{"cell": "rnn", "learning_rate": 0.1}]
    project.save_params()
    result = project.stage("tabulate_ablation_rates")
    assert (result.returncode, result.stderr) == (
        1,
        "tabulate_ablation_rates: ablation_rates.tried has 0.1 for rnn: should include 0.001, the learning "
        "rate of recipe 'tuned'\n",
    )


@pytest.mark.slow
def test_the_study_trains_each_variant_and_nothing_twice(trained: Project) -> None:
    trained.params["ablation"] |= {"seeds": [0], "variants": trained.params["ablation"]["variants"][:2]}
    trained.params["ablation_rates"]["tried"] = [
        {"cell": "rnn", "learning_rate": 0.001},
        {"cell": "lstm", "learning_rate": 0.003},
    ]
    trained.save_params()
    left_over = trained.folder / "data/ablation/runs/other-rnn-0"
    left_over.mkdir(parents=True)
    trained.make("ablation")
    table = json.loads(trained.text("reports/ablation.json"))
    assert [(row["variant"], row["cell"], row["learning_rate"]) for row in table["rows"]] == [
        ("masking_and_prepadding", "rnn", 0.001),
        ("masking_and_prepadding", "lstm", 0.003),
        ("word_vectors", "rnn", 0.003),
        ("word_vectors", "lstm", 0.003),
    ]
    assert all(
        0 <= row["test_accuracy"] <= 1 and 0 <= row["validation_accuracy"] <= 1 for row in table["rows"]
    )
    assert not left_over.exists()
    made = json.loads(trained.text("data/ablation/runs/masking_and_prepadding-rnn-0/provenance.json"))
    assert made["settings"]["pad"]["padding"] == "post" and made["settings"]["model"]["mask_zero"] is False
    assert table["settings"] == trained.params["tuned"]

    assert "![What each part is worth to each cell" in trained.text("reports/report.md")

    trained.make("ablation_rates")
    found = json.loads(trained.text("reports/ablation_rates.json"))
    assert found["chosen"] == {
        name: {"rnn": 0.001, "lstm": 0.003} for name in ("masking_and_prepadding", "word_vectors")
    }
    assert not [row for row in found["rows"] if "test_accuracy" in row]

    # The recipe gets other rates: a variant keeps its own.
    trained.params["tuned"]["rnn"]["learning_rate"] = 0.01
    trained.save_params()
    status = json.loads(trained.run("dvc", "status", "--json", "stages/ablation/dvc.yaml").stdout)
    assert set(status) == {"stages/ablation/dvc.yaml:tabulate_ablation"}

    # A variant whose settings are others than its run's is refused.
    trained.params["ablation"]["variants"][1]["rnn"] = 0.1
    trained.save_params()
    said = trained.stage("tabulate_ablation").stderr
    assert (
        "word_vectors-rnn-0 was trained with rnn.learning_rate = 0.003, but params.yaml now has 0.1" in said
    )
