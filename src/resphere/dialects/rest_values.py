"""Values as ``/rest`` writes them: like ``/api``, but a map is a list of ``{"key": ..., "value": ...}``."""

from __future__ import annotations

import typing
from collections.abc import Callable
from functools import cache
from typing import Any

from resphere.contract.model import Struct
from resphere.dialects.plain_values import Maps
from resphere.dialects.validation import anywhere, bare, field_types, invalid

FromWire = Callable[[Any, str], Any]


@cache
def from_wire(expected: Any) -> FromWire | None:
    """How plain values of a document become such as ``/api`` writes, ``None`` where there is nothing to change.

    What is not of the type is left alone: decoding finds it. The function gets the value and its place for messages.
    """
    expected = bare(expected)
    if not holds_map(expected):
        return None
    origin, arguments = typing.get_origin(expected), typing.get_args(expected)
    if origin is dict:
        return map_from_wire(from_wire(arguments[1]) or unchanged_at)
    if origin is not None:
        element = from_wire(arguments[0]) or unchanged_at
        return lambda value, where: (
            [element(item, f"{where}[{position}]") for position, item in enumerate(value)]
            if isinstance(value, list)
            else value
        )

    def structure(value: Any, where: str) -> Any:
        if not isinstance(value, dict):
            return value
        fields, prefix = fields_from_wire(expected), f"{where}." if where else ""
        return {name: fields[name](item, prefix + name) if name in fields else item for name, item in value.items()}

    return structure


@cache
def fields_from_wire(struct: type[Struct]) -> dict[str, FromWire]:
    """The conversions of those fields that need one. Asked for at the first value: types may recur."""
    return {name: convert for name, t in field_types(struct).items() if (convert := from_wire(t)) is not None}


def map_from_wire(inner: FromWire) -> FromWire:
    """Entries as an object; every entry has a key of its own."""

    def entries(value: Any, where: str) -> Any:
        if value is None:
            return None
        if not isinstance(value, list):
            raise invalid(where, "a map is written as a list of objects with the members 'key' and 'value'")
        made: dict[Any, Any] = {}
        for position, entry in enumerate(value):
            place = f"{where}[{position}]"
            if not isinstance(entry, dict) or set(entry) != {"key", "value"}:
                raise invalid(place, "an entry of a map has the members 'key' and 'value' and no others")
            if not isinstance(entry["key"], (str, int)) or entry["key"] in made:
                raise invalid(f"{place}.key", "must be a string or number that no other entry has")
            made[entry["key"]] = inner(entry["value"], f"{place}.value")
        return made

    return entries


@cache
def holds_map(expected: Any) -> bool:
    """Whether a value of this type may have a map somewhere inside."""
    return anywhere(expected, is_map)


def is_map(expected: Any) -> bool:
    """Whether the type is a map. An open structure (any members, any values) is none: it is an object on every wire."""
    return typing.get_origin(expected) is dict and typing.get_args(expected)[1] is not Any


def as_entries(entries: dict[Any, Any]) -> list[dict[str, Any]]:
    """A map as the list of its entries."""
    return [{"key": key, "value": item} for key, item in entries.items()]


def unchanged_at(value: Any, where: str) -> Any:
    """A value without maps."""
    return value


MAPS = Maps(is_map, as_entries)
