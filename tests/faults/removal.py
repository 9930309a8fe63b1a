"""What tests say when a protection is taken out of the code: some have to fail, or nothing protects it.

    python -m tests.faults.removal    # a part of `make faults`; about five minutes on two cores

Each protection is taken out of a copy of the project, by itself. Prints which tests failed; exits with 1
where none did, where tests fail anyhow, or where the code no longer has the text that is to be taken out.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tests.conftest import ROOT

JOBS = 2


class Protection(NamedTuple):
    """Something that the code does against a fault, and tests that fail without it."""

    name: str
    file: str
    text: str  # is in the file once …
    instead: str  # … and is replaced by this
    tests: tuple[str, ...]


ARCHIVES = "tests/faults/test_archives.py::test_an_archive_that_is_accepted_and_yet_none_is_refused"
DOWNLOAD, FILES, STATE = "stages/download.py", "stages/runtime/files.py", "stages/runner/state.py"
LINE, PROVENANCE = "stages/runtime/command_line.py", "stages/networks/provenance.py"
TRAINING = "stages/networks/training.py"
WHOLE_FILE = """        yield draft
        _flush(draft)
        draft.replace(path)
        _flush(path.parent)
    finally:
        draft.unlink(missing_ok=True)
"""
WHOLE_FOLDER = """    draft.mkdir()
    try:
        yield draft
        for each in (*draft.rglob("*"), draft):
            _flush(each)
        if path.exists():
            path.replace(former)  # a folder that is not empty cannot be replaced in one step
        draft.replace(path)
"""
HALF_FOLDER = """    path.mkdir(exist_ok=True)
    try:
        yield path
"""
LEFT_OVERS = """    for left_over in (draft, former):
        shutil.rmtree(left_over, ignore_errors=True)
    draft.mkdir()
"""
LAST_STEP = """        if not np.isfinite(
            row["validation_loss"]
        ):  # the last step's weights, which no loss was computed with
"""
INTERRUPTS = """    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, leave)
    try:
