"""Our own operations as elements, seen from the classes that declare them."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterable
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any

import msgspec

from resphere.contract import extensions
from resphere.contract.fields import fields_of
from resphere.contract.generated.ids import RESOURCE_TYPES
from resphere.contract.metamodel.elements import (
    EnumerationElement,
    Expression,
    Field,
    OperationElement,
    ServiceElement,
    Stated,
    StructureElement,
    written,
)
from resphere.contract.model import AnyOperation, ByteStream, ErrorValue, Secret, Struct

COMPONENT = "resphere"
EXTENSIONS = "resphere.contract.extensions."
GENERATED = "resphere.contract.generated."

SIMPLE: dict[Any, str] = {
    None: "void",
    type(None): "void",
    str: "string",
    int: "long",
    float: "double",
    bool: "boolean",
    bytes: "binary",
    ByteStream: "binary",
    datetime: "datetime",
    Secret: "secret",
    Any: "opaque",
    ErrorValue: "any_error",
}


class Own(msgspec.Struct, frozen=True):
    """Our elements, by id."""

    services: dict[str, ServiceElement]
    structures: dict[str, StructureElement]
    enumerations: dict[str, EnumerationElement]


@cache
def own() -> Own:
    """All of ours, with what they reach."""
    return Sight().all()


class Sight:
    """One look at the classes; collects what the operations reach."""

    def __init__(self) -> None:
        self._structures: dict[str, StructureElement] = {}
        self._enumerations: dict[str, EnumerationElement] = {}

    def all(self) -> Own:
        """The services, and what their operations are made of."""
        operations: dict[str, dict[str, OperationElement]] = {}
        for operation in extensions.OPERATIONS.values():
            operations.setdefault(operation.service, {})[operation.name] = self.operation(operation)
        services = {id: ServiceElement(found) for id, found in sorted(operations.items())}
        return Own(services, self._structures, self._enumerations)

    def operation(self, operation: AnyOperation) -> OperationElement:
        stated = [Stated(r.privileges, r.resource, r.parameter, r.attribute) for r in operation.privileges]
        return OperationElement(
            output=self.expression(operation.output),
            input=self.fields(operation.input),
            errors=operation.errors,
            output_resource=resource_in(operation.output),
            privileges=tuple(stated),
            api=operation.api,
            rest=operation.rest,
        )

    def fields(self, struct: type[Struct]) -> tuple[Field, ...]:
        return tuple([(field.encode_name, self.expression(field.type)) for field in fields_of(struct)])

    def expression(self, expected: Any) -> Expression:
        """The type as an expression; structures and enumerations that are ours are collected."""
        simple = SIMPLE.get(expected) if expected.__hash__ else None
        if simple is not None:
            return [simple]
        if isinstance(expected, typing.NewType):
            return ["id", RESOURCE_TYPES.get(expected.__name__)]
        origin, arguments = typing.get_origin(expected), typing.get_args(expected)
        if origin is typing.Annotated:
            return self.expression(arguments[0])
        if origin in (types.UnionType, typing.Union):
            [inner] = [each for each in arguments if each is not type(None)]
            return ["optional", self.expression(inner)]
        if expected == dict[str, Any]:
            return ["dynamic"]
        if origin in GENERIC_FORMS:
            return [GENERIC_FORMS[origin], *(self.expression(each) for each in arguments if each is not ...)]
        if isinstance(expected, type) and issubclass(expected, Enum):
            return ["enumeration", self.enumeration(expected)]
        if isinstance(expected, type) and issubclass(expected, Struct):
            return ["structure", self.structure(expected)]
        raise TypeError(f"{expected} is no type of the contract")

    def structure(self, cls: type[Struct]) -> str:
        id = cls.__vapi_name__
        if not id.startswith(COMPONENT + ".") or id in self._structures:
            return id
        package = id.rpartition(".")[0]
        self._structures[id] = StructureElement(package, ())
        unions = tuple([(u.discriminant, {k: list(v) for k, v in u.cases.items()}) for u in cls.__vapi_unions__])
        self._structures[id] = StructureElement(package, self.fields(cls), unions)
        return id

    def enumeration(self, cls: type[Enum]) -> str:
        if cls.__module__.startswith(GENERATED):
            module = cls.__module__.removeprefix(GENERATED)
            return known_enumerations()[plain(f"com.vmware.{module}.{cls.__qualname__}")]
        id = f"{owner_of(cls)}.{snake(cls.__name__)}"
        self._enumerations[id] = EnumerationElement(id.rpartition(".")[0], tuple([str(each.value) for each in cls]))
        return id


GENERIC_FORMS: dict[Any, str] = {tuple: "list", list: "list", frozenset: "set", set: "set", dict: "map"}


@cache
def known_enumerations() -> dict[str, str]:
    """The ids of vCenter's enumerations by what is left of them without dots, lines and capitals: so can a class of the
    generated contract be told, whose name has lost them."""
    return {plain(id): id for id in written()["enumerations"]}


def plain(name: str) -> str:
    """``com.vmware.vcenter.vm.guest_OS`` -> ``comvmwarevcentervmguestos``."""
    return re.sub(r"[._]", "", name).lower()


def snake(name: str) -> str:
    """``PowerState`` -> ``power_state``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def owner_of(cls: type) -> str:
    """The id of the service, structure or package in which one of our classes is declared."""
    parts = cls.__qualname__.split(".")[:-1]
    return places().get((cls.__module__, tuple(parts)), COMPONENT)


@cache
def places() -> dict[tuple[str, tuple[str, ...]], str]:
    """(module, path of classes) -> the id of what is declared there: services, and the structures in them."""
    found: dict[tuple[str, tuple[str, ...]], str] = {}
    for service in extensions.SERVICES:
        ids = {each.service for each in vars(service).values() if hasattr(each, "service")}
        for id in sorted(ids, reverse=True):
            found[service.__module__, tuple(service.__qualname__.split("."))] = id
    for service in extensions.SERVICES:
        note_structures(service, found)
    return found


def note_structures(cls: type, found: dict[tuple[str, tuple[str, ...]], str]) -> None:
    """Note the structures that are declared inside a class."""
    for each in vars(cls).values():
        if isinstance(each, type) and issubclass(each, Struct) and each.__vapi_name__ != Struct.__vapi_name__:
            found[each.__module__, tuple(each.__qualname__.split("."))] = each.__vapi_name__
            note_structures(each, found)


def resource_in(expected: Any) -> str | None:
    """The one type of resources whose ids are a result, by themselves or in a list."""
    found = set(resources_within((expected,)))
    return found.pop() if len(found) == 1 else None


def resources_within(expected: Iterable[Any]) -> Iterable[str]:
    """The types of resources in types that are no structures."""
    for each in expected:
        if isinstance(each, typing.NewType) and each.__name__ in RESOURCE_TYPES:
            yield RESOURCE_TYPES[each.__name__]
        else:
            yield from resources_within(typing.get_args(each))
