"""Values as the dialects of plain JSON write them.

msgspec writes almost everything as it has to be. What it does not, which is moments and the maps that a dialect has its
own way with, is replaced before, and only the structures around it: :func:`writer` finds by the type what those are.
"""

from __future__ import annotations

import typing
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any

import msgspec

from resphere.contract.model import Struct
from resphere.contract.moments import wire_time
from resphere.dialects.validation import anywhere, bare

Write = Callable[[Any], Any]


class Maps(msgspec.Struct, frozen=True, gc=False):
    """A dialect's way with maps: which types of them it does not leave to msgspec, and what it writes for the entries
    of one, whose values are written already."""

    are_replaced: Callable[[Any], bool]
    replaced: Callable[[dict[Any, Any]], Any]


@cache
def writer(expected: Any, maps: Maps) -> Write | None:
    """How a value of this type becomes what msgspec is to write, ``None`` where that is the value itself."""
    expected = bare(expected)
    if expected is datetime:
        return wire_time
    if not anywhere(expected, lambda inner: inner is datetime or maps.are_replaced(inner)):
        return None
    origin, arguments = typing.get_origin(expected), typing.get_args(expected)
    if origin is dict:
        inner = writer_or_unset(arguments[1], maps)
        replaced: Write = maps.replaced if maps.are_replaced(expected) else unchanged
        return lambda value: replaced({key: inner(item) for key, item in value.items()})
    if origin is not None:
        element = writer_or_unset(arguments[0], maps)
        if origin is frozenset:
            return lambda value: sorted(element(item) for item in value)
        return lambda value: [element(item) for item in value]

    def structure(value: Any) -> dict[str, Any]:
        found = ((wire, getattr(value, name), write) for name, wire, write in field_writers(expected, maps))
        return {wire: item if write is None else write(item) for wire, item, write in found if item is not None}

    return structure


def writer_or_unset(expected: Any, maps: Maps) -> Write:
    """How an element of a list or map is written; where the contract allows that, it may be unset."""
    write = writer(expected, maps)
    return unchanged if write is None else lambda value: None if value is None else write(value)


@cache
def field_writers(struct: type[Struct], maps: Maps) -> list[tuple[str, str, Write | None]]:
    """Attribute, name on the wire and writer of each field. Asked for at the first value: types may recur."""
    return [(field.name, field.encode_name, writer(field.type, maps)) for field in msgspec.structs.fields(struct)]


def unchanged(value: Any) -> Any:
    """What msgspec writes as it is."""
    return value
