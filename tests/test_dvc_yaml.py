"""What each dvc.yaml says of its stages is what their code says, and a change trains no more than it must."""

import ast
import json
import re
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from stages.params.recipe import CELLS, Lstm, Model, Rnn, Train
from stages.reporting.rendering import TEMPLATES
from tests.conftest import ROOT, Project
from tests.examples import PARAMS

PIPELINES = [ROOT / "dvc.yaml", *sorted(ROOT.glob("stages/*/dvc.yaml"))]
LOADED: dict[Path, dict[str, Any]] = {
    path: YAML(typ="safe", pure=True).load(path.read_text()) for path in PIPELINES
}
STAGES = {
    f"{path.relative_to(ROOT)}:{name}": stage
    for path, pipeline in LOADED.items()
    for name, stage in pipeline["stages"].items()
}
TRAINING = {name: stage for name, stage in STAGES.items() if ":train_" in name}
# What no training depends on, by design: stages/README.md.
APART = ("stages/inspection", "stages/params/study.py", "stages/reporting", "stages/runner", "stages/tools")


def imported(file: Path) -> set[Path]:
    """Return the files of this project that a file imports, also inside of its functions, or includes.

    A module that renders templates depends on those that it names.
    """
    if file.suffix == ".j2":
        return {file.parent / name for name in re.findall(r'{% include "([^"]+)" %}', file.read_text())}
    names: set[str] = set()
    words: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            words.add(node.value)
    ours = [ROOT / name.replace(".", "/") for name in names if name.partition(".")[0] == "stages"]
    modules = {path.with_suffix(".py") for path in ours}
    packages = {folder / "__init__.py" for path in ours for folder in (path, *path.parents)}
    renders = names & {"stages.reporting.rendering.render", "jinja2"}
    named = {f"{word.removesuffix('.j2')}.j2" for word in words}
    templates = {path for path in ROOT.glob("stages/**/*.j2") if renders and path.name in named}
    return templates | {path for path in modules | packages if path.is_relative_to(ROOT) and path.is_file()}


def closure(file: Path) -> set[Path]:
    """Return a file and all that it imports, directly or not, but for empty files."""
    found: set[Path] = set()
    left = {file}
    while left:
        found |= left
        left = set().union(*map(imported, left)) - found
    return {path for path in found if path.stat().st_size}


def declared(stage: dict[str, Any]) -> set[Path]:
    """Return the code and templates that a stage depends on by its dvc.yaml."""
    paths = [ROOT / each for each in stage["deps"] if each.startswith("stages/")]
    files = {file for path in paths for file in ([path] if path.is_file() else path.rglob("*.*"))}
    return {file for file in files if file.suffix in (".py", ".j2") and file.stat().st_size}


def relative(paths: set[Path]) -> list[str]:
    return sorted(str(path.relative_to(ROOT)) for path in paths)


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_exactly_what_it_imports(name: str) -> None:
    stage = STAGES[name]
    command = re.fullmatch(r"python -m stages\.(\w+)( .*)?", stage["cmd"], re.DOTALL)
    assert command and command[1] == name.rpartition(":")[2]
    listed, real = declared(stage), closure(ROOT / f"stages/{command[1]}.py")
    assert (relative(real - listed), relative(listed - real)) == ([], [])


def test_imports_and_templates_are_found(tmp_path: Path) -> None:
    file = tmp_path / "stage.py"
    file.write_text(
        "from stages.reporting.rendering import render\nrender('report.md')\n"
        "def run():\n    from stages.runtime import files\n    import stages.params.reading\n"
    )
    found = imported(file)
    assert TEMPLATES / "report.md.j2" in found and TEMPLATES / "model_card.md.j2" not in found
    assert TEMPLATES / "results.md.j2" in closure(file)  # report.md.j2 includes it
    assert {
        ROOT / "stages/__init__.py",
        ROOT / "stages/runtime/files.py",
        ROOT / "stages/params/reading.py",
    } <= found
    assert ROOT / "stages/runtime/processor.py" not in found
    assert ROOT / "stages/runtime/processor.py" in closure(file)  # stages/__init__.py imports it


@pytest.mark.parametrize("name", TRAINING)
def test_what_is_trained_is_cached(name: str) -> None:
    outs = TRAINING[name]["outs"]
    assert outs and all(isinstance(out, str) and out.startswith("data/") for out in outs)


