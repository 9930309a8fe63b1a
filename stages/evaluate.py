"""Stage `evaluate`: the comparison over all recipes and seeds, as numbers, curves, figures and a report.

Works on the small files that other stages wrote under reports/, without models or reviews.
"""

import itertools
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from stages import StageError
from stages.reporting import figures
from stages.reporting import report
from stages.runtime.command_line import main
from stages.inspection.equations import formulas
from stages.runtime.files import REPORTS, RUNS, json_text, load_text, new_file, new_folder
from stages.reviews.film_groups import RARE, SHARED
from stages.reporting.html import page
from stages.params.study import Params
from stages.provenance import code_digest
from stages.reporting.statistics import CELLS, ROC_RATES, Runs, answered_right, compare, judge, unpack, versus


def evaluate(params: Params) -> None:
    """Compare the cells over all recipes and seeds, and write everything under reports/."""
    runs = read_runs(params)
    told = {
        name: json.loads(load_text(REPORTS / f"{name}.json"))
        for name in ("audit", "bag_of_words", "search", "benchmark", "apart", "released")
    }
    probe = read(REPORTS / "probe", params.seeds)
    inside = read(REPORTS / "inside", params.recipes)
    facts = gather(params, runs, told, probe, inside)
    drawn = draw(params, facts, probe)
    texts = {name: report.render(name, facts) for name in ("results.md", "report.md", "model_card.md")}

    every_run, compared = runs | facts["apart"], facts["comparison"] | facts["apart_comparison"]
    new_file(REPORTS / "metrics.json", json_text(metrics(every_run, compared)))
    surety = facts["surety"] | facts["apart_surety"]
    comparison = {recipe: {"metrics": compared[recipe], **row} for recipe, row in surety.items()}
    new_file(REPORTS / "comparison.json", json_text(comparison))
    new_file(REPORTS / "costs.json", json_text(facts["costs"]))
    for name, tables in (("learning_curves", learning_curves(runs)), ("roc", roc_curves(runs))):
        with new_folder(REPORTS / name) as folder:
            for title, table in tables.items():
                text = table.to_csv(index=False, float_format="%.4f", lineterminator="\n")
                new_file(folder / f"{title}.csv", text)
    with new_folder(REPORTS / "figures") as folder:
        for name, figure in drawn.items():
            # No software version or date in the file: the same figures give the same bytes.
            figure.savefig(folder / f"{name}.png", metadata={"Software": None})
    for name, text in texts.items():
        new_file(REPORTS / name, text)
    new_file(REPORTS / "report.html", page(texts["report.md"], REPORTS))
    print(f"evaluate: {len(params.recipes) * len(params.seeds) * 2} runs compared in {REPORTS}/report.md")


def gather(
    params: Params,
    runs: Runs,
    told: Mapping[str, Any],
    probe: Mapping[int, Any],
    inside: Mapping[str, Any],
) -> dict[str, Any]:
    """Return all that the report's template speaks of, by name.

    told: what `audit`, `bag_of_words`, `release`, the search and the benchmark wrote; probe: seed → what
    `probe` wrote; inside: recipe → what `inside` wrote. Raises `StageError` where what is released is none
    of the last recipe's runs.
    """
    surety = judge_all(params, runs, told["audit"], told["bag_of_words"])
    apart = trained_apart(params, told["apart"])
    final = list(runs)[-1]
    for cell, run in told["released"].items():
        if run["recipe"] != final or run["seed"] not in runs[final]:
            raise StageError(
                f"reports/released.json: {run['recipe']} {cell} seed {run['seed']} is no run of {final}, "
                "the last of recipes in params.yaml: `dvc repro release` chooses anew"
            )
    settings = report.settings({**runs, **apart})
    return {
        **told,
        "apart": apart,
        "apart_comparison": compare(apart),
        "apart_surety": judge_all(params, apart, told["audit"], told["bag_of_words"]),
        "apart_changed": {
            name: report.changed_settings({final: runs[final], name: each}) for name, each in apart.items()
        },
        "runs": runs,
        "comparison": compare(runs),
        "surety": surety,
        "resamples": params.comparison.resamples,
        "published": params.published.model_dump(),
        "changed": report.changed_settings(runs),
        "since_search": since_search(told["search"], params),
        "edges": edges(told["search"]),
        "other_code": other_code(told),
        "shared": shared({**runs, **apart}),
        "shared_edges": SHARED,
        "single_reviews": [
            name for name, block in settings.items() if block["pad"]["validation"] == "reviews"
        ],
        "from_last": [name for name in runs if settings[name]["model"]["pooling"] == "last"],
        "rare": RARE,
        "together": SHARED[-1] + 1,
        "probe": report.remembered(probe),
        "probe_settings": params.probe.model_dump(),
        "inside": inside,
        "inside_settings": params.inside.model_dump(),
        "readings": {name: each for name, each in inside[final]["readings"].items() if each},
        "costs": costs(runs),
        "formulas": formulas(),
    }


