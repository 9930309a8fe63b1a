"""Files that would do harm: `download` takes none of an unknown digest, and none that is no such archive."""

import io
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import sha256, write_archive
from tests.faults.downloads import FILES, Place

SAID = "a line says what is wrong with it"
NOTHING = "what was there before; nothing half-written"
GOOD: dict[str, Any] = {"x_train": [[1], [2]], "y_train": [0, 1], "x_test": [[3]], "y_test": [1]}


class Trap:
    """An object that makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.folder),)


@pytest.fixture
def hostile(place: Place, mirror: Path, tmp_path: Path) -> Path:
    """The only mirror of `place`: it has the good word index, and yet no archive."""
    folder = tmp_path / "hostile"
    folder.mkdir()
    (folder / FILES[1]).write_bytes((mirror / FILES[1]).read_bytes())
    place.mirrors = [str(folder)]
    return folder


def trapped(archive: Path, trap: Path) -> None:
    write_archive(archive, **(GOOD | {"x_train": [[1], Trap(trap)]}))


@pytest.mark.fault(
    "an archive holds a pickle that runs code", "its digest is wrong: it is not opened", NOTHING
)
def test_code_in_an_archive_of_another_digest_does_not_run(
    place: Place, hostile: Path, tmp_path: Path
) -> None:
    trapped(hostile / FILES[0], tmp_path / "executed")
    place.fails("wrong digest")
    assert not (tmp_path / "executed").exists()
    place.digests["archive"].append(sha256(hostile / FILES[0]))
    place.fails(LISTS)
    assert (tmp_path / "executed").exists()  # the trap works: without the check it would have gone off


@pytest.mark.fault(
    "a file is replaced between its check and its use", "what was checked is used", "everything"
)
@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_replaced_after_its_check_does_no_harm(
    place: Place, hostile: Path, mirror: Path, tmp_path: Path, intact: dict[str, str], name: str
) -> None:
    (hostile / FILES[0]).write_bytes((mirror / FILES[0]).read_bytes())
    other = tmp_path / "other.npz"
    if name == FILES[0]:
        trapped(other, tmp_path / "executed")
    else:
        other.write_text('{"other": 1}')
    digest = sha256(hostile / name)
    swap = f"""
import hashlib, pathlib
sha256 = hashlib.sha256
def swapping(content):
    found = sha256(content)
    if found.hexdigest() == {digest!r}:
        pathlib.Path({str(other)!r}).replace({str(hostile / name)!r})
    return found