@pytest.mark.parametrize("name", TRAINING)
def test_no_training_depends_on_reports_or_other_studies(name: str) -> None:
    assert not [path for path in relative(declared(TRAINING[name])) if path.startswith(APART)]
    blocks = {each.partition(".")[0] for each in TRAINING[name]["params"]}
    own = {"delayed_recall", "ladder"}
    assert blocks <= {"${item", "${search", "${whole_reviews", "${ablation", "${ladder"} | own
    recipes = r"\$\{[\w.]+\.recipe\}\.|\$\{ladder\.(first|last)\}$"
    assert not [
        each
        for each in TRAINING[name]["params"]
        if each.split(".")[0] not in own and not re.match(recipes, each)
    ]


def for_both_cells(names: list[str]) -> list[str]:
    return [re.sub(r"\$\{item\.(\w+\.)?cell\}", cell, each) for each in names for cell in CELLS]


@pytest.mark.parametrize("name", [name for name in TRAINING if name.endswith(":train_variant")])
def test_a_variant_depends_on_all_settings_that_it_does_not_change(name: str) -> None:
    """So that it stays up to date when the recipe in params.yaml gets the values that were chosen."""
    leaves = {
        part: {f"{part}.{leaf}" for leaf in block.model_fields}
        for part, block in (("model", Model), ("train", Train), ("rnn", Rnn), ("lstm", Lstm))
    }
    names = [re.sub(r"^\$\{[\w.]+\.recipe\}\.", "", each) for each in TRAINING[name]["params"]]
    kept = set().union(*(leaves.get(each, {each}) for each in for_both_cells(names)))
    changed = set(for_both_cells(re.findall(r"--set (\S+)=", TRAINING[name]["cmd"])))
    assert changed and not kept & changed
    assert kept | changed == {"pad.num_words"}.union(*leaves.values())


def test_the_released_models_are_those_of_the_registry() -> None:
    main = LOADED[ROOT / "dvc.yaml"]
    (folder,) = (out for out in main["stages"]["release"]["outs"] if isinstance(out, str))
    paths = {name: each["path"] for name, each in main["artifacts"].items()}
    assert paths.pop("demo") in main["stages"]["demo"]["outs"]
    assert paths == {cell: f"{folder}/{cell}/model.keras" for cell in CELLS}


PLAN = """
import sys
from dvc.repo import Repo
from dvc.repo.reproduce import collect_stages, get_active_graph, plan_repro
repo = Repo()
stages = plan_repro(get_active_graph(repo.index.graph), collect_stages(repo, sys.argv[1:]))
print(*(stage.addressing for stage in stages))
"""


def test_without_a_cache_each_study_plans_its_own_stages_and_what_they_need(project: Project) -> None:
    """As `dvc repro` plans; with --dry, it stops at the first stage whose inputs are not there."""
    clone = project.folder.with_name("clone")
    project.run("git", "clone", "--quiet", ".", str(clone))
    plans = {
        pipeline: Project(clone).run("python", "-c", PLAN, pipeline).stdout.split()
        for pipeline in relative(set(PIPELINES))
    }
    assert {"download", "train_lstm@tuned-0", "evaluate"} < set(plans["dvc.yaml"])
    assert not [stage for stage in plans["dvc.yaml"] if "/" in stage]

    def needed(pipeline: str) -> set[str]:
        """Return what a side study needs of the main study."""
        others = {stage for stage in plans[pipeline] if not stage.startswith(f"{pipeline}:")}
        assert len(others) < len(plans[pipeline])
        return others

    of_a_recipe = {"download", "film_groups", "pad@tuned", "word_vectors@tuned"}
    for study in ("search", "ablation", "ladder"):
        assert needed(f"stages/{study}/dvc.yaml") == of_a_recipe
    own = {f"stages/ablation/dvc.yaml:{stage}@reviews0" for stage in ("pad", "word_vectors")}
    assert needed("stages/ablation_rates/dvc.yaml") == of_a_recipe | own
    padded = {f"{stage}@{recipe}" for stage in ("pad", "word_vectors") for recipe in ("prepadded", "tuned")}
    for study in ("learning_rates", "best_rates"):
        assert needed(f"stages/{study}/dvc.yaml") == {"download", "film_groups"} | padded
    assert needed("stages/whole_reviews/dvc.yaml") == {"download", "film_groups"}
    assert needed("stages/delayed_recall/dvc.yaml") == set()


