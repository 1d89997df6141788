"""Values as ``/rest`` writes them: like ``/api``, but a map is a list of ``{"key": ..., "value": ...}``."""

from __future__ import annotations

import typing
from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec

from resphere.contract.model import Struct
from resphere.dialects.validation import anywhere, bare, field_types, invalid

ToWire = Callable[[Any], Any]
FromWire = Callable[[Any, str], Any]


@cache
def to_wire(expected: Any) -> ToWire | None:
    """How a value of this type becomes plain values, ``None`` where it holds no map and is encoded as it is."""
    expected = bare(expected)
    if not holds_map(expected):
        return None
    origin, arguments = typing.get_origin(expected), typing.get_args(expected)
    if origin is dict:
        inner = element_to_wire(arguments[1])
        return lambda value: [{"key": key, "value": inner(item)} for key, item in value.items()]
    if origin is not None:
        element = element_to_wire(arguments[0])
        return lambda value: [element(item) for item in value]

    def structure(value: Any) -> dict[str, Any]:
        found = ((wire, getattr(value, name), convert) for name, wire, convert in fields_to_wire(expected))
        return {wire: convert(item) for wire, item, convert in found if item is not None}

    return structure


def element_to_wire(expected: Any) -> ToWire:
    """How an element of a list or map becomes a plain value; where the contract allows that, it may be unset."""
    convert = to_wire(expected)
    return unchanged if convert is None else lambda value: None if value is None else convert(value)


@cache
def fields_to_wire(struct: type[Struct]) -> list[tuple[str, str, ToWire]]:
    """Attribute, name on the wire and conversion of each field. Asked for at the first value: types may recur."""
    return [
        (field.name, field.encode_name, to_wire(field.type) or unchanged) for field in msgspec.structs.fields(struct)
    ]


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
    return anywhere(expected, _is_map)


def _is_map(expected: Any) -> bool:
    # An open structure (any members, any values) is an object on every wire.
    return typing.get_origin(expected) is dict and typing.get_args(expected)[1] is not Any


def unchanged(value: Any) -> Any:
    """A value without maps."""
    return value


def unchanged_at(value: Any, where: str) -> Any:
    """A value without maps."""
    return value
