"""Values as ``/api`` writes them: plain JSON, in which the keys of every object are text."""

from __future__ import annotations

import typing
from datetime import datetime
from typing import Any

from resphere.contract.model import Struct
from resphere.contract.moments import wire_time
from resphere.dialects.codec import Codec, Fields, Write, structure_copy
from resphere.dialects.plain_values import AS_MSGSPEC_DOES, PlainWriting, document, written
from resphere.dialects.validation import anywhere


def encoded(value: Any, expected: Any) -> bytes:
    """A value of the type as a JSON document; equal values give equal documents."""
    return document(written(value, expected, WRITING))


def is_numbered_map(expected: Any) -> bool:
    """Whether the type is a map whose keys are numbers."""
    if typing.get_origin(expected) is not dict:
        return False
    key = typing.get_args(expected)[0]
    return key is int or int in typing.get_args(key)


def with_text_keys(entries: dict[Any, Any]) -> dict[str, Any]:
    """A map as a JSON object. Not the encoder: where it puts keys in order, it wants them to be text already."""
    return {str(key): item for key, item in entries.items()}


def is_open(expected: Any) -> bool:
    """Whether the contract leaves the type open, or that of the members of a structure."""
    return expected is Any or (typing.get_origin(expected) is dict and typing.get_args(expected)[1] is Any)


def as_itself(value: Any) -> Any:
    """A value whose type the contract leaves open, such as the result of a task, by the type that it has."""
    if isinstance(value, Struct):
        return written(value, type(value), WRITING)
    if isinstance(value, datetime):
        return wire_time(value)
    if isinstance(value, list | tuple):
        return [as_itself(item) for item in value]
    if isinstance(value, dict):
        return {key: as_itself(item) for key, item in value.items()}
    return value


class JsonWriting(PlainWriting):
    """As the others of plain JSON, and what stands where the contract leaves open which is written by its own type."""

    def anything(self) -> Write | None:
        return as_itself

    def open_structure(self) -> Write | None:
        return as_itself

    def structure(self, struct: type[Struct], fields: Fields[Write]) -> Write | None:
        if not anywhere(struct, lambda inner: inner is datetime or is_numbered_map(inner) or is_open(inner)):
            return None
        return structure_copy(struct, fields, AS_MSGSPEC_DOES)


WRITING: Codec[Write] = Codec(JsonWriting(is_numbered_map, with_text_keys))
