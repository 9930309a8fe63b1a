"""The copy that `make quick` works in. That it runs there is seen in test_pipeline."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stages.params.study import load_params
from stages.runner.pipeline import INTERRUPTED
from stages.runtime.errors import StageError
from stages.tools.quick import copy_project, restrict
from tests.conftest import ROOT, Project, eventually
from tests.examples import PARAMS


def test_only_recipes_seeds_and_folders_of_reviews_change(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    text = PARAMS.read_text()
    mirrors = "mirrors: [/absolute/folder, ../relative/folder, https://example.org/]"
    file.write_text(text.replace("mirrors: [no/such/folder]", mirrors))
    before = load_params(file)
    restrict(file, "prepadded", 3)
    after = load_params(file)
    assert (after.recipes, after.seeds) == (("prepadded",), (3,))
    assert after.download.mirrors == ("/absolute/folder", "../../relative/folder", "https://example.org/")
    # What refers to a recipe that is trained refers to this one; a published recipe is not trained again.
    assert {
        after.release.recipe,
        after.demo.recipe,
        after.bag_of_words.recipe,
        after.comparison.headline,
    } == {"prepadded"}
    assert after.learning_rates.recipes == ("prepadded",)
    assert [each.recipe for each in after.best_rates.rates] == ["prepadded"]
    changed = {
        "recipes",
        "seeds",
        "download",
        "release",
        "demo",
        "bag_of_words",
        "comparison",
        "learning_rates",
        "best_rates",
    }
    assert after.model_dump(exclude=changed) == before.model_dump(exclude=changed)
    for part in ("bag_of_words", "comparison", "demo"):
        rest = {"recipe", "headline"}
        assert getattr(after, part).model_dump(exclude=rest) == getattr(before, part).model_dump(exclude=rest)


@pytest.mark.parametrize(("recipe", "rnn", "lstm"), [("tuned", 0.002, 0.001), ("notebook", 0.001, 0.01)])
def test_a_recipe_keeps_its_best_rates_and_one_without_gets_others(
    tmp_path: Path, recipe: str, rnn: float, lstm: float
) -> None:
    file = tmp_path / "params.yaml"
    text = PARAMS.read_text().replace("{recipe: tuned, rnn: 0.001", "{recipe: tuned, rnn: 0.002")
    file.write_text(
        text.replace("recipes: [prepadded, tuned]\nseeds", "recipes: [notebook, prepadded, tuned]\nseeds")
    )
    restrict(file, recipe, 0)
    (only,) = load_params(file).best_rates.rates
    assert (only.recipe, only.rnn, only.lstm) == (recipe, rnn, lstm)


def test_comments_stay(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    file.write_text((ROOT / "params.yaml").read_text())
    params = load_params(file)
    comments = file.read_text().count("#")
    restrict(file, params.recipes[0], params.seeds[0])
    assert file.read_text().count("#") == comments


def test_the_copy_has_the_files_as_they_are_now_and_the_same_cache(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.folder)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    (project.folder / "LICENSE").write_text("changed")
    (project.folder / "Makefile").unlink()
    (project.folder / "untracked").touch()
    copy = Path(".quick")
    (copy / "data").mkdir(parents=True)
    (copy / "data/left").touch()
    copy_project(copy)
    assert (copy / "LICENSE").read_text() == "changed"
    for name in ("Makefile", "untracked", "data/left"):
        assert not (copy / name).exists()
    assert (copy / "data/.gitignore").is_file() == (project.folder / "data/.gitignore").is_file()
    cache = project.run("dvc", "--cd", ".quick", "cache", "dir").stdout.strip()
    assert Path(cache).resolve() == (project.folder / ".dvc/cache").resolve()
    # Neither git nor DVC sees it from here.
    assert ".quick" not in project.run("git", "status", "--porcelain").stdout
    assert not any(".quick" in name for name in project.run("dvc", "stage", "list", "--all").stdout.split())
    # A cache that was set up elsewhere.
    project.run("dvc", "cache", "dir", "--local", "../elsewhere")
    copy_project(copy)
    cache = project.run("dvc", "--cd", ".quick", "cache", "dir").stdout.strip()
    assert Path(cache).resolve() == (project.folder / "../elsewhere").resolve()


def test_without_git_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(StageError, match="`git ls-files -z` failed"):
        copy_project(Path(".quick"))


@pytest.mark.fault(
    "Ctrl-C at `make quick`",
    "all that it started ends; it says what was kept, in one line, exit status 130",
    "what was finished, in the cache; no committed result is touched",
)
def test_ctrl_c_ends_it_and_names_the_command_that_goes_on(project: Project) -> None:
    # A stage that begins and never ends.
    (project.folder / "stages/download.py").write_text(
        'import time\nfrom pathlib import Path\n\nPath("began").touch()\ntime.sleep(600)\n'
    )
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-m", "stages.tools.quick"]
    with subprocess.Popen(
        command, cwd=project.folder, env=environment, stderr=subprocess.PIPE, text=True
    ) as quick:
        try:
            assert eventually((project.folder / ".quick/began").is_file, 120)
            quick.send_signal(signal.SIGINT)
            said = quick.communicate(timeout=20)[1]
        finally:
            quick.kill()
    assert quick.returncode == 130
    assert said == f"quick: {INTERRUPTED}\n"
