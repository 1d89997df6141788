"""Plain values of a file -> typed ones, and where that fails: which field, why, and what is allowed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from resphere.contract.model import DateTime
from resphere.providers.simulator.inventory_faults import allowed, suggestion
from resphere.rules.soundness.devices import Fault

T = TypeVar("T")

LARGEST = 2**63 - 1
_LONG_NUMBER = re.compile(rb"[0-9]{19}")


def convert(value: object, kind: type[T]) -> T | list[Fault]:
    """`value` as a `kind`; texts become numbers, booleans and times as the fields' types want. Or all faults."""
    try:
        found = msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as error:
        # The library tells the first fault only, and not which key of a mapping it is under.
        return list(_faults(value, inspect.type_info(kind), "")) or [("", str(error))]
    # It also takes numbers that no store and no client does.
    if _has_long_number(found):
        return list(_faults(value, inspect.type_info(kind), "")) or found
    return found


def _has_long_number(value: object) -> bool:
    """Whether there is one, or a text that looks like it."""
    try:
        return _LONG_NUMBER.search(msgspec.json.encode(value)) is not None
    except OverflowError:
        return True


def _faults(value: Any, info: inspect.Type, path: str) -> Iterator[Fault]:
    if isinstance(info, inspect.Metadata):  # what the API's description adds to a type
        yield from _faults(value, info.type, path)
    elif isinstance(info, inspect.UnionType):
        options = [option for option in info.types if not isinstance(option, inspect.NoneType)]
        # As YAML writes nothing, and text that is all the same.
        if len(options) == 1 and value not in (None, "null"):
            yield from _faults(value, options[0], path)
    elif isinstance(info, inspect.StructType):
        yield from _struct_faults(value, info, path)
    elif isinstance(info, inspect.DictType):
        if not isinstance(value, Mapping):
            yield path, f"must be a mapping, not {_shown(value)}"
            return
        for key, inner in value.items():
            yield from _faults(inner, info.value_type, f"{path}.{key}" if path else str(key))
    elif isinstance(info, inspect.VarTupleType):
        if not isinstance(value, list | tuple):
            yield path, f"must be a list, not {_shown(value)}"
            return
        for index, inner in enumerate(value):
            yield from _faults(inner, info.item_type, f"{path}[{index}]")
    else:
        yield from _scalar_faults(value, info, path)


def _struct_faults(value: Any, info: inspect.StructType, path: str) -> Iterator[Fault]:
    fields = {field.encode_name: field for field in info.fields}
    prefix = f"{path}." if path else ""
    if not isinstance(value, Mapping):
        yield path, f"must be a mapping, not {_shown(value)}; {allowed(fields)}"
        return
    for key in value:
        if key not in fields:
            yield f"{prefix}{key}", f"is no field here; {allowed(fields)}"
    for name, field in fields.items():
        if name in value:
            yield from _faults(value[name], field.type, f"{prefix}{name}")
        elif field.required:
            yield f"{prefix}{name}", "must be set"


def _scalar_faults(value: Any, info: inspect.Type, path: str) -> Iterator[Fault]:
    if isinstance(info, inspect.AnyType):
        return
    if isinstance(info, inspect.EnumType):
        values = [str(member.value) for member in info.cls]
        if value not in values:
            yield path, f"{_shown(value)} is no value of this field; {suggestion(str(value), values)}"
    elif isinstance(info, inspect.IntType):
        if not _is(value, int):
            yield path, f"must be a whole number, not {_shown(value)}"
        elif not -LARGEST <= msgspec.convert(value, int, strict=False) <= LARGEST:
            yield path, f"must be from {-LARGEST} to {LARGEST}, not {_shown(value)}"
    elif isinstance(info, inspect.BoolType):
        if not _is(value, bool):
            yield path, f"must be true or false, not {_shown(value)}"
    elif isinstance(info, inspect.DateTimeType):
        if not _is(value, DateTime):
            yield path, f"must be a time with its zone, such as 2025-03-03T06:00:00Z, not {_shown(value)}"
    elif not isinstance(value, str):
        yield path, f"must be text, not {_shown(value)}"


def _is(value: object, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError:
        return False
    return True


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    return repr(value)
