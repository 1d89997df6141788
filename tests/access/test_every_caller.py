"""Each implemented operation, asked by callers with nothing, with exactly what it needs, and with that elsewhere.

What is asked are the two steps of the pipeline that decide, so that nothing is done; the reference for the decisions
themselves is ``test_decisions.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec
import pytest

from resphere import services
from resphere.access.check import Reference, authorize, authorize_references, references_of
from resphere.access.defaults import OWN_SESSION, PUBLIC, READ, VIEW, requirements_of
from resphere.access.grants import grants_among
from resphere.access.permissions import Permission
from resphere.access.principal import Principal
from resphere.access.privileges import ON_PARENT
from resphere.access.roles import ADMIN, NO_ACCESS, READ_ONLY, Role
from resphere.access.tree import TreeView, object_of, whole_of
from resphere.contract.errors import Unauthorized
from resphere.contract.generated.vcenter_ovf import LibraryItem
from resphere.contract.lookup import all_operations
from resphere.contract.model import AnyOperation, Requirement
from resphere.inventory.model import (
    KINDS,
    ROOT_FOLDER,
    Cluster,
    Datacenter,
    Datastore,
    Folder,
    Host,
    ManagedObject,
    Network,
    ResourcePool,
    VirtualMachine,
)
from resphere.inventory.relations import parent_of
from resphere.providers.simulator.generate import generate
from resphere.providers.simulator.sizes import Sizes
from resphere.services.registry import load
from tests.support.calls import minimal_input
from tests.support.world import World

ANN = Principal("ann@vsphere.local")
IMPLEMENTED = load(services).keys()
OPERATIONS = [
    operation
    for operation in all_operations()
    if operation.id in IMPLEMENTED and operation.api is not None and operation.id not in PUBLIC | OWN_SESSION
]
KINDS_NAMED = (Folder, Datacenter, Cluster, Host, ResourcePool, Datastore, Network, VirtualMachine)
READING = frozenset({READ, VIEW, "System.Anonymous"})


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    sizes = Sizes(datacenters=2, clusters=2, hosts=6, vms=12)
    with World(Path(tmp_path_factory.mktemp("world")), generate(sizes, 1)) as world:
        yield world


class Asked(msgspec.Struct, frozen=True):
    """An operation about one object of each type, and what it needs of which of them (``None``: the root folder)."""

    operation: AnyOperation
    parameters: Mapping[str, str]
    references: tuple[Reference, ...]

    @property
    def needs(self) -> Iterator[tuple[Requirement, str | None]]:
        for requirement in requirements_of(self.operation):
            if requirement.attribute is None and requirement.parameter is None:
                yield requirement, None
            elif requirement.attribute is None and (requirement.parameter or "") in self.parameters:
                yield requirement, in_tree(requirement, self.parameters[requirement.parameter or ""])
        for reference in self.references:
            yield reference.requirement, in_tree(reference.requirement, reference.target)

    def refusal(self, world: World, permissions: Mapping[str, frozenset[str] | Role], propagate: bool) -> str | None:
        """What is said to Ann with those roles, or privileges, on those objects; ``None`` where she is let through."""
        roles = {
            object: given if isinstance(given, Role) else Role(str(number), f"role {number}", given)
            for number, (object, given) in enumerate(permissions.items())
        }
        granted = [
            Permission(principal=ANN.name, object=object, role=role.id, propagate=propagate)
            for object, role in roles.items()
        ]
        users = [role for role in roles.values() if not role.system]
        grants = grants_among(granted, users)
        view = TreeView(world.inventory, grants, grants.of(ANN))
        try:
            authorize(view, "vcenter", self.operation, self.parameters)
            authorize_references(view, "vcenter", self.references)
        except Unauthorized as refusal:
            return str(refusal)
        return None


def in_tree(requirement: Requirement, target: str | None) -> str | None:
    """Where a privilege is needed: what is no managed object, such as a content library, stands nowhere in the tree.

    Without a type it is needed on an object of any.
    """
    types = {cls.resource_type for cls in KINDS.values()}
    return target if requirement.resource is None or requirement.resource in types else None


def asked(world: World, operation: AnyOperation) -> Asked:
    """The operation with the least input, about what stands below something of its own kind where that can be."""
    real = {f"{cls.resource_type}Id": [deep(world, cls).id] for cls in KINDS_NAMED}
    value = minimal_input(operation, real)
    if operation == LibraryItem.create:
        # Its source is named by a type and a plain text.
        source = LibraryItem.DeployableIdentity(type="VirtualMachine", id=deep(world, VirtualMachine).id)
        value = msgspec.structs.replace(value, source=source)
    assert operation.api is not None
    parameters = {
        field.encode_name: str(getattr(value, field.name))
        for field in msgspec.structs.fields(type(value))
        if f"{{{field.encode_name}}}" in operation.api.path
    }
    return Asked(operation, parameters, references_of(operation, parameters, value))


def apart(world: World, cls: type[ManagedObject]) -> list[ManagedObject]:
    """The objects of a kind that have permissions of their own, those far from the root last."""
    found = [each for each in world.inventory.all(cls).values() if whole_of(world.inventory, each) is None]
    return [each for each in found if each.id != ROOT_FOLDER]


def deep(world: World, cls: type[ManagedObject]) -> ManagedObject:
    return apart(world, cls)[-1]


def exact(world: World, needs: Iterable[tuple[Requirement, str | None]]) -> dict[str, frozenset[str]]:
    """Object -> the privileges that are needed there, and no others."""
    found: dict[str, frozenset[str]] = {}
    for requirement, target in needs:
        place = target or ROOT_FOLDER
        found[place] = found.get(place, frozenset()).union(requirement.privileges)
        on_parent = ON_PARENT.intersection(requirement.privileges)
        above = parent(world, place)
        if on_parent and target is not None and above is not None:
            found[above] = found.get(above, frozenset()) | on_parent
    return found


def parent(world: World, id: str) -> str | None:
    """The id of what the object stands in."""
    obj = object_of(world.inventory, id)
    above = parent_of(world.inventory, obj) if obj is not None else None
    return above.id if above is not None else None


def subject(world: World, asked: Asked) -> tuple[str, frozenset[str]] | None:
    """An object that the operation is about, and what it needs there; ``None`` where it is about none."""
    for requirement, target in asked.needs:
        if target is not None and object_of(world.inventory, target) is not None and not requirement.anywhere:
            return target, exact(world, asked.needs)[target]
    return None


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_who_is_let_through(world: World, operation: AnyOperation) -> None:
    call = asked(world, operation)
    needs = exact(world, call.needs)
    privileges = {each for requirement, _ in call.needs for each in requirement.privileges}
    listed = all(requirement.anywhere and set(requirement.privileges) <= {READ} for requirement, _ in call.needs)
    anonymous = privileges <= {"System.Anonymous"}
    assert call.refusal(world, {ROOT_FOLDER: ADMIN}, True) is None
    assert (call.refusal(world, {ROOT_FOLDER: READ_ONLY}, True) is None) == (privileges <= READING)
    for nothing in ({}, {ROOT_FOLDER: NO_ACCESS}):
        assert (call.refusal(world, nothing, True) is None) == (listed or anonymous)
    assert call.refusal(world, needs, False) is None
    found = subject(world, call)
    if found is None:
        if not listed and not anonymous:
            # It needs the root folder, or anything at all: a role on nothing is none.
            elsewhere = {deep(world, Datacenter).id: frozenset(privileges)}
            anywhere = any(requirement.anywhere for requirement, _ in call.needs) or privileges <= {VIEW}
            assert (call.refusal(world, elsewhere, True) is None) == anywhere
        return
    target, needed = found
    obj = object_of(world.inventory, target)
    assert obj is not None
    above = parent(world, target)
    assert above is not None
    rest = {place: given for place, given in needs.items() if place != target}
    [other, *_] = [each.id for each in apart(world, type(obj)) if each.id not in needs and each.parent != target]
    refusal = call.refusal(world, {**rest, other: needed}, False)
    assert refusal is not None
    assert target in refusal
    on_parent = {**rest, above: needed | rest.get(above, frozenset())}
    assert call.refusal(world, on_parent, True) is None
    assert call.refusal(world, on_parent, False) is not None
    assert call.refusal(world, {**on_parent, target: NO_ACCESS.all_privileges}, True) is not None


def test_every_kind_of_object_is_asked_about(world: World) -> None:
    about = {
        type(obj)
        for operation in OPERATIONS
        if (found := subject(world, asked(world, operation))) is not None
        and (obj := object_of(world.inventory, found[0])) is not None
    }
    assert about >= set(KINDS_NAMED) - {Folder}
    assert about <= set(KINDS.values())
