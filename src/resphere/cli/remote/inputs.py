"""The input of operations as flags, as ``path=value`` and as documents; all of it derived from the contract's types.

A leaf is a place in the input that takes one text, or several. What stands in between, such as ``spec``, need not be
said.
"""

from __future__ import annotations

import json
import re
import typing
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

import msgspec

from resphere.cli.exits import Ended, Exit
from resphere.contract.model import Secret, Struct
from resphere.contract.type_forms import plain_type, without_none
from resphere.contract.words import describe
from resphere.nearest import meant
from resphere.yaml_text import YamlFault, read_file

LEFT_OUT = frozenset(
    {
        "spec",
        "create_spec",
        "update_spec",
        "filter",
        "filter_spec",
        "result_spec",
        "placement",
        "info",
        "iteration",
        "iterate",
    }
)
"""Names that say nothing to people."""
DEEPEST = 3
MOST_SHOWN = 20
DYNAMIC_ID = "com.vmware.vapi.std.dynamic_ID"
WORDY = re.compile(r", one of \d+ words$|^The id of ")
SIZE = re.compile(r"(\d+)\s*([KMGT])(i?B)?\Z", re.IGNORECASE)
FACTORS = {"k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}


class Leaf(msgspec.Struct, frozen=True):
    """A place in an input. ``path`` leads to it; ``type`` is that of one value; ``many`` takes several."""

    path: tuple[str, ...]
    type: Any
    many: bool
    required: bool

    @property
    def dotted(self) -> str:
        """``spec.cpu.count``."""
        return ".".join(self.path)

    @property
    def words(self) -> str:
        """What it is, in words."""
        filters = self.path[0].startswith("filter")
        return WORDY.sub("", describe(self.path[-1], self.type, filters=filters).rstrip("."))

    @property
    def id_type(self) -> str | None:
        """The type of identifier that it takes: ``FolderId``."""
        return self.type.__name__ if isinstance(self.type, typing.NewType) and self.type is not Secret else None

    @property
    def is_object(self) -> bool:
        """Whether it takes an object of any type, with that type."""
        return getattr(self.type, "__vapi_name__", None) == DYNAMIC_ID

    @property
    def choices(self) -> tuple[str, ...]:
        """The values that there are, where the contract lists them."""
        return tuple(each.value for each in self.type) if is_enum(self.type) else ()


def is_struct(expected: Any) -> bool:
    """Whether it is a structure whose fields are known."""
    return isinstance(expected, type) and issubclass(expected, Struct)


def is_enum(expected: Any) -> bool:
    """Whether the contract lists its values."""
    return isinstance(expected, type) and issubclass(expected, Enum)


def leaves(struct: type[Struct], above: tuple[str, ...] = (), required: bool = True) -> Iterator[Leaf]:
    """All places in an input, in the contract's order."""
    for field in msgspec.structs.fields(struct):
        expected = without_none(field.type)
        path = (*above, field.encode_name)
        needed = required and field.required
        if is_struct(expected) and getattr(expected, "__vapi_name__", None) != DYNAMIC_ID and len(path) <= DEEPEST:
            yield from leaves(expected, path, needed)
        elif typing.get_origin(expected) in (tuple, frozenset):
            yield Leaf(path, typing.get_args(expected)[0], True, needed)
        else:
            yield Leaf(path, unannotated(expected), False, needed)


def unannotated(expected: Any) -> Any:
    """A type without annotations, with the name of an identifier."""
    return typing.get_args(expected)[0] if typing.get_origin(expected) is typing.Annotated else expected


def flags(struct: type[Struct], without: Iterable[str] = ()) -> dict[str, Leaf]:
    """Flag -> place in the input, but for the dotted paths that come another way."""
    left = set(without)
    found = [leaf for leaf in leaves(struct) if not any((leaf.dotted + ".").startswith(path + ".") for path in left)]
    short = [tuple(part for part in leaf.path if part not in LEFT_OUT) or leaf.path[-1:] for leaf in found]
    return {
        flag(parts if short.count(parts) == 1 else leaf.path): leaf for leaf, parts in zip(found, short, strict=True)
    }


def flag(parts: Iterable[str]) -> str:
    """``--cpu-count`` of ``cpu``, ``count``."""
    return "--" + "-".join(parts).replace("_", "-").lower()


# --- values ----------------------------------------------------------------------------------------------------------


def value(leaf: Leaf, text: str) -> Any:
    """One value as text -> as JSON has it.

    :raises ValueError: says why it is none.
    """
    expected = plain_type(leaf.type)
    if is_enum(expected):
        return one_of(text, leaf.choices)
    if expected is bool:
        return truth(text)
    if expected is int:
        return integer(text, leaf.path[-1])
    if expected is float:
        return float(text)
    if expected in (str, Secret, datetime):
        return text
    if is_struct(expected) or typing.get_origin(expected) is dict:
        return structure(text, expected)
    return as_json(text) if text[:1] in '[{"' else text


def one_of(text: str, choices: tuple[str, ...]) -> str:
    """A value of a list, in any case of letters, with dashes, underscores or neither.

    :raises ValueError: it is not on the list.
    """
    given = letters(text)
    for choice in choices:
        if letters(choice) == given:
            return choice
    shown = f", there are {', '.join(choices)}" if len(choices) <= MOST_SHOWN else ""
    raise ValueError(f"there is no {text}{shown}{meant(text, choices)}")


def letters(text: str) -> str:
    """What is compared of a value of a list."""
    return text.casefold().replace("-", "").replace("_", "")


def truth(text: str) -> bool:
    """Yes or no.

    :raises ValueError: neither.
    """
    if text.lower() in ("true", "yes", "1"):
        return True
    if text.lower() in ("false", "no", "0"):
        return False
    raise ValueError(f"{text} is neither true nor false")


def integer(text: str, name: str) -> int:
    """A whole number; a size may have its unit (``10GiB``), and becomes what ``name`` counts in: MiB, else bytes.

    :raises ValueError: it is none.
    """
    size = SIZE.match(text)
    if size is None:
        try:
            return int(text)
        except ValueError:
            raise ValueError(f"{text} is no whole number") from None
    bytes = int(size[1]) * FACTORS[size[2].lower()]
    unit = 2**20 if name.lower().endswith("_mib") else 1
    if bytes % unit:
        raise ValueError(f"{text} is no whole number of MiB")
    return bytes // unit


def structure(text: str, expected: Any) -> Any:
    """A structure: JSON, or ``key=value,other.key=value``.

    :raises ValueError: it is neither.
    """
    if text[:1] in "{[":
        return as_json(text)
    found: dict[str, Any] = {}
    for part in text.split(","):
        key, equals, given = part.partition("=")
        if not equals:
            raise ValueError(f"{text} is neither JSON nor key=value,...")
        put(found, expected, key, given)
    return found


def as_json(text: str) -> Any:
    """JSON.

    :raises ValueError: it is none.
    """
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"{text} is no JSON: {error}") from None


