"""The types of what lists answer by options: items of which all is told, and items of which only some fields are."""

from __future__ import annotations

from functools import cache
from typing import Any

import msgspec

from resphere.contract.model import Struct
from resphere.queries.fields import ATTRIBUTES, Kind, shape_of
from resphere.queries.lists import Listing


@cache
def full_item(listing: Listing) -> Any:
    """The type of a list's items with ``full``: what the service's ``get`` answers, after the item's identifier where
    that is not in it. Of a map the values are what ``get`` answers.

    :raises LookupError: the list has no such operation.
    """
    if listing.getter is None:
        raise LookupError(f"{listing.operation.id} has no get")
    found: type[Struct] = shape_of(listing.getter.operation.output).cls
    name = identifier_name(listing, found)
    if name is None:
        return found
    own = [(field.name, field.type, field_of(field)) for field in msgspec.structs.fields(found)]
    return made(found, [("identifier_", str, msgspec.field(name=name, default="")), *own])


def identifier_name(listing: Listing, found: type[Struct]) -> str | None:
    """The wire's name of the identifier that is put before what ``get`` answers; ``None`` where none has to be."""
    if listing.is_map or listing.getter is None:
        return None
    known = {field.encode_name for field in msgspec.structs.fields(found)}
    if listing.is_plain:
        parameters = {f.name: f.encode_name for f in msgspec.structs.fields(listing.getter.operation.input)}
        name = parameters[listing.getter.parameter]
        return None if known & {name, "id"} else name
    fields = {field.name: field.encode_name for field in msgspec.structs.fields(shape_of(listing.item).cls)}
    name = fields[listing.identity or ""]
    return None if name in known else name


def full_of(listing: Listing, identifier: str, found: Struct) -> Any:
    """An item with all that ``get`` answers of it."""
    item = full_item(listing)
    return found if isinstance(found, item) else item(identifier, *msgspec.structs.astuple(found))


@cache
def partial(struct: type[Struct]) -> type[Struct]:
    """The structure with all of its fields optional, and so those within them: of which only some are told."""
    return partial_within(struct, ())


@cache
def attributed(struct: type[Struct]) -> type[Struct]:
    """The same with the custom attributes beside the fields."""
    fields = [(field.name, field.type, field_of(field)) for field in msgspec.structs.fields(partial(struct))]
    return made(struct, [*fields, (ATTRIBUTES, dict[str, str] | None, msgspec.field(default=None))])


def partial_within(struct: type[Struct], above: tuple[type[Struct], ...]) -> type[Struct]:
    """The same within others, which may be of its own kind: there it stays as it is."""
    if struct in above:
        return struct
    fields: list[tuple[str, Any, Any]] = []
    for field in msgspec.structs.fields(struct):
        shape = shape_of(field.type)
        inner = partial_within(shape.cls, (*above, struct)) if shape.kind is Kind.STRUCTURE else field.type
        fields.append((field.name, inner | None, msgspec.field(name=field.encode_name, default=None)))
    return made(struct, fields)


def field_of(field: msgspec.structs.FieldInfo) -> Any:
    """The same field, with a default, so that values may stand by their places."""
    return msgspec.field(name=field.encode_name, default=None)


def made(struct: type[Struct], fields: list[tuple[str, Any, Any]]) -> type[Struct]:
    """A structure that is written under the name of another. It is written and never read."""
    name = struct.__vapi_name__
    found = msgspec.defstruct(
        struct.__name__, fields, bases=(Struct,), namespace={"__vapi_name__": name}, frozen=True, omit_defaults=True
    )
    if not issubclass(found, Struct):
        raise TypeError("a structure of the contract was asked for")
    return found
