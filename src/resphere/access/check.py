"""May the caller do this? Asked once for what the path names and once for what the body refers to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from resphere.access.defaults import requirements_of
from resphere.access.view import View
from resphere.contract.errors import Unauthorized, message
from resphere.contract.model import AnyOperation, Struct


def authorize(view: View, operation: AnyOperation, parameters: Mapping[str, str]) -> None:
    """Check what can be checked before the body is read.

    ``parameters`` are the path's. A requirement on an attribute of the body is asked of the root folder here, if the
    caller holds it nowhere; :func:`authorize_references` asks it of the object.

    :raises Unauthorized: naming the privilege that is missing.
    """
    for requirement in requirements_of(operation):
        if requirement.attribute is not None:
            continue
        target = parameters.get(requirement.parameter) if requirement.parameter else None
        for privilege in requirement.privileges:
            if not view.holds(privilege, target):
                raise missing(privilege, target)


def authorize_references(view: View, operation: AnyOperation, input: Struct) -> None:
    """Check the privileges on objects that the decoded ``input`` refers to.

    :raises Unauthorized: naming the privilege and the object.
    """
    for requirement in requirements_of(operation):
        if requirement.attribute is None:
            continue
        structure, _, field = requirement.attribute.partition(":")
        targets = list(references(input, structure, field))
        for privilege in requirement.privileges:
            for target in targets or (None,):
                if not view.holds(privilege, target):
                    raise missing(privilege, target)


def references(value: Any, structure: str, field: str) -> Iterator[str]:
    """The identifiers in ``field`` of every ``structure`` (``*``: any) inside ``value``."""
    if isinstance(value, Struct):
        for name, inner in zip(value.__struct_fields__, msgspec.structs.astuple(value), strict=True):
            if name == field and structure in ("*", value.__vapi_name__):
                yield from identifiers(inner)
            elif inner is not None:
                yield from references(inner, structure, field)
    elif isinstance(value, tuple):
        for inner in value:
            yield from references(inner, structure, field)
    elif isinstance(value, dict):
        for inner in value.values():
            yield from references(inner, structure, field)


def identifiers(value: Any) -> Iterator[str]:
    """The strings in an identifier, a list or set of them, or the keys of a map."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (tuple, frozenset, dict)):
        yield from sorted(value)


def missing(privilege: str, target: str | None) -> Unauthorized:
    """The refusal for one privilege."""
    where = f"the object {target}" if target else "the root folder"
    return Unauthorized(
        message(
            "com.vmware.vapi.endpoint.authorization.missing_privilege",
            "The caller does not have the privilege {0} on {1}.",
            privilege,
            where,
        ),
        privilege=privilege,
    )
