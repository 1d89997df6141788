"""What differs between settings as they are and as they are wanted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from resphere.contract.model import Struct
from resphere.contract.moments import plain

NOTHING: dict[str, Any] = {}


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One: ``path`` leads to it from the part, ``/datetime_config/ntp/servers``. Values are texts, or JSON of what is
    none; of what only passwords differ in, they are the same."""

    path: str
    current: str
    desired: str


def differences(before: Struct, after: Struct, before_told: Struct, after_told: Struct) -> tuple[Difference, ...]:
    """All of them. What is told of each comes from the last two, which have no passwords."""
    current, desired = plain(before_told), plain(after_told)
    return tuple(
        Difference(path=path, current=value_at(current, path), desired=value_at(desired, path))
        for path in paths(plain(before), plain(after), "")
    )


def paths(before: Any, after: Any, at: str) -> Iterator[str]:
    """Where two values differ; lists are compared whole."""
    if before == after:
        return
    if not isinstance(before, dict) or not isinstance(after, dict):
        yield at
        return
    for key in sorted({*before, *after}):
        yield from paths(before.get(key, NOTHING), after.get(key, NOTHING), f"{at}/{key}")


def value_at(value: Any, path: str) -> str:
    """What stands at a path."""
    for key in path.split("/")[1:]:
        value = value.get(key, NOTHING) if isinstance(value, dict) else NOTHING
    if value is NOTHING:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
