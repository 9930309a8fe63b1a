"""How params.yaml is read: its blocks as frozen, typed objects, and mistakes in it as sentences."""

import difflib
import reprlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML

from stages.runtime.errors import StageError

PARAMS_FILE = Path("params.yaml")

SHORT = reprlib.Repr()
SHORT.maxlevel, SHORT.maxtuple, SHORT.maxlist, SHORT.maxdict = 3, 20, 20, 20
SHORT.maxstring = SHORT.maxlong = SHORT.maxother = 200  # all is cut at 60 in the end

Item = TypeVar("Item")


def _unique(items: tuple[Item, ...]) -> tuple[Item, ...]:
    twice = next((item for item in items if items.count(item) > 1), None)
    if twice is not None:
        raise ValueError(f"should hold each value once, but holds {twice!r} twice")
    return items


# YAML has lists where frozen objects need tuples; the items themselves stay strictly typed.
List = Annotated[tuple[Item, ...], Field(strict=False, min_length=1)]
Set = Annotated[List[Item], AfterValidator(_unique)]
Positive = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(gt=0)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
# A name becomes part of folder and stage names.
Name = Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]


class Block(BaseModel):
    """A mapping in params.yaml: exactly these names, exactly these types, never changed."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


AnyBlock = TypeVar("AnyBlock", bound=Block)
Renamed = Mapping[str, str | None]  # former → present names, each with its block's; None: no longer there


def read(path: Path = PARAMS_FILE) -> dict[str, Any]:
    """Return what a YAML file maps names to; raise `StageError` where it cannot."""
    try:
        raw = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except OSError:
        raise StageError(f"{path} cannot be read: run this in the project's root folder") from None
    except Exception as error:  # odd scalars and great depths raise whatever they lead to
        reason = " ".join(str(error).split())
        raise StageError(f"{path} is not valid YAML: {reason}") from None
    if not isinstance(raw, dict):
        raise StageError(f"{path} should be a mapping of names to values")
    return raw


def validated(
    schema: type[AnyBlock],
    raw: Any,
    renamed: Renamed,
    *,
    path: Path = PARAMS_FILE,
    name: str = "",
) -> AnyBlock:
    """Return the block `name` of `path` (or all of it) as an object.

    Raises `StageError` with one line per mistake: the parameter's dotted name, its value, what is allowed.
    """
    try:
        return schema.model_validate(raw)
    except ValidationError as error:
        raise StageError("\n".join(_explain(path, name, error.errors(), renamed))) from None


def renaming(former: str, block: str, present: str | None) -> str:
    """Say what has become of a parameter; block: what `present` lies in, empty for the top level."""
    if present is None:
        return f"{former} is no longer a parameter"
    return f"{former} is now {f'{block}.' if block else ''}{present}"


def _explain(path: Path, block: str, errors: list[ErrorDetails], renamed: Renamed) -> Iterable[str]:
    """Yield one line per mistake; where names are unknown, only those: the rest follows from them."""
    unknown = [error for error in errors if error["type"] == "extra_forbidden"]
    missing = [_dotted(block, error) for error in errors if error["type"] == "missing"]
    for error in unknown or errors:
        name = _dotted(block, error)
        if error["type"] == "too_short" and any(_inside(other, error) for other in errors):
            continue  # it is short of an item that is wrong, which has a line of its own
        if error["type"] == "extra_forbidden":
            parts = name.split(".")
            former = ".".join(parts[-2:])
            if former in renamed:
                yield f"{path}: {renaming(name, '.'.join(parts[:-2]), renamed[former])}"
                continue
            meant = difflib.get_close_matches(name, missing, n=1)
            hint = f"; did you mean {meant[0]}?" if meant else ""
            yield f"{path}: {name} is not a parameter{hint}"
        elif error["type"] == "missing":
            yield f"{path}: {name} is missing"
        else:
            allowed = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
            allowed = allowed.replace("Tuple", "List").replace("tuple", "list")  # YAML's word for it
            yield f"{path}: {name} = {short(error['input'])}: {allowed}"


def _inside(one: ErrorDetails, other: ErrorDetails) -> bool:
    """Return whether a mistake lies in an item of what the other is about."""
    depth = len(other["loc"])
    return len(one["loc"]) > depth and one["loc"][:depth] == other["loc"]


def _dotted(block: str, error: ErrorDetails) -> str:
    """Return the parameter's name as params.yaml nests it."""
    parts = [str(part) for part in error["loc"]]
    parts = parts[1:] if parts and parts[0] == "blocks" and len(parts) > 1 else parts
    return ".".join([block, *parts] if block else parts)


def short(value: Any) -> str:
    """Return a value as Python writes it, or how it begins; no number of digits or depth is too much."""
    try:
        text = SHORT.repr(value)
    except ValueError:  # an integer of more digits than Python writes
        text = "a number of thousands of digits"
    return text if len(text) <= 60 else f"{text[:57]}..."
