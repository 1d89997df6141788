"""The elements of the contract as they are written down: vCenter's in ``generated/metamodel.json``, read when they are
asked for, and ours, which are seen from their classes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec

from resphere.contract.model import Route

Expression: TypeAlias = list[Any]
"""A type: ``["optional", ["list", ["id", "VirtualMachine"]]]``. The first is one of the kinds of :data:`KINDS`."""

BUILTIN = (
    "any_error",
    "binary",
    "boolean",
    "datetime",
    "double",
    "dynamic",
    "id",
    "long",
    "opaque",
    "secret",
    "string",
    "uri",
    "void",
)
"""Kinds of types with nothing inside. ``id`` is followed by its type of resource or ``None``, ``dynamic`` by the
structures whose fields such values have."""
GENERIC = ("optional", "list", "set", "map")
"""Kinds that are followed by the types inside."""
NAMED = ("structure", "enumeration")
"""Kinds that are followed by an id."""

STANDARD_ERRORS = "com.vmware.vapi.std.errors"

Field: TypeAlias = tuple[str, Expression]
Case: TypeAlias = dict[str, list[tuple[str, bool]]]


class Stated(msgspec.Struct, frozen=True):
    """Privileges that the contract states, on what: see :class:`~resphere.contract.model.Requirement`."""

    privileges: tuple[str, ...]
    resource: str | None = None
    parameter: str | None = None
    attribute: str | None = None


class OperationElement(msgspec.Struct, frozen=True):
    """An operation. ``errors`` are ids, without what standard ones begin with; ``output_resource`` is the type of the
    resources whose ids the result holds."""

    output: Expression
    input: tuple[Field, ...] = ()
    errors: tuple[str, ...] = ()
    output_resource: str | None = None
    privileges: tuple[Stated, ...] = ()
    api: Route | None = None
    rest: Route | None = None

    @property
    def error_ids(self) -> tuple[str, ...]:
        """The ids of the errors, whole."""
        return tuple([error if "." in error else f"{STANDARD_ERRORS}.{error}" for error in self.errors])


class ServiceElement(msgspec.Struct, frozen=True):
    """A service."""

    operations: dict[str, OperationElement]
    constants: dict[str, str | list[str]] = {}


class StructureElement(msgspec.Struct, frozen=True):
    """A structure or an error; ``unions`` are pairs of a discriminant and its cases. ``model_keys``: the fields that
    name the resource that a structure is a model of, ``None`` where it is none."""

    package: str
    fields: tuple[Field, ...]
    unions: tuple[tuple[str, Case], ...] = ()
    model_keys: tuple[str, ...] | None = None
    error: bool = False


class EnumerationElement(msgspec.Struct, frozen=True):
    """An enumeration, with its values in their order."""

    package: str
    values: tuple[str, ...]


E = TypeVar("E", bound=msgspec.Struct)


class Elements(Generic[E]):
    """The elements of one kind by id. What is written down is read anew each time: of many, few are asked for."""

    def __init__(self, written: dict[str, msgspec.Raw], seen: dict[str, E], cls: type[E]) -> None:
        self._written = written
        self._seen = seen
        self._decoder = msgspec.json.Decoder(cls)

    def get(self, id: str) -> E | None:
        """The element, ``None`` where there is none of that id."""
        seen = self._seen.get(id)
        if seen is not None:
            return seen
        raw = self._written.get(id)
        return None if raw is None else self._decoder.decode(raw)

    def __contains__(self, id: str) -> bool:
        return id in self._seen or id in self._written

    def __iter__(self) -> Iterator[str]:
        yield from self._written
        yield from self._seen


@cache
def written() -> dict[str, dict[str, msgspec.Raw]]:
    """Kind -> id -> element of vCenter's API, unread."""
    content = files("resphere.contract.generated").joinpath("metamodel.json").read_bytes()
    return msgspec.json.decode(content, type=dict[str, dict[str, msgspec.Raw]])


def inside(expression: Expression) -> Iterator[Expression]:
    """The types that have nothing inside, within a type."""
    if expression[0] in GENERIC:
        for each in expression[1:]:
            yield from inside(each)
    else:
        yield expression
