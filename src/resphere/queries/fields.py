"""What the options of a list may name: the fields of the contract's structures, by their names on the wire.

Secrets, bytes and values whose type the contract leaves open have no name here: who could filter by them could guess
them.
"""

from __future__ import annotations

import typing
from datetime import datetime
from enum import Enum, auto
from functools import cache
from typing import Any

import msgspec

from resphere.contract.generated import ids
from resphere.contract.model import Struct
from resphere.contract.type_forms import inner_of_optional, plain_type

KEY = "key"
"""The name of a map's keys beside the fields of its values."""
ITEM = "$it"
"""The name of the items of a list that are no structures."""
COUNT = "$count"
"""The name of the number of members of a field that has several."""
TAGS = "tags"
"""The name of the tags of an object of the inventory."""
ATTRIBUTES = "custom_attributes"
"""The name of the custom attributes of an object of the inventory: a map of texts."""


class Tag(Struct, frozen=True, kw_only=True):
    """A tag of an object, as filters see it."""

    tag: ids.CisTaggingTagId
    name: str
    category: str
    """The category's name."""


TAGGED = frozenset(
    {
        ids.ClusterComputeResourceId,
        ids.DatacenterId,
        ids.DatastoreId,
        ids.FolderId,
        ids.HostSystemId,
        ids.NetworkId,
        ids.ResourcePoolId,
        ids.VirtualMachineId,
    }
)
"""The types of identifiers of what can have tags."""


class Kind(Enum):
    """What can be done with a value."""

    TEXT = auto()
    CHOICE = auto()
    NUMBER = auto()
    BOOLEAN = auto()
    MOMENT = auto()
    STRUCTURE = auto()
    LIST = auto()
    MAP = auto()
    HIDDEN = auto()


SCALARS = frozenset({Kind.TEXT, Kind.CHOICE, Kind.NUMBER, Kind.BOOLEAN, Kind.MOMENT})
_PLAIN: dict[Any, Kind] = {
    str: Kind.TEXT,
    int: Kind.NUMBER,
    float: Kind.NUMBER,
    bool: Kind.BOOLEAN,
    datetime: Kind.MOMENT,
}


class Shape(msgspec.Struct, frozen=True):
    """A type as filters see it: of a structure or an enumeration the class, of what has several members their type, of
    a map the type of its keys; ``optional``: it may be unset."""

    kind: Kind
    optional: bool = False
    cls: Any = None
    member: Any = None
    key: Any = None


class Field(msgspec.Struct, frozen=True):
    """A field: its name in Python, and its shape."""

    attribute: str
    shape: Shape


@cache
def shape_of(expected: Any) -> Shape:
    """The shape of a type of the contract."""
    inner = inner_of_optional(expected)
    if inner is not None:
        return msgspec.structs.replace(shape_of(inner), optional=True)
    expected = plain_type(expected)
    origin, arguments = typing.get_origin(expected), typing.get_args(expected)
    if origin in (tuple, frozenset):
        return Shape(Kind.LIST, member=arguments[0])
    if origin is dict:
        key, value = arguments
        return Shape(Kind.HIDDEN) if value is Any else Shape(Kind.MAP, member=value, key=key)
    if isinstance(expected, type) and issubclass(expected, Struct):
        return Shape(Kind.STRUCTURE, cls=expected)
    if isinstance(expected, type) and issubclass(expected, Enum):
        return Shape(Kind.CHOICE, cls=expected)
    return Shape(_PLAIN.get(expected, Kind.HIDDEN))


@cache
def fields_of(struct: type[Struct]) -> dict[str, Field]:
    """The fields of a structure that may be named, by their names on the wire."""
    shapes = {each.encode_name: Field(each.name, shape_of(each.type)) for each in msgspec.structs.fields(struct)}
    return {name: field for name, field in shapes.items() if field.shape.kind is not Kind.HIDDEN}
