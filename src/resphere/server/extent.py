"""How much is in a result, found out at little cost."""

from __future__ import annotations

from typing import Any

import msgspec

CONTAINERS = (tuple, frozenset, dict)


def holds_at_least(result: Any, items: int) -> bool:
    """Whether lists, sets and maps of a result, and those in their elements, hold so many items.

    It looks two levels deep, and no further than it has to.
    """
    left = items
    for container in _containers(result):
        left -= len(container)
        if left <= 0:
            return True
        for element in container.values() if isinstance(container, dict) else container:
            for inner in _containers(element):
                left -= len(inner)
            if left <= 0:
                return True
    return False


def _containers(value: Any) -> list[Any]:
    """The value if it is one, or those that are its fields."""
    if isinstance(value, CONTAINERS):
        return [value]
    if isinstance(value, msgspec.Struct):
        return [field for field in msgspec.structs.astuple(value) if isinstance(field, CONTAINERS)]
    return []
