"""Values as ``/api`` writes them: plain JSON, in which the keys of every object are text."""

from __future__ import annotations

import typing
from functools import cache
from typing import Any

import msgspec

from resphere.dialects.validation import anywhere

_encoder = msgspec.json.Encoder(order="deterministic")


def encoded(value: Any, expected: Any) -> bytes:
    """A value of the type as a JSON document; equal values give equal documents."""
    if holds_numbered_map(expected):
        # Not the encoder: where it puts keys in order, it wants them to be text already.
        value = msgspec.to_builtins(value, str_keys=True, order="deterministic")
    return _encoder.encode(value)


@cache
def holds_numbered_map(expected: Any) -> bool:
    """Whether a value of the type may have a map somewhere inside whose keys are numbers."""
    return anywhere(expected, _is_numbered_map)


def _is_numbered_map(expected: Any) -> bool:
    if typing.get_origin(expected) is not dict:
        return False
    key = typing.get_args(expected)[0]
    return key is int or int in typing.get_args(key)
