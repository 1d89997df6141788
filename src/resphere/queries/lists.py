"""Which operations are lists, derived from the contract: what their items are, what tells those apart, and which
operation has all of one."""

from __future__ import annotations

import types
import typing
from functools import cache
from typing import Any

import msgspec

from resphere.contract.lookup import operation_at, place_of
from resphere.contract.model import AnyOperation, Struct
from resphere.queries.compiling import Root
from resphere.queries.fields import SCALARS, TAGGED, Kind, shape_of

READING = ("find", "get", "list")
"""What the names of operations that change nothing begin with, whatever their method."""
NAMES = ("id", "key")
"""Fields that tell items apart, beside those of the service's name."""


class Getter(msgspec.Struct, frozen=True):
    """The operation that has all of one item: which of its parameters is the item's identifier, and which are the
    list's own, each by its name in Python."""

    operation: AnyOperation
    parameter: str
    shared: tuple[str, ...]

    def input_of(self, identifier: str, list_input: Struct) -> Struct:
        """The operation's input for one item of a list."""
        values = {name: getattr(list_input, name) for name in self.shared}
        return self.operation.input(**values, **{self.parameter: identifier})

    def targets(self, input: Struct) -> dict[str, str]:
        """What the input names, by the names on the wire, as a path would."""
        names = {self.parameter, *self.shared}
        fields = [field for field in msgspec.structs.fields(input) if field.name in names]
        return {field.encode_name: str(getattr(input, field.name)) for field in fields}


class Listing(msgspec.Struct, frozen=True):
    """A list: the type of its items, of a map that of its keys, and the name in Python of the field that tells items
    apart (``None``: none does; of maps the key does, and items that are no structures do themselves)."""

    operation: AnyOperation
    item: Any
    key: Any
    identity: str | None
    getter: Getter | None

    @property
    def is_map(self) -> bool:
        return self.key is not None

    @property
    def is_plain(self) -> bool:
        """Whether the items are no structures."""
        return shape_of(self.item).kind is not Kind.STRUCTURE

    @property
    def root(self) -> Root:
        """The items, for filters."""
        return root_of(self)


@cache
def root_of(listing: Listing) -> Root:
    """The items of a list, for filters."""
    tagged = None
    if listing.is_map:
        tagged = "k" if named_type(listing.key) in TAGGED else None
    elif listing.identity:
        fields = {field.name: field.type for field in msgspec.structs.fields(shape_of(listing.item).cls)}
        tagged = f"x.{listing.identity}" if named_type(fields[listing.identity]) in TAGGED else None
    return Root(listing.item, listing.key, tagged)


@cache
def listing_of(operation: AnyOperation) -> Listing | None:
    """The list that an operation answers, ``None`` where it answers none."""
    reads = operation.name.startswith(READING) or (operation.api is not None and operation.api.method == "GET")
    shape = shape_of(operation.output) if operation.output is not None else None
    if not reads or operation.media_type is not None or shape is None or shape.kind not in (Kind.LIST, Kind.MAP):
        return None
    member = shape_of(shape.member)
    if member.kind is not Kind.STRUCTURE and member.kind not in SCALARS:
        return None
    getter = getter_of(operation, shape.member, shape.key)
    return Listing(operation, shape.member, shape.key, identity_of(operation, shape.member, getter), getter)


def named_type(expected: Any) -> Any:
    """A type without ``| None`` and annotations, and with the name of an identifier."""
    while True:
        if typing.get_origin(expected) in (typing.Union, types.UnionType):
            expected = next(each for each in typing.get_args(expected) if each is not type(None))
        elif typing.get_origin(expected) is typing.Annotated:
            expected = typing.get_args(expected)[0]
        else:
            return expected


def getter_of(operation: AnyOperation, item: Any, key: Any) -> Getter | None:
    """The service's ``get``, where one of its parameters is the identifier of an item, and the list has the others."""
    place = place_of(operation.service, "get")
    get = None if place is None else operation_at(place)
    if get is None or get is operation or shape_of(get.output).kind is not Kind.STRUCTURE or get.takes_stream:
        return None
    own = {field.name: named_type(field.type) for field in msgspec.structs.fields(operation.input) if field.required}
    required = [field for field in msgspec.structs.fields(get.input) if field.required]
    parameters = [field for field in required if own.get(field.name) != named_type(field.type)]
    if len(parameters) != 1:
        return None
    (parameter,) = parameters
    expected = named_type(parameter.type)
    shared = tuple(field.name for field in required if field is not parameter)
    if shape_of(parameter.type).kind is Kind.TEXT and identifier_in(item, key, expected, parameter.name) is not None:
        return Getter(get, parameter.name, shared)
    return None


def identifier_in(item: Any, key: Any, expected: Any, name: str) -> str | None:
    """The field of an item that is an identifier of the type; empty where the item or its key is one."""
    shape = shape_of(item)
    if key is not None or shape.kind is not Kind.STRUCTURE:
        # The contract calls many identifiers just text where a list or the keys of a map have them.
        return "" if named_type(item if key is None else key) in (expected, str) else None
    fields = [f.name for f in msgspec.structs.fields(shape.cls) if f.required and named_type(f.type) is expected]
    if name in fields:
        return name
    return fields[0] if len(fields) == 1 and expected is not str else None


def identity_of(operation: AnyOperation, item: Any, getter: Getter | None) -> str | None:
    """The field that tells items apart; empty for maps and for what is no structure."""
    shape = shape_of(item)
    if shape_of(operation.output).kind is Kind.MAP or shape.kind is not Kind.STRUCTURE:
        return ""
    if getter is not None:
        types_of = {field.name: field.type for field in msgspec.structs.fields(getter.operation.input)}
        return identifier_in(item, None, named_type(types_of[getter.parameter]), getter.parameter)
    own = operation.service.rpartition(".")[2].lower()
    names = (*NAMES, own, own.removesuffix("s"), own.removesuffix("ies") + "y")
    fields = {f.name: f for f in msgspec.structs.fields(shape.cls) if f.required}
    found = (name for name in names if name in fields and shape_of(fields[name].type).kind is Kind.TEXT)
    return next(found, None)