def draw(params: Params, facts: Mapping[str, Any], probe: Mapping[int, Any]) -> dict[str, Figure]:
    """Return the report's figures, by name."""
    runs, published = facts["runs"], params.published
    return {
        "accuracy": figures.accuracy(runs, published, yardsticks(facts["bag_of_words"])),
        "learning_curves": figures.learning_curves(runs, published),
        "roc": figures.roc(runs),
        "confusion": figures.confusion(runs),
        "by_length": figures.by_length(facts["surety"]),
        "probe": figures.probe(probe),
        "gradients": figures.gradients(facts["inside"]),
        "gates": figures.gates(facts["inside"]),
        "lengths": figures.lengths(facts["audit"]),
        **{
            f"reading_{name}": figures.reading(each, report.READINGS[name])
            for name, each in facts["readings"].items()
        },
    }


def read_runs(params: Params) -> Runs:
    """Return what `score` wrote on the runs that the parameters name."""
    found = read(RUNS, [f"{recipe}-{seed}" for recipe in params.recipes for seed in params.seeds])
    return {recipe: {seed: found[f"{recipe}-{seed}"] for seed in params.seeds} for recipe in params.recipes}


def read(folder: Path, names: Collection[Any]) -> dict[Any, Any]:
    """Return what a stage wrote as `folder`/NAME.json for each of `names`, and delete what else is there.

    A recipe or seed that was dropped leaves its file behind, and with it another hash of the folder
    that DVC tracks: the same parameters would give two people two different `dvc.lock`.
    """
    files = {name: folder / f"{name}.json" for name in names}
    found = {name: json.loads(load_text(file)) for name, file in files.items()}
    for left_over in set(folder.iterdir()) - set(files.values()):
        print(f"evaluate: {left_over} belongs to nothing that params.yaml names: deleted")
        left_over.unlink()
    return found


def trained_apart(params: Params, results: Mapping[str, Any]) -> dict[str, Any]:
    """Return recipe → seed → what was measured, of the recipes that are trained apart from the pipeline.

    Raises `StageError` where that was done with other settings than `params.yaml` now has.
    """
    for name, result in results.items():
        block = params.blocks[name].model_dump() if name in params.blocks else None
        if name in params.recipes or any(run["settings"] != block for run in result["runs"].values()):
            raise StageError(
                f"reports/apart.json: {name} was trained with other settings than params.yaml now has: "
                f"`python -m stages.apart {name}` trains it anew; or take {name} out of that file"
            )
    return {
        name: {int(seed): run for seed, run in result["runs"].items()} for name, result in results.items()
    }


def metrics(runs: Runs, comparison: Mapping[str, Any]) -> dict[str, Any]:
    """Return recipe → column → metric → mean over seeds: what `dvc metrics diff` compares.

    On the test reviews; `validation_accuracy`, which alone may choose between settings, on those.
    With three digits: seeds alone move the third.
    """
    table = {
        recipe: {
            column: {metric: round(each["mean"], 3) for metric, each in row.items()}
            for column, row in columns.items()
        }
        for recipe, columns in comparison.items()
    }
    for recipe, seeds in runs.items():
        for cell in CELLS:
            accuracy = _mean(seeds, cell, "validation", "accuracy")
            table[recipe][cell]["validation_accuracy"] = round(float(accuracy), 3)
    return table


