"""Values as ``/rest`` writes them: like ``/api``, but a map is a list of ``{"key": ..., "value": ...}``."""

from __future__ import annotations

import typing
from typing import Any

import msgspec

from resphere.contract.errors import ERRORS, VapiError
from resphere.contract.model import ErrorValue, Struct
from resphere.dialects.spellings import is_respelled, respelled_structure
from resphere.wire.codec import Codec, Fields, Read, Untouched, Write
from resphere.wire.plain_values import PlainWriting
from resphere.wire.validation import anywhere, invalid


def is_map(expected: Any) -> bool:
    """Whether the type is a map. An open structure (any members, any values) is none: it is an object on every wire."""
    return typing.get_origin(expected) is dict and typing.get_args(expected)[1] is not Any


def as_entries(entries: dict[Any, Any]) -> list[dict[str, Any]]:
    """A map as the list of its entries."""
    return [{"key": key, "value": item} for key, item in entries.items()]


def unchanged(value: Any, where: str) -> Any:
    """A value without maps."""
    return value


class RestReading(Untouched[Read]):
    """How plain values of a document become such as ``/api`` writes; see :class:`resphere.wire.codec.Rules`, which
    this is. What is not of the type is left alone: decoding finds it."""

    def optional(self, inner: Read | None) -> Read | None:
        return inner

    def list_of(self, element: Read | None) -> Read | None:
        if element is None:
            return None
        return lambda value, where: (
            [element(item, f"{where}[{position}]") for position, item in enumerate(value)]
            if isinstance(value, list)
            else value
        )

    def set_of(self, element: Read | None) -> Read | None:
        return self.list_of(element)

    def map_of(self, expected: Any, value: Read | None) -> Read | None:
        return map_from_wire(value or unchanged)

    def structure(self, struct: type[Struct], fields: Fields[Read]) -> Read | None:
        if not anywhere(struct, lambda inner: is_map(inner) or is_respelled(inner)):
            return None
        return respelled_structure(struct, fields)


def map_from_wire(inner: Read) -> Read:
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


class RestWriting(PlainWriting):
    """As the others of plain JSON, but a structure that stands where the contract leaves open which says what it is:
    by ``@class``, as vCenter 6.7 and 7.0 wrote it."""

    def open_structure(self) -> Write | None:
        return self.with_class

    def with_class(self, value: Any) -> Any:
        """A structure with its name; other values as they are."""
        shown = self.by_its_type(value)
        if not isinstance(value, Struct):
            return shown
        name = value.__vapi_name__
        if isinstance(value, ErrorValue):
            known = ERRORS.get(value.error_type, VapiError)
            name = known.canonical_name()
        return {"@class": name, **msgspec.to_builtins(shown)}


WRITING = RestWriting(is_map, as_entries).codec
READING: Codec[Read] = Codec(RestReading())
