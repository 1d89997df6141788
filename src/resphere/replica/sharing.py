"""Keeps equal parts of different objects in memory once.

Every decoded object comes with strings and structures of its own, though thousands of VMs have the same boot options,
host or network. Sharing takes place before an object is published.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from functools import cache
from typing import Any

import msgspec
import msgspec.inspect
from msgspec.structs import astuple

FLAT = (
    msgspec.inspect.NoneType,
    msgspec.inspect.BoolType,
    msgspec.inspect.IntType,
    msgspec.inspect.StrType,
    msgspec.inspect.BytesType,
    msgspec.inspect.EnumType,
    msgspec.inspect.DateTimeType,
)
"""What is equal to nothing but the same."""
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
        for field in self._pools:
            self._share_field(obj, field, getattr(obj, field))
        for field in self._parts:
            self._share_parts(field, getattr(obj, field))

    def follow(self, obj: Any, before: Any) -> None:
        """Have ``obj``, a structure that nobody else may know yet, hold all that it has in common with ``before``, the
        object that it replaces, and else what :meth:`share` gives it."""
        cls: Any = type(obj)
        fields = zip(cls.__struct_fields__, astuple(obj), astuple(before), _depths(cls), strict=True)
        for field, value, known, depth in fields:
            if value is known:
                continue
            # No call for each: it would take three times as long.
            if depth == 0:
                is_same = value == known
            elif depth == 1:
                is_same = value == known and (value is None or list(value) == list(known))
            else:
                is_same = _are_same(value, known)
            if is_same:
                msgspec.structs.force_setattr(obj, field, known)
                continue
            if field in self._pools:
                self._share_field(obj, field, value)
            if field in self._parts:
                self._share_parts(field, getattr(obj, field))

    def _share_field(self, obj: Any, field: str, value: Any) -> None:
        pool = self._pools[field]
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
            return
        if common is not value:
            msgspec.structs.force_setattr(obj, field, common)

    def _share_parts(self, field: str, value: Any) -> None:
        sharing = self._parts[field]
        if type(value) is dict:
            for item in value.values():
                sharing.share(item)
        elif value is not None:
            sharing.share(value)


@cache
def _depths(cls: type[Any]) -> tuple[int, ...]:
    """How deep there may be dictionaries in each field of a structure: 0: none, 1: it is one, with none in it, 2: any.

    Those are equal also where their order is another, which is to be seen.
    """
    info = msgspec.inspect.type_info(cls)
    assert isinstance(info, msgspec.inspect.StructType)
    return tuple([_depth(field.type, (cls,)) for field in info.fields])


def _depth(info: msgspec.inspect.Type, within: tuple[type[Any], ...]) -> int:
    if isinstance(info, msgspec.inspect.Metadata):
        return _depth(info.type, within)
    if isinstance(info, msgspec.inspect.DictType):
        return 2 if _depth(info.value_type, within) else 1
    if isinstance(info, msgspec.inspect.UnionType):
        return max(_depth(each, within) for each in info.types)
    if isinstance(info, msgspec.inspect.StructType):
        nested = info.cls not in within
        flat = nested and not any(_depth(field.type, (*within, info.cls)) for field in info.fields)
        return 0 if flat else 2
    if isinstance(info, msgspec.inspect.VarTupleType | msgspec.inspect.FrozenSetType | msgspec.inspect.ListType):
        return 2 if _depth(info.item_type, within) else 0
    return 0 if isinstance(info, FLAT) else 2


def _are_same(value: Any, known: Any) -> bool:
    """Whether nobody could tell the two apart, be it by the order of a dictionary."""
    if type(value) is not type(known):
        return False
    if type(value) is dict:
        return list(value) == list(known) and all(map(_are_same, value.values(), known.values()))
    try:
        hash(value)
    except TypeError:  # there is a dictionary within
        return False
    return bool(value == known)


def _common(pool: dict[Hashable, Any], key: Hashable, value: Any) -> Any:
    """What stands for ``key``: ``value``, or what came before it."""
    try:
        common = pool.setdefault(key, value)
    except TypeError:  # not hashable, as a structure is that holds a dictionary
        return value
    if len(pool) > POOL_LIMIT:
        pool.clear()
    return common
