"""An operation's input and the parts of a request that it travels in: path, query and body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from resphere.contract.model import AnyOperation, Route, Struct
from resphere.contract.type_forms import without_none
from resphere.wire.validation import bare, convert, field_types, invalid


class InputParts:
    """The parameters of one operation by their names on the wire, worked out once.

    Values are collected by the names of Python: ``values[parts.attributes[name]] = value``.
    """

    def __init__(self, operation: AnyOperation) -> None:
        self._input = operation.input
        self.types = field_types(operation.input)
        self.attributes = {field.encode_name: field.name for field in msgspec.structs.fields(operation.input)}

    def of_path(self, parameters: Mapping[str, str]) -> dict[str, Any]:
        """The values of the path's parameters.

        :raises InvalidArgument: names the parameter.
        """
        return {self.attributes[name]: convert(value, self.types[name], name) for name, value in parameters.items()}

    def put_together(self, values: dict[str, Any]) -> Struct:
        """The input.

        :raises InvalidArgument: names the parameters that are missing.
        """
        try:
            return self._input(**values)
        except TypeError:
            missing = [
                field.encode_name
                for field in msgspec.structs.fields(self._input)
                if field.required and field.name not in values
            ]
            raise invalid(", ".join(missing), "is required") from None


class QueryPlace(msgspec.Struct, frozen=True):
    """What a query parameter means: a parameter of the operation, or a member of the structure that one is; and its
    type, without ``None``: a query holds no null, the word is text, or wrong."""

    parameter: str
    member: str | None
    type: Any


def query_places(route: Route, types: Mapping[str, Any]) -> dict[str, QueryPlace]:
    """The query parameters of a route by their names; ``types`` are those of the operation's parameters."""
    places: dict[str, QueryPlace] = {}
    for path in route.query:
        parameter, _, member = path.partition(".")
        expected = field_types(bare(types[parameter]))[member] if member else types[parameter]
        places[member or parameter] = QueryPlace(parameter, member or None, without_none(expected))
    return places


def route_of(route: Route | None, operation: AnyOperation) -> Route:
    """The route that a dialect has led to the operation by.

    :raises LookupError: the dialect has none to it.
    """
    if route is None:
        raise LookupError(f"the dialect has no route to {operation.id}")
    return route


def body_structure(input: type[Struct], names: tuple[str, ...], optional: tuple[str, ...] = ()) -> type[Struct]:
    """A structure of those fields of ``input`` that travel in the body, keyed by parameter, and of some more that may
    be unset there."""
    fields: list[Any] = []
    for field in msgspec.structs.fields(input):
        if field.encode_name in names:
            default = (
                msgspec.field(name=field.encode_name)
                if field.required
                else msgspec.field(name=field.encode_name, default=field.default)
            )
            fields.append((field.name, field.type, default))
        elif field.encode_name in optional:
            fields.append((field.name, field.type | None, msgspec.field(name=field.encode_name, default=None)))
    made = msgspec.defstruct("Body", fields, bases=(Struct,), kw_only=True, frozen=True)
    if not issubclass(made, Struct):
        raise TypeError("a structure of the contract was asked for")
    return made


def is_optional(expected: Any) -> bool:
    """Whether ``None`` is a value of the type."""
    return type(None) in getattr(expected, "__args__", ())


def is_empty(body: bytes) -> bool:
    """Whether a body says nothing."""
    return body.strip() in (b"", b"{}", b"null")
