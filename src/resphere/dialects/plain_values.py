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


def written(value: Any, expected: Any, maps: Maps) -> Any:
    """What msgspec is to write for a value of this type."""
    return writer_or_unset(expected, maps)(value)


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

    return structure_writer(expected, maps)


@cache
def writer_or_unset(expected: Any, maps: Maps) -> Write:
    """How a value is written that may be unset, as that of an operation, or an element of a list or map."""
    write = writer(expected, maps)
    return unchanged if write is None else lambda value: None if value is None else write(value)


def structure_writer(struct: type[Struct], maps: Maps) -> Write:
    """How a structure is written of whose fields some are not left to msgspec: a copy with these replaced, an object of
    a class made for that, which msgspec writes faster than a dictionary."""
    fields = msgspec.structs.fields(struct)
    made = msgspec.defstruct(
        "Written",
        [(field.name, Any, None) for field in fields],
        rename={field.name: field.encode_name for field in fields},
        omit_defaults=True,
        frozen=True,
        gc=False,
    )
    replaced: list[tuple[int, Write]] | None = None

    def structure(value: Any) -> Any:
        # Asked for at the first value and not before: structures may hold structures of their own kind.
        nonlocal replaced
        if replaced is None:
            found = ((place, writer(field.type, maps)) for place, field in enumerate(fields))
            replaced = [(place, write) for place, write in found if write is not None]
        held = list(msgspec.structs.astuple(value))
        for place, write in replaced:
            if held[place] is not None:
                held[place] = write(held[place])
        return made(*held)

    return structure


def unchanged(value: Any) -> Any:
    """What msgspec writes as it is."""
    return value
