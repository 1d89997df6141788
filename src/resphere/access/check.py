"""May the caller do this? Asked once for what the path names and once for what the body refers to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

import msgspec

from resphere.access.defaults import CHOSEN, PLACING, READ, requirements_of
from resphere.access.refusals import no_privileges
from resphere.access.view import View
from resphere.contract.model import AnyOperation, Requirement, Struct
from resphere.inventory.model import KINDS
from resphere.rules.refusals import not_found

_SPEC = "com.vmware.vcenter.ovf.library_item.resource_pool_deployment_spec"
BY_VALUE = frozenset({f"{_SPEC}:network_mappings", f"{_SPEC}:subnet_mappings"})
"""Attributes that are maps whose values name the objects; else the keys do."""
NESTING = (Struct, tuple, frozenset, dict)
MANAGED = {cls.resource_type: cls for cls in KINDS.values()}


def authorize(view: View, vcenter: str, operation: AnyOperation, parameters: Mapping[str, str]) -> None:
    """Check what can be checked before the body is read.

    ``vcenter`` is this vCenter's instance UUID, which refusals name; ``parameters`` are the path's.

    :raises Unauthorized: naming the privilege that is missing, and the object.
    :raises NotFound: there is no such object.
    """
    for requirement in requirements_of(operation):
        if requirement.attribute is not None:
            continue
        if requirement.parameter is None:
            require(view, vcenter, requirement, None)
        elif requirement.parameter in parameters:
            require(view, vcenter, requirement, parameters[requirement.parameter])


class Reference(msgspec.Struct, frozen=True, gc=False):
    """An object that an input refers to, and what is needed on it; without ``target``, on the root folder."""

    requirement: Requirement
    target: str | None


def references_of(operation: AnyOperation, parameters: Mapping[str, str], input: Struct) -> tuple[Reference, ...]:
    """What the decoded ``input`` refers to and the path does not name, each object once, in the order of asking.

    Where it names none, a change of what the path names leaves them as they are; what is made anew is put where the
    operation chooses, which asks for the privilege there, or else the privilege is asked of the root folder. New
    machines need no network, and what is only read along need not be named.

    It reads nothing but the input, and may run in any thread.
    """
    subjects = by_subject(operation)
    if not subjects:
        return ()
    found: list[Reference] = []
    changes = any(each.parameter in parameters for each in requirements_of(operation))
    attributes = attributes_in(input, named_attributes(operation))
    for requirements in subjects:
        given = [
            (requirement, value)
            for requirement in requirements
            if requirement.parameter not in parameters
            for value in given_in(input, attributes, requirement)
        ]
        # They ask for the same privileges: once for each object.
        targets = {target: requirement for requirement, value in given for target in identifiers(value)}
        found += [Reference(requirement, target) for target, requirement in targets.items()]
        first = requirements[0]
        optional = changes or first.resource == "Network" or (first.privileges == (READ,) and first.attribute)
        # A list that is given and empty names nothing that could be left alone.
        if not targets and (given or not optional):
            found.append(Reference(where_chosen(operation, first), None))
    return tuple(found)


@cache
def where_chosen(operation: AnyOperation, requirement: Requirement) -> Requirement:
    """The requirement on what the input leaves open: an operation that chooses a place asks there itself."""
    if operation.id in PLACING and requirement.resource in CHOSEN:
        return msgspec.structs.replace(requirement, anywhere=True)
    return requirement


def authorize_references(view: View, vcenter: str, references: Iterable[Reference]) -> None:
    """Check the privileges on objects that an input refers to.

    :raises Unauthorized: naming the privilege that is missing, and the object.
    :raises NotFound: there is no such object.
    """
    for reference in references:
        require(view, vcenter, reference.requirement, reference.target)


@cache
def by_subject(operation: AnyOperation) -> tuple[tuple[Requirement, ...], ...]:
    """The requirements on what the input names, those for the same privileges on the same type together: whatever
    names a datastore for the disks names one."""
    subjects: dict[tuple[object, ...], list[Requirement]] = {}
    for requirement in requirements_of(operation):
        if requirement.attribute is not None or requirement.parameter is not None:
            subjects.setdefault((requirement.privileges, requirement.resource), []).append(requirement)
    return tuple(map(tuple, subjects.values()))


@cache
def named_attributes(operation: AnyOperation) -> Mapping[str, tuple[tuple[str, str], ...]]:
    """Field -> structure (``*``: any) and attribute, of each attribute that the operation's requirements name."""
    named: dict[str, dict[tuple[str, str], None]] = {}
    for requirement in requirements_of(operation):
        if requirement.attribute is not None:
            structure, _, field = requirement.attribute.partition(":")
            named.setdefault(field, {})[structure, requirement.attribute] = None
    return {field: tuple(pairs) for field, pairs in named.items()}


def attributes_in(value: Any, named: Mapping[str, tuple[tuple[str, str], ...]]) -> Mapping[str, list[Any]]:
    """Attribute -> its values, where it is set, in every such structure inside ``value``."""
    found: dict[str, list[Any]] = {}
    if named:
        _collect(value, named, found)
    return found


def _collect(value: Any, named: Mapping[str, tuple[tuple[str, str], ...]], found: dict[str, list[Any]]) -> None:
    if isinstance(value, Struct):
        for name, inner in zip(value.__struct_encode_fields__, msgspec.structs.astuple(value), strict=True):
            if inner is None:
                continue
            for structure, attribute in named.get(name, ()):
                if structure in ("*", value.__vapi_name__):
                    found.setdefault(attribute, []).append(inner)
            if isinstance(inner, NESTING):
                _collect(inner, named, found)
        return
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, NESTING):
            _collect(inner, named, found)


def given_in(input: Struct, attributes: Mapping[str, list[Any]], requirement: Requirement) -> Iterable[Any]:
    """The values that the requirement's parameter or attribute has in ``input``, where it is set."""
    if requirement.attribute is not None:
        given = attributes.get(requirement.attribute, ())
        return [tuple(each.values()) for each in given] if requirement.attribute in BY_VALUE else given
    fields = zip(input.__struct_encode_fields__, msgspec.structs.astuple(input), strict=True)
    return [value for name, value in fields if name == requirement.parameter and value is not None]


def require(view: View, vcenter: str, requirement: Requirement, target: str | None) -> None:
    """Check one requirement on ``target``; ``None``: on the root folder, or anywhere.

    What is no managed object (a content library and its items) stands nowhere in the tree: the privileges on it are
    had where those on tags are.

    :raises Unauthorized: the caller lacks one of the privileges.
    :raises NotFound: there is no such object.
    """
    if requirement.resource is not None and requirement.resource not in MANAGED:
        target = None
    for privilege in requirement.privileges:
        if requirement.anywhere:
            # Lists leave out what the caller does not see, be it everything.
            allowed = view.holds_anywhere(privilege) or privilege == READ
        else:
            allowed = view.holds(privilege, target)
        if allowed:
            continue
        if target is not None and requirement.resource in MANAGED and view.lacks(target):
            raise not_found(vcenter, MANAGED[requirement.resource], target)
        raise no_privileges(privilege, target, vcenter)


def identifiers(value: Any) -> Iterator[str]:
    """The strings in an identifier, a list or set of them, or the keys of a map."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (tuple, frozenset, dict)):
        yield from sorted(value)
