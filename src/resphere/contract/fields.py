"""The fields of structures of the contract, with their types."""

from __future__ import annotations

from functools import cache

import msgspec


@cache
def fields_of(struct: type) -> tuple[msgspec.structs.FieldInfo, ...]:
    """The fields of a structure; msgspec reads their types anew from the source's annotations at each call."""
    return msgspec.structs.fields(struct)