def test_a_change_of_reports_or_side_studies_trains_nothing(trained: Project) -> None:
    training = ("download", "film_groups", "pad", "word_vectors", "train_")

    def stale() -> set[str]:
        """Return what runs again of the stages that train, and of those before them."""
        changed = json.loads(trained.run("dvc", "status", "--json").stdout)
        return {name for name in changed if name.startswith(training)}

    assert stale() == set()
    for path in APART:
        for file in (trained.folder / path, *(trained.folder / path).rglob("*.*")):
            if file.suffix in (".py", ".j2"):
                file.write_text(f"{file.read_text()}\n# changed\n")
    for folder in (trained.folder / "stages/networks", trained.folder / "stages/runtime"):
        (folder / "__pycache__").mkdir(exist_ok=True)
        (folder / "__pycache__/other.pyc").touch()
    trained.params["search"] |= {"pooling": ["max"], "seeds": [5]}
    trained.params["learning_rates"] |= {"seeds": [5, 6], "learning_rate": [0.1]}
    trained.params["best_rates"] |= {"seeds": [7, 8]}
    trained.params["ablation_rates"] |= {"seed": 9}
    trained.params["whole_reviews"] |= {"seeds": [6], "poolings": ["last"]}
    trained.params["delayed_recall"] |= {"seeds": [7], "sequences": 50}
    trained.params["ablation"]["seeds"] = trained.params["ladder"]["seeds"] = [7]
    trained.params["inspection"]["reviews"] = 4
    trained.params["comparison"]["headline"] = "prepadded"
    trained.params["long"]["train"]["epochs"] = 1
    trained.save_params()
    assert stale() == set()

    file = trained.folder / "stages/networks/batches.py"
    file.write_text(f"{file.read_text()}\n# changed\n")
    assert {name.partition("@")[0] for name in stale()} == {"train_rnn", "train_lstm"}


def layers() -> dict[str, int]:
    """Return package → row, counted from the top, of the packages that stages/README.md draws."""
    drawn = (ROOT / "stages/README.md").read_text().split("\npackages ")[1].split("```")[0]
    return {name: row for row, line in enumerate(drawn.splitlines()) for name in line.split()}


def test_imports_run_one_way() -> None:
    """Down the layers of packages, and between modules without circles; no stage or tool is imported."""

    def package(path: Path) -> str:
        return path.relative_to(ROOT).parts[1] if path.parent != ROOT / "stages" else "stages"

    root = ROOT / "stages/__init__.py"  # which all import
    files = [path for path in ROOT.glob("stages/**/*.py") if path.stat().st_size and path != root]
    modules = {
        path: {each for each in imported(path) - {path, root} if each.suffix == ".py"} for path in files
    }
    TopologicalSorter(modules).prepare()
    rows = {"stages": -1, "tools": -1} | layers()
    assert rows.keys() == set(map(package, files))
    upward = [
        (path, other)
        for path, others in modules.items()
        for other in others
        if rows[package(path)] >= rows[package(other)]
        and (package(path) != package(other) or package(path) in ("stages", "tools"))
    ]
    assert upward == []


def test_no_recipe_is_known_by_name() -> None:
    """In quotes, after --recipe, before a parameter's or a seed's name, or as a folder."""
    params = YAML(typ="safe", pure=True).load(PARAMS.read_text())
    names = "|".join(name for name, block in params.items() if "pad" in block)
    assert names.count("|") >= 3
    known = re.compile(
        rf"""["'`/]({names})["'`/]|--recipe ({names})\b|\b({names})[-.](\d|pad|model|train|rnn|lstm)"""
    )
    for said in ("'tuned'", "`tuned`", "--recipe tuned", "tuned.rnn.learning_rate", "data/models/tuned/"):
        assert known.search(said)
    for said in ("is tuned", "`make whole_reviews`", "the notebook's"):
        assert not known.search(said)
    files = [path for path in ROOT.glob("stages/**/*") if path.suffix in (".py", ".j2")]
    found = [(path, known.findall(path.read_text())) for path in [*files, *PIPELINES]]
    assert [each for each in found if each[1]] == []
