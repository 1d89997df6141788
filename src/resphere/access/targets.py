"""On what an operation acts, by the types that the contract gives the identifiers of its input and output.

The contract has a type of identifiers for each type of resource; those of the inventory's managed objects are the
objects that privileges can be asked on. The names of parameters and fields play no part.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from typing import Any

import msgspec

from resphere.contract.fields import fields_of
from resphere.contract.generated import ids
from resphere.contract.model import AnyOperation, Struct
from resphere.inventory.model import KINDS

RESOURCES: dict[object, str] = {
    getattr(ids, f"{cls.resource_type}Id"): cls.resource_type
    for cls in KINDS.values()
    if hasattr(ids, f"{cls.resource_type}Id")
}
"""Type of identifier -> type of managed object."""


class Named(msgspec.Struct, frozen=True):
    """Where an input names managed objects of the type ``resource``: as a requirement of the contract says it."""

    resource: str
    parameter: str | None = None
    attribute: str | None = None


def named_by_parameters(operation: AnyOperation) -> list[Named]:
    """The objects that parameters of the operation are, one or several each."""
    return [
        Named(resource, parameter=field.encode_name)
        for field in fields_of(operation.input)
        for part in parts(field.type)
        if (resource := RESOURCES.get(part)) is not None
    ]


def named_within(operation: AnyOperation) -> list[Named]:
    """The objects that fields of structures in the input are, however deep."""
    structures: dict[type[Struct], None] = {}
    for field in fields_of(operation.input):
        collect(field.type, structures)
    return [
        Named(resource, attribute=f"{structure.__vapi_name__}:{field.encode_name}")
        for structure in structures
        for field in fields_of(structure)
        for part in parts(field.type)
        if (resource := RESOURCES.get(part)) is not None
    ]


def lists_objects(operation: AnyOperation) -> bool:
    """Whether the result is a list, set or map of managed objects, or of structures that each tell of one."""
    if typing.get_origin(operation.output) not in (tuple, frozenset, dict):
        return False
    for part in parts(operation.output):
        if part in RESOURCES:
            return True
        if is_structure(part) and any(field.type in RESOURCES for field in fields_of(part)):
            return True
    return False


def collect(expected: Any, structures: dict[type[Struct], None]) -> None:
    """Add the structures in a type, and in those, to ``structures``."""
    for part in parts(expected):
        if is_structure(part) and part not in structures:
            structures[part] = None
            for field in fields_of(part):
                collect(field.type, structures)


def is_structure(expected: Any) -> bool:
    """Whether a type is a structure of the contract."""
    return isinstance(expected, type) and issubclass(expected, Struct)


def parts(expected: Any) -> Iterator[Any]:
    """The types that a type is made of: itself, or what is in a collection or optional, be that ``...`` or ``None``."""
    if typing.get_origin(expected) in (tuple, frozenset, dict, typing.Union, types.UnionType):
        for argument in typing.get_args(expected):
            yield from parts(argument)
    else:
        yield expected
