"""Examples of structures with unions, for those who describe the contract.

A reader of a schema proposes every field at once; where some exclude each other nobody would take that.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any

from resphere.contract.fields import fields_of
from resphere.contract.model import Struct

Inside = tuple[type[Struct], ...]
SCALARS: dict[Any, Any] = {
    str: "string",
    bool: True,
    float: 0.0,
    bytes: "",
    datetime: "2026-01-01T00:00:00.000Z",
    Any: "string",
}
PROPOSED: dict[str, dict[str, Any]] = {
    "vcenter.VM.CreateSpec": {
        "name": "new-vm",
        "guest_OS": "UBUNTU_64",
        "placement": {"folder": "string", "resource_pool": "string", "datastore": "string"},
        "boot": {"type": "EFI", "delay": 0},
        "cpu": {"count": 2, "cores_per_socket": 1},
        "memory": {"size_MiB": 4096},
        "disks": [{"type": "SCSI", "new_vmdk": {"capacity": 16 * 1024**3}}],
        "nics": [{"backing": {"type": "STANDARD_PORTGROUP", "network": "string"}, "start_connected": True}],
    },
}
"""Structures for which we propose what one would begin with; whatever is ``string`` in it is an id to be put in."""


def example(struct: type[Struct], inside: Inside = ()) -> dict[str, Any]:
    """A value of ``struct`` as it stands in a document: each discriminant has its first value, and every field is set
    that goes with those.

    What would hold a structure of ``inside`` once more is left out where it may be.
    """
    inside = (*inside, struct)
    excluded = excluded_fields(struct)
    return {
        field.encode_name: example_of(field.type, inside)
        for field in fields_of(struct)
        if field.name not in excluded
        and (field.required or not any(held in inside for held in structures_in(field.type)))
    }


def excluded_fields(struct: type[Struct]) -> set[str]:
    """The fields that the first value of some discriminant excludes."""
    fields = {field.name: field.type for field in fields_of(struct)}
    excluded: set[str] = set()
    for union in struct.__vapi_unions__:
        first = example_of(fields[union.discriminant], ())
        excluded |= union.members - {name for name, _ in union.cases.get(first, ())}
    return excluded


def example_of(expected: Any, inside: Inside) -> Any:
    """A value of any type of the contract."""
    origin, arguments = typing.get_origin(expected), typing.get_args(expected)
    if origin in (typing.Union, types.UnionType):
        return example_of(next(t for t in arguments if t is not types.NoneType), inside)
    if origin in (tuple, frozenset):
        return [example_of(arguments[0], inside)]
    if origin is dict:
        return {str(example_of(arguments[0], inside)): example_of(arguments[1], inside)}
    if origin is typing.Annotated:
        return number(arguments) if arguments[0] is int else example_of(arguments[0], inside)
    if isinstance(expected, type) and issubclass(expected, StrEnum):
        return next(iter(expected)).value
    if isinstance(expected, type) and issubclass(expected, Struct):
        return example(expected, inside)
    return SCALARS[str if isinstance(expected, typing.NewType) else expected]


def number(arguments: tuple[Any, ...]) -> int:
    """0, or the least that the bounds allow."""
    bounds: list[int] = [meta.ge for meta in arguments[1:] if meta.ge is not None]
    return max(0, *bounds)


def structures_in(expected: Any) -> Iterator[type[Struct]]:
    """The structures that a value of this type holds itself."""
    if isinstance(expected, type) and issubclass(expected, Struct):
        yield expected
    for argument in typing.get_args(expected):
        yield from structures_in(argument)
