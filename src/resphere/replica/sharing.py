"""Keeps equal parts of different objects in memory once.

Every decoded object comes with strings and structures of its own, though thousands of VMs have the same boot options,
host or network. Sharing takes place before an object is published.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import msgspec

POOL_LIMIT = 16_384
"""Values a pool holds before it begins anew: what it forgets is only shared no more."""


class Sharing:
    """The common values of some fields, for the objects of one class.

    ``paths`` name fields of the objects, or with dots those of structures in them. A field that is a dictionary stands
    for each of its values, and for the dictionary where all of it is equal: nobody changes a published one.
    """

    __slots__ = ("_dictionaries", "_parts", "_pools")

    def __init__(self, paths: Iterable[str]) -> None:
        self._pools: dict[str, dict[Hashable, Any]] = {}
        self._dictionaries: dict[str, dict[Hashable, Any]] = {}
        parts: dict[str, list[str]] = {}
        for path in paths:
            field, _, rest = path.partition(".")
            if rest:
                parts.setdefault(field, []).append(rest)
            else:
                self._pools[field] = {}
                self._dictionaries[field] = {}
        self._parts = {field: Sharing(rests) for field, rests in parts.items()}

    def share(self, obj: Any) -> None:
        """Have ``obj``, a structure that nobody else may know yet, hold values of earlier objects where equal."""
        for field, pool in self._pools.items():
            value = getattr(obj, field)
            if type(value) is dict:
                # The dictionary that is kept keeps its values alive: their identities stay theirs.
                identities: list[Hashable] = []
                for key, item in value.items():
                    value[key] = common = _common(pool, item, item)
                    identities += (key, id(common))
                common = _common(self._dictionaries[field], tuple(identities), value)
            elif value is not None:
                common = _common(pool, value, value)
            else:
                continue
            if common is not value:
                msgspec.structs.force_setattr(obj, field, common)
        for field, sharing in self._parts.items():
            value = getattr(obj, field)
            if type(value) is dict:
                for item in value.values():
                    sharing.share(item)
            elif value is not None:
                sharing.share(value)


def _common(pool: dict[Hashable, Any], key: Hashable, value: Any) -> Any:
    """What stands for ``key``: ``value``, or what came before it."""
    try:
        common = pool.setdefault(key, value)
    except TypeError:  # not hashable, as a structure is that holds a dictionary
        return value
    if len(pool) > POOL_LIMIT:
        pool.clear()
    return common