# --- places ----------------------------------------------------------------------------------------------------------


def put(into: dict[str, Any], struct: Any, dotted: str, text: str) -> None:
    """Put a value at a place of an input.

    :raises ValueError: there is no such place, or the value does not fit.
    """
    path = tuple(dotted.split("."))
    leaf = leaf_at(struct, path)
    try:
        given = value(leaf, text) if not (leaf.many and text[:1] == "[") else as_json(text)
    except ValueError as error:
        raise ValueError(f"{dotted}: {error}") from None
    place(into, path, [given] if leaf.many and not isinstance(given, list) else given)


def leaf_at(struct: Any, path: tuple[str, ...]) -> Leaf:
    """The place that a path leads to.

    :raises ValueError: it leads nowhere.
    """
    expected = struct
    for position, name in enumerate(path):
        origin = typing.get_origin(expected)
        if origin is dict:
            expected = without_none(typing.get_args(expected)[1])
            continue
        if not is_struct(expected):
            above = ".".join(path[:position])
            if origin is None and plain_type(expected) in (str, int, float, bool):
                raise ValueError(f"{above} is one value, and nothing is below it")
            raise ValueError(f"{above} takes JSON as a whole")
        fields = {field.encode_name: field for field in msgspec.structs.fields(expected)}
        if name not in fields:
            known = sorted(fields)
            listed = f", there are {', '.join(known)}" if known and len(known) <= MOST_SHOWN else ""
            where = f" below {'.'.join(path[:position])}" if position else ""
            raise ValueError(f"there is no {name}{where}{listed}{meant(name, known)}")
        expected = without_none(fields[name].type)
    if typing.get_origin(expected) in (tuple, frozenset):
        return Leaf(path, typing.get_args(expected)[0], True, False)
    return Leaf(path, unannotated(expected), False, False)


def place(into: dict[str, Any], path: tuple[str, ...], given: Any) -> None:
    """Put a value where a path leads; of what takes several, behind those that are there.

    :raises ValueError: something else is there.
    """
    at: Any = into
    for name in path[:-1]:
        at = at.setdefault(name, {})
        if not isinstance(at, dict):
            raise ValueError(f"{'.'.join(path)} is given twice, each time another way")
    if isinstance(given, list) and isinstance(at.get(path[-1]), list):
        at[path[-1]] = [*at[path[-1]], *given]
    else:
        at[path[-1]] = given


def read_document(file: str, standard_input: str | None = None) -> dict[str, Any]:
    """A structure in a file of JSON or YAML; ``-`` is standard input.

    :raises Ended: it is none.
    """
    try:
        content = (standard_input or "").encode() if file == "-" else Path(file).read_bytes()
        found = json.loads(content) if content.lstrip()[:1] == b"{" else read_file(content)
    except (YamlFault, ValueError) as error:
        raise Ended(f"{file}: {error}", Exit.CALLED_WRONGLY) from None
    if not isinstance(found, dict):
        raise Ended(f"{file}: this is no structure of key and value", Exit.CALLED_WRONGLY)
    return found


def typed(struct: type[Struct], data: Mapping[str, Any], names: Mapping[str, str]) -> Struct:
    """The input as the contract has it. ``names`` are the flags by dotted path, for messages.

    :raises Ended: names the flag that is missing, or the value that does not fit.
    """
    try:
        return msgspec.convert(data, struct)
    except msgspec.ValidationError as error:
        raise Ended(refusal(str(error), names), Exit.CALLED_WRONGLY) from None


MISSING = re.compile(r"Object missing required field `([^`]+)`(?: - at `\$\.?([^`]*)`)?")
UNKNOWN = re.compile(r"Object contains unknown field `([^`]+)`(?: - at `\$\.?([^`]*)`)?")
PLACED = re.compile(r"(.*) - at `\$\.?([^`]*)`")


def refusal(text: str, names: Mapping[str, str]) -> str:
    """What the decoder says, in words of the command line."""
    for pattern, said in ((MISSING, "is missing"), (UNKNOWN, "is none of the contract's")):
        if (found := pattern.match(text)) is not None:
            dotted = ".".join(part for part in (found[2], found[1]) if part)
            return f"{names.get(dotted, dotted)} {said}"
    if (found := PLACED.match(text)) is not None:
        return f"{names.get(found[2], found[2])}: {found[1]}"
    return text
