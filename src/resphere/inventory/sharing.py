"""Keeps equal parts of different objects in memory once.

Every decoded object comes with strings and structures of its own, though thousands of VMs have the same boot options,
host or network. Sharing them takes place before an object is published.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import msgspec

POOL_LIMIT = 16_384
"""Values a pool holds before it begins anew: what it forgets is only shared no more."""


class Sharing:
    """The common values of some fields, for the objects of one class."""

    __slots__ = ("_fields", "_pools")

    def __init__(self, fields: tuple[str, ...]) -> None:
        self._pools: dict[str, dict[Hashable, Hashable]] = {field: {} for field in fields}

    def share(self, obj: Any) -> None:
        """Have ``obj``, which nobody else may know yet, hold values that earlier objects hold, where equal."""
        for field, pool in self._pools.items():
            value = getattr(obj, field)
            try:
                common = pool.setdefault(value, value)
            except TypeError:  # not hashable, as a structure is that holds a dictionary
                continue
            if common is not value:
                msgspec.structs.force_setattr(obj, field, common)
            elif len(pool) > POOL_LIMIT:
                pool.clear()