hashlib.sha256 = swapping
"""
    assert place.succeeds(preamble=swap) == intact
    assert sha256(hostile / name) != digest  # it was replaced
    assert not (tmp_path / "executed").exists()


def members(**contents: bytes) -> dict[str, bytes]:
    """Return the members of a good archive, with some replaced."""
    file = io.BytesIO()
    objects: dict[str, Any] = {
        name: np.array(values, int) for name, values in GOOD.items() if name.startswith("y_")
    }
    for name in ("x_train", "x_test"):
        objects[name] = np.empty(len(GOOD[name]), object)
        objects[name][:] = GOOD[name]
    np.savez(file, **objects)
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()} | {
            f"{name}.npy": content for name, content in contents.items()
        }


def zipped(path: Path, contents: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> None:
    with zipfile.ZipFile(path, "w", compression, compresslevel=1) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def zip_bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in members().items():
            with archive.open(name, "w") as member:
                member.write(content)
                for _ in range(32 * name.startswith("x_")):
                    member.write(bytes(2**24))


def lying_zip_bomb(path: Path, compression: int = zipfile.ZIP_DEFLATED) -> None:
    """Write an archive that says of a long member that it is short, in both places where sizes stand."""
    long = npy(np.zeros(2**24, np.int64))
    zipped(path, members(y_train=long), compression)
    content = path.read_bytes()
    assert content.count(struct.pack("<I", len(long))) == 2
    path.write_bytes(content.replace(struct.pack("<I", len(long)), struct.pack("<I", 200)))


def bzip2_bomb(path: Path) -> None:
    lying_zip_bomb(path, zipfile.ZIP_BZIP2)


def lying_header(path: Path) -> None:
    """Write an archive with an array that says that it has 10¹² numbers."""
    long = b"(1000000000000,), }"
    header = npy(np.zeros(2, np.int64)).replace(b"(2,), }".ljust(len(long)), long)
    assert long in header
    zipped(path, members(y_train=header))


def bytes_for_an_array(path: Path) -> None:
    zipped(path, members(x_train=b"no array"))


def a_pickle_alone(path: Path) -> None:
    path.write_bytes(b"cos\nabort\n(tR.")  # it would end the process


def pickle_of_an_absent_class(path: Path) -> None:
    array = npy(np.array([None, None], object))
    head = array[: array.index(b"\n") + 1]
    zipped(path, members(x_train=head + b"cno_such_module\nThing\n."))


def deep_pickle(path: Path) -> None:
    array = npy(np.array([None, None], object))
    head = array[: array.index(b"\n") + 1]
    zipped(path, members(x_train=head + b"(" * 10**6 + b"l" * 10**6 + b"."))


def with_arrays(**arrays: np.ndarray) -> Callable[[Path], None]:
    """Return a function that writes a good archive with some arrays replaced."""
    return lambda path: zipped(path, members(**{name: npy(array) for name, array in arrays.items()}))


def first_review(value: Any) -> Callable[[Path], None]:
    """Return a function that writes a good archive whose first review is `value`."""
    reviews = np.empty(2, object)
    reviews[0], reviews[1] = value, [2]
    return with_arrays(x_train=reviews)


LISTS = "x_train is not a one-dimensional array of lists"
WHOLE = "y_train is not a one-dimensional array of whole numbers"
RANKS = "has train reviews with ranks outside of 1 to 29"
OTHERS = "has train reviews of something else than whole numbers"
BROKEN = "is truncated or no NumPy archive"


def case(write: Callable[[Path], None], said: str, fault: str) -> Any:
    return pytest.param(write, said, id=fault, marks=pytest.mark.fault(fault, SAID, NOTHING))


@pytest.mark.parametrize(
    ("write", "said"),
    [
        case(
            zip_bomb,
            "bytes when unpacked, allowed are 134,217,728",
            "an archive unpacks to more than a gigabyte",
        ),
        case(lying_zip_bomb, BROKEN, "an archive lies about the size of what it holds"),
        case(
            bzip2_bomb,
            "compressed in a way that NumPy does not use",
            "an archive lies, and is compressed as bzip2",
        ),
        case(lying_header, BROKEN, "an array says that it has 10¹² numbers"),
        case(bytes_for_an_array, LISTS, "an archive holds bytes instead of an array"),
        case(a_pickle_alone, BROKEN, "the archive is a pickle"),
        case(pickle_of_an_absent_class, BROKEN, "an archive holds objects of a package that is not there"),
        case(deep_pickle, LISTS, "an archive holds lists in lists in lists"),
        case(with_arrays(x_train=np.ones((2, 3), int)), LISTS, "reviews are a two-dimensional array"),
        case(with_arrays(x_train=np.ones(2, int)), LISTS, "reviews are numbers"),
        case(with_arrays(x_train=np.array(None, object)), LISTS, "reviews are an array without dimensions"),
        case(first_review("film"), LISTS, "a review is a text, no list"),
        case(first_review(np.ones(3, int)), LISTS, "a review is an array, no list"),
        case(first_review([-1]), RANKS, "a review holds a negative rank"),
        case(first_review([0]), RANKS, "a review holds rank 0"),
        case(first_review([30]), RANKS, "a review holds a rank that the word index does not have"),
        case(first_review([10**5000]), RANKS, "a review holds a number of 5,000 digits"),
        case(first_review([float("nan")]), OTHERS, "a review holds NaN"),
        case(first_review([1.5]), OTHERS, "a review holds fractions"),
        case(first_review(["7"]), OTHERS, "a review holds texts"),
        case(first_review([[1]]), OTHERS, "a review holds lists"),
        case(with_arrays(y_train=np.array(["0", "1"])), WHOLE, "labels are texts"),
        case(with_arrays(y_train=np.array([0, np.nan])), WHOLE, "labels are NaN"),
        case(with_arrays(y_train=np.array([[0], [1]])), WHOLE, "labels are a two-dimensional array"),
        case(
            with_arrays(y_train=np.array([0, -1])),
            "has train labels other than 0 and 1",
            "labels are negative",
        ),
    ],
)
def test_an_archive_that_is_accepted_and_yet_none_is_refused(
    place: Place, hostile: Path, write: Callable[[Path], None], said: str
) -> None:
    write(hostile / FILES[0])
    place.digests["archive"] = [sha256(hostile / FILES[0])]
    assert place.fails(said).startswith(f"download: {FILES[0]}")
