"""The fields of the contract's structures, looked up once a structure: a large value asks for those of each element."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec


@cache
def _fields(struct: Any) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(struct)


def fields_of(struct: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """As ``msgspec.structs.fields`` tells them, which reads their annotations anew each time."""
    return _fields(struct)