def judge_all(
    params: Params, runs: Runs, audit: Mapping[str, Any], bags: Collection[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return recipe → what `judge` says of it, and each cell's lead over each bag of words."""
    drawing = (params.comparison.resamples, params.comparison.seed)
    lengths = np.array([int(digit) for digit in audit["test_lengths"]])
    alone = np.ones(len(lengths), bool)
    alone[audit["duplicates"]["rows"]] = False
    surety = {}
    for recipe, seeds in runs.items():
        right = answered_right(seeds)
        surety[recipe] = judge(right, list(seeds), lengths, alone, *drawing)
        for row, tokens in zip(surety[recipe]["by_length"], length_bins(audit["length_edges"]), strict=False):
            row["tokens"] = tokens
        surety[recipe]["over_bag"] = {
            cell: [
                versus(
                    np.stack([np.broadcast_to(unpack(bag["right"], len(lengths)), nets.shape), nets]),
                    *drawing,
                )["difference"]
                for bag in bags
            ]
            for cell, nets in zip(CELLS, right, strict=True)
        }
    return surety


def shared(runs: Runs) -> dict[str, Any]:
    """Return recipe → split → what its nets get right, by what a review shares with what is trained on.

    `reviews` counts those in each of `score`'s bins, `near` is the share of them in the last; of each cell,
    `all` is the mean accuracy over seeds, and `by` that in each bin, None where it is empty.
    """
    table: dict[str, Any] = {}
    for recipe, seeds in runs.items():
        table[recipe] = {"validation": {}, "test": {}}
        for split, row in table[recipe].items():
            bins = next(iter(seeds.values()))["rnn"][split]["by_shared"]
            row["reviews"] = [each["reviews"] for each in bins]
            row["near"] = row["reviews"][-1] / sum(row["reviews"])
            for cell in CELLS:
                every = [
                    [each["accuracy"] for each in run[cell][split]["by_shared"]] for run in seeds.values()
                ]
                by = [None if None in each else float(np.mean(each)) for each in zip(*every, strict=True)]
                row[cell] = {"all": float(_mean(seeds, cell, split, "accuracy")), "by": by}
    return table


def length_bins(edges: Collection[int]) -> list[str]:
    """Return the names of the bins between `edges`: "up to 100", "101 to 150", …, "over 500"."""
    edges = list(edges)
    between = [f"{low + 1} to {high}" for low, high in itertools.pairwise(edges)]
    return [f"up to {edges[0]}", *between, f"over {edges[-1]}"]


def yardsticks(bags: Collection[Mapping[str, Any]]) -> dict[str, float]:
    """Return the test accuracy of the bags of words that read what the nets read."""
    names = {"single": "bag of words", "pairs": "bag of word pairs"}
    return {names[bag["words"]]: bag["test_accuracy"] for bag in bags if bag["tokens"] == "cut"}


def costs(runs: Runs) -> dict[str, dict[str, dict[str, int]]]:
    """Return recipe → cell → weights, and multiply-adds for one answer to a review of full length.

    Per token: [h,x] times W, four times as wide for the LSTM; then the last state times the output's
    weights. Looking up an embedding multiplies nothing; what the gates do elementwise is not counted.
    """
    result: dict[str, dict[str, dict[str, int]]] = {}
    for recipe, block in report.settings(runs).items():
        run = next(iter(runs[recipe].values()))
        shape, length = block["model"], block["pad"]["length"]
        width, units = shape["embedding_width"], shape["units"]
        result[recipe] = {
            cell: {
                "cell_weights": run[cell]["cell_weights"],
                "weights": run[cell]["weights"],
                "multiply_adds": length * (width + units) * units * products + units,
            }
            for cell, products in (("rnn", 1), ("lstm", 4))
        }
    return result


def edges(search: Mapping[str, Any]) -> list[str]:
    """Return the choices of the search that are the least or the most of what was tried, in words."""
    chosen, rows = search["chosen"], search["rows"]
    rates = [row["learning_rate"] for row in rows]
    found = [
        f"the {report.LABELS[cell]}'s learning rate"
        for cell, rate in chosen["learning_rates"].items()
        if rate in (min(rates), max(rates))
    ]
    for name, value in chosen["settings"].items():
        tried = [row["settings"][name] for row in rows]
        if all(isinstance(each, int | float) for each in tried) and value in (min(tried), max(tried)):
            found.append(f"`{name}`")
    return found


def since_search(search: Mapping[str, Any], params: Params) -> list[str]:
    """Return the settings, dotted, in which the searched recipe is not what the search chose."""
    block, chosen = params.blocks[search["recipe"]].model_dump(), search["chosen"]
    wanted = dict(chosen["settings"])
    wanted |= {f"{cell}.learning_rate": rate for cell, rate in chosen["learning_rates"].items()}
    own = {dotted: block[dotted.split(".")[0]][dotted.split(".")[1]] for dotted in wanted}
    return [dotted for dotted, value in wanted.items() if own[dotted] != value]


def other_code(told: Mapping[str, Any]) -> list[str]:
    """Return what was trained apart from the pipeline by code that pads or trains otherwise than now."""
    made = {"search": told["search"]["code"]} | {name: each["code"] for name, each in told["apart"].items()}
    now = code_digest()
    return [name for name, digest in made.items() if digest != now]


def learning_curves(runs: Runs) -> dict[str, pd.DataFrame]:
    """Return RECIPE-CELL → a row per seed and epoch: accuracy in validation and in training."""
    names = {"epoch": "epoch", "validation": "validation_accuracy", "training": "train_accuracy"}
    return {
        f"{recipe}-{cell}": pd.concat(
            pd.DataFrame({"seed": seed} | {name: run[cell]["history"][key] for name, key in names.items()})
            for seed, run in seeds.items()
        )
        for recipe, seeds in runs.items()
        for cell in CELLS
    }


def roc_curves(runs: Runs) -> dict[str, pd.DataFrame]:
    """Return recipe → the true positive rate of both cells, mean over seeds, at each false positive rate."""
    return {
        recipe: pd.DataFrame(
            {
                "false_positive_rate": ROC_RATES,
                "rnn": _mean(seeds, "rnn", "test", "roc"),
                "lstm": _mean(seeds, "lstm", "test", "roc"),
            }
        )
        for recipe, seeds in runs.items()
    }


def _mean(seeds: Mapping[int, Mapping[str, Any]], cell: str, part: str, name: str) -> np.ndarray:
    return np.asarray([run[cell][part][name] for run in seeds.values()]).mean(axis=0)


if __name__ == "__main__":
    main(evaluate)
