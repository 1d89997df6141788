"""Values as the dialects of plain JSON write them.

msgspec writes almost everything as it has to be. What it does not, which is moments and the maps that a dialect has its
own way with, is replaced before, and only the structures around it.
"""

from __future__ import annotations

import typing
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from resphere.contract.model import Struct
from resphere.contract.moments import wire_time
from resphere.wire.codec import Codec, Fields, Untouched, WhereSet, Write, structure_copy
from resphere.wire.validation import anywhere

_encoder = msgspec.json.Encoder(order="deterministic")
AS_MSGSPEC_DOES = WhereSet(present=lambda write: write, unset=None, is_written=False)


def document(value: Any) -> bytes:
    """A JSON document; equal values give equal documents."""
    return _encoder.encode(value)


def written(value: Any, expected: Any, writing: Codec[Write]) -> Any:
    """What msgspec is to write for a value of this type."""
    write = writing.of(expected)
    return value if write is None else write(value)


def is_open(expected: Any) -> bool:
    """Whether the contract leaves the type open, or that of the members of a structure."""
    return expected is Any or (typing.get_origin(expected) is dict and typing.get_args(expected)[1] is Any)


class PlainWriting(Untouched[Write]):
    """The rules; see :class:`resphere.wire.codec.Rules`, which this is. ``codec`` goes by them.

    A dialect's way with maps: which types of them it does not leave to msgspec, and what it writes for the entries of
    one, whose values are written already. What stands where the contract leaves the type open, such as the result of a
    task, is written by the type that it has.
    """

    def __init__(self, is_replaced: Callable[[Any], bool], replaced: Callable[[dict[Any, Any]], Any]) -> None:
        self._is_replaced = is_replaced
        self._replaced = replaced
        self.codec: Codec[Write] = Codec(self)

    def moment(self) -> Write | None:
        return wire_time

    def anything(self) -> Write | None:
        return self.by_its_type

    def open_structure(self) -> Write | None:
        return self.by_its_type

    def optional(self, inner: Write | None) -> Write | None:
        return None if inner is None else lambda value: None if value is None else inner(value)

    def list_of(self, element: Write | None) -> Write | None:
        return None if element is None else lambda value: [element(item) for item in value]

    def set_of(self, element: Write | None) -> Write | None:
        """In order, as msgspec writes sets."""
        return None if element is None else lambda value: sorted(element(item) for item in value)

    def map_of(self, expected: Any, value: Write | None) -> Write | None:
        replaced = self._replaced
        if not self._is_replaced(expected):
            return None if value is None else lambda entries: {key: value(item) for key, item in entries.items()}
        if value is None:
            return replaced
        return lambda entries: replaced({key: value(item) for key, item in entries.items()})

    def structure(self, struct: type[Struct], fields: Fields[Write]) -> Write | None:
        # Not by the fields' own functions: a structure may hold structures of its own kind.
        if not anywhere(struct, lambda inner: inner is datetime or is_open(inner) or self._is_replaced(inner)):
            return None
        return structure_copy(struct, fields, AS_MSGSPEC_DOES)

    def by_its_type(self, value: Any) -> Any:
        """A value of any type."""
        if isinstance(value, Struct):
            return written(value, type(value), self.codec)
        if isinstance(value, datetime):
            return wire_time(value)
        if isinstance(value, list | tuple):
            return [self.by_its_type(item) for item in value]
        if isinstance(value, dict):
            return {key: self.by_its_type(item) for key, item in value.items()}
        return value
