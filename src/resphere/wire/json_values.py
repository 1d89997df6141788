"""Values as ``/api`` writes them: plain JSON, in which the keys of every object are text."""

from __future__ import annotations

import typing
from typing import Any

from resphere.wire.plain_values import PlainWriting, document, written


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


WRITING = PlainWriting(is_numbered_map, with_text_keys).codec