"""
END_OF_TRAINING = (
    "        check_current(title, made, changed(recipe, load_recipe(recipe), settings).settings(cell))\n"
)
PROTECTIONS = [
    Protection(
        "downloads have an accepted digest",
        DOWNLOAD,
        "            _check(content, digests)\n",
        "",
        ("tests/faults/test_archives.py::test_code_in_an_archive_of_another_digest_does_not_run",),
    ),
    Protection(
        "downloads are no larger than they may be",
        DOWNLOAD,
        "opened.read(SIZE_LIMIT + 1)",
        "opened.read()",
        ("tests/faults/test_folders.py::test_a_file_that_is_too_large_is_not_read",),
    ),
    Protection(
        "archives unpack to no more than they may",
        DOWNLOAD,
        "        _check_unpacked(content)\n",
        "",
        (f"{ARCHIVES}[an archive unpacks to more than a gigabyte]",),
    ),
    Protection(
        "archives have ranks of the word index",
        DOWNLOAD,
        "    if ranks and not 1 <= min(ranks) <= max(ranks) <= words:\n",
        "    if False:\n",
        (f"{ARCHIVES}[a review holds rank 0]",),
    ),
    Protection(
        "files are replaced whole",
        FILES,
        WHOLE_FILE,
        "        yield path\n    finally:\n        pass\n",
        ("tests/test_files.py",),
    ),
    Protection("folders are replaced whole", FILES, WHOLE_FOLDER, HALF_FOLDER, ("tests/test_files.py",)),
    Protection(
        "what a killed process left goes",
        FILES,
        LEFT_OVERS,
        "    draft.mkdir(exist_ok=True)\n",
        ("tests/test_files.py",),
    ),
    Protection(
        "files are on disk before they have their names",
        FILES,
        "        _flush(draft)\n",
        "",
        ("tests/test_files.py",),
    ),
    Protection("JSON has no NaN", FILES, "allow_nan=False", "allow_nan=True", ("tests/test_files.py",)),
    Protection(
        "models have the present settings",
        PROVENANCE,
        'differing(made["settings"], settings).items()',
        "{}.items()",
        ("tests/test_provenance.py::test_a_changed_setting_is_named",),
    ),
    Protection(
        "models are made with the present code",
        PROVENANCE,
        "if not file.is_file() or sources.digest(file) != digest:",
        "if False:",
        ("tests/test_provenance.py::test_a_changed_module_is_named",),
    ),
    Protection(
        "settings are compared at the end of a training",
        TRAINING,
        END_OF_TRAINING,
        "",
        ("tests/test_provenance.py::test_a_training_checks_its_reviews_first_and_its_settings_last",),
    ),
    Protection(
        "reviews are padded as a training expects",
        TRAINING,
        "    check_padded(reviews, block.pad)\n",
        "",
        ("tests/test_provenance.py::test_a_training_checks_its_reviews_first_and_its_settings_last",),
    ),
    Protection(
        "losses are finite",
        TRAINING,
        "            if not np.isfinite(loss):\n",
        "            if False:\n",
        ("tests/test_training.py::test_a_learning_rate_of_a_million_is_stopped",),
    ),
    Protection(
        "the last step's weights are finite",
        TRAINING,
        LAST_STEP,
        "        if False:\n",
        ("tests/test_training.py::test_weights_that_the_last_step_broke_are_not_kept",),
    ),
    Protection(
        "Ctrl-C ends a stage in a line",
        LINE,
        INTERRUPTS,
        "    try:\n",
        ("tests/faults/test_mirrors.py::test_ctrl_c_ends_a_download_at_once",),
    ),
    Protection(
        "what a disk cannot hold ends a stage in a line",
        LINE,
        "    except (StageError, OSError, MemoryError) as error:\n",
        "    except StageError as error:\n",
        ("tests/faults/test_folders.py::test_a_file_size_limit_is_said_as_such",),
    ),
    Protection(
        "misspelt parameters are refused",
        "stages/params/reading.py",
        'extra="forbid"',
        'extra="ignore"',
        ("tests/test_params.py::test_a_misspelt_name_is_recognised",),
    ),
    Protection(
        "a dvc.lock that ends within a line is seen",
        STATE,
        '        if not text.endswith("\\n"):\n',
        "        if False:\n",
        ("tests/faults/test_runs.py::test_a_lock_that_ends_within_an_entry_is_not_whole",),
    ),
    Protection(
        "a dvc.lock that ends within an entry is seen",
        STATE,
        "        if not all(map(_described, files)):\n",
        "        if False:\n",
        ("tests/faults/test_runs.py::test_a_lock_that_ends_within_an_entry_is_not_whole",),
    ),
    Protection(
        "a run cache that DVC was killed at is mended",
        STATE,
        "            folder.rmdir()\n",
        "            pass\n",
        ("tests/faults/test_sweep.py::test_empty_records_are_deleted",),
    ),
    Protection(
        "what a killed runner has started ends",
        "stages/runner/guard.py",
        "    threading.Thread(target=_watch, args=(child.pid,), daemon=True).start()\n",
        "",
        ("tests/test_guard.py",),
    ),
]


def copy(folder: Path, protection: Protection | None = None) -> None:
    """Copy what git tracks or would, without a protection."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in filter(None, subprocess.check_output(listed, cwd=ROOT, text=True).split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    if protection:
        file = folder / protection.file
        text = file.read_text()
        if text.count(protection.text) != 1:
            sys.exit(f"{protection.file} no longer has this once, change removal.py:\n{protection.text}")
        file.write_text(text.replace(protection.text, protection.instead))


def failed(folder: Path, tests: Collection[str]) -> list[str]:
    """Run tests in a copy and return those that failed."""
    options = ("-n0", "-q", "-rf", "--tb=no", "-p", "no:cacheprovider", f"--basetemp={folder}.tmp")
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *tests],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        check=False,
        capture_output=True,
        text=True,
    )
    if result.returncode not in (0, 1):
        sys.exit(f"{' '.join(tests)} could not be run:\n{result.stdout}{result.stderr}")
    return [
        line.removeprefix("FAILED ").partition(" - ")[0]
        for line in result.stdout.splitlines()
        if line.startswith("FAILED ")
    ]


def without(protection: Protection, folder: Path) -> list[str]:
    """Return the tests that fail without a protection, and say so."""
    copy(folder, protection)
    found = failed(folder, protection.tests)
    print(f"Not so: {protection.name}\n  {', '.join(found) or 'NO TEST FAILED'}", flush=True)
    return found


def main() -> None:
    """Take out each protection in turn."""
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(JOBS) as pool:
        intact = Path(temporary, "intact")
        copy(intact)
        if found := failed(intact, sorted({test for each in PROTECTIONS for test in each.tests})):
            sys.exit(f"These fail with all protections: {', '.join(found)}")
        folders = [Path(temporary, str(number)) for number in range(len(PROTECTIONS))]
        results = list(pool.map(without, PROTECTIONS, folders))
    unprotected = [each.name for each, found in zip(PROTECTIONS, results, strict=True) if not found]
    print(f"{len(PROTECTIONS)} protections were taken out, tests failed for all but {len(unprotected)}")
    sys.exit(bool(unprotected))


if __name__ == "__main__":
    main()
