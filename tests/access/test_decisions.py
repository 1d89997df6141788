"""Decisions on random trees, groups, roles and changes, compared with a reference that is as plain as the rules.

The reference keeps nothing: it walks up from the object, each time anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from resphere.access.permissions import GLOBAL, GRANTABLE, Permission
from resphere.access.principal import Principal
from resphere.access.privileges import ON_PARENT
from resphere.access.roles import ADMIN, NO_ACCESS, READ_ONLY, SYSTEM_ROLES, Role, users_role
from resphere.access.tree import TreeViews
from resphere.contract.generated import ids
from resphere.inventory.model import (
    KINDS,
    ROOT_FOLDER,
    Cluster,
    Datacenter,
    Folder,
    Host,
    ManagedObject,
    ResourcePool,
    VirtualMachine,
)
from resphere.providers.simulator.generate import generate
from resphere.providers.simulator.sizes import Sizes
from resphere.replica.edit import Edit
from tests.support.examples import examples
from tests.support.world import World

READ, VIEW, ON, DELETE = (
    "System.Read",
    "System.View",
    "VirtualMachine.Interact.PowerOn",
    "VirtualMachine.Inventory.Delete",
)
PRIVILEGES = (READ, VIEW, ON, DELETE, "System.Anonymous")
OPERATOR = users_role("9001", "Operator", {ON, DELETE})
ROLES = (ADMIN, READ_ONLY, NO_ACCESS, OPERATOR)
PRINCIPALS = tuple(
    Principal(f"{user}@vsphere.local", frozenset(groups))
    for user, groups in (("Ann", ()), ("bob", ("staff@x",)), ("CID", ("Staff@x", "night@x")))
)


class Reference:
    """The rules, word by word."""

    def __init__(self, world: World, principal: Principal) -> None:
        self.world = world
        self.principal = principal
        self.permissions = tuple(world.inventory.all(Permission).values())

    def object(self, id: str | None) -> ManagedObject | None:
        return next((o for cls in KINDS.values() if (o := self.world.inventory.get(cls, id or "")) is not None), None)

    def set_on(self, place: str, propagating: bool) -> list[Role] | None:
        """The roles that permissions of the principal on one object give; ``None`` without any."""
        mine = [
            each
            for each in self.permissions
            if each.object == place
            and (each.propagate or not propagating)
            and (
                each.principal.lower() in {group.lower() for group in self.principal.groups}
                if each.group
                else each.principal.lower() == self.principal.name.lower()
            )
        ]
        own = [each for each in mine if not each.group]
        roles = {**SYSTEM_ROLES, **self.world.inventory.all(Role)}
        return [roles[each.role] for each in (own or mine)] or None

    def on(self, obj: ManagedObject) -> list[Role]:
        there = self.set_on(obj.id, False)
        if there is not None:
            return there
        parent = self.object(obj.parent)
        if isinstance(obj, Folder) and isinstance(parent, Datacenter):
            return self.on(parent)
        if isinstance(obj, ResourcePool) and isinstance(parent, (Cluster, Host)):
            return self.on(parent)
        return self.inherited(obj)

    def inherited(self, obj: ManagedObject) -> list[Role]:
        if obj.id == ROOT_FOLDER:
            return self.set_on(GLOBAL, True) or []
        parents = [self.object(obj.parent)]
        if isinstance(obj, VirtualMachine):
            parents.append(self.object(obj.resource_pool))
        return list(chain.from_iterable(self.below(each) for each in parents if each is not None))

    def below(self, obj: ManagedObject) -> list[Role]:
        passed_on = self.set_on(obj.id, True)
        return passed_on if passed_on is not None else self.inherited(obj)

    def outside(self) -> list[Role]:
        return self.set_on(ROOT_FOLDER, False) or self.set_on(GLOBAL, False) or []

    def stand_above(self, obj: ManagedObject) -> set[str]:
        parents = {obj.parent} | ({obj.resource_pool} if isinstance(obj, VirtualMachine) else set())
        found = {each for each in parents if each is not None}
        return found.union(*(self.stand_above(o) for each in found if (o := self.object(each)) is not None))

    def leads_to_something(self, id: str) -> bool:
        for place in {each.object for each in self.permissions}:
            obj = self.object(place)
            given = [*(self.set_on(place, False) or ()), *(self.set_on(place, True) or ())]
            if obj is not None and id in self.stand_above(obj) and holds(given, VIEW):
                return True
        return False

    def holds(self, privilege: str, target: str | None) -> bool:
        obj = self.object(target or ROOT_FOLDER)
        if obj is None:
            return False
        if privilege == "System.Anonymous":
            return True
        if privilege == VIEW and self.leads_to_something(obj.id):
            return True
        if target is None:
            return holds(self.outside(), privilege)
        parent = self.object(obj.parent)
        if privilege in ON_PARENT and parent is not None and not holds(self.on(parent), privilege):
            return False
        return holds(self.on(obj), privilege)

    def sees(self, obj: ManagedObject) -> bool:
        return holds(self.on(obj), READ)


def holds(roles: Iterable[Role], privilege: str) -> bool:
    return any(role.privileges is None or privilege in role.privileges for role in roles)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterable[World]:
    sizes = Sizes(datacenters=1, clusters=1, hosts=3, vms=6)
    with World(Path(tmp_path_factory.mktemp("world")), generate(sizes, 1)) as world:
        yield world


def objects(world: World) -> list[ManagedObject]:
    return [each for cls in KINDS.values() for each in world.inventory.all(cls).values()]


def permissions(world: World) -> st.SearchStrategy[Permission]:
    # Near the root, and around the machines, where several meet.
    places = [GLOBAL, ROOT_FOLDER, *(each.id for cls in GRANTABLE for each in world.inventory.all(cls).values())]
    return st.one_of(
        st.builds(
            Permission,
            principal=st.sampled_from([each.name.upper() for each in PRINCIPALS]),
            group=st.just(False),
            object=st.sampled_from(places),
            role=st.sampled_from([each.id for each in ROLES]),
            propagate=st.booleans(),
        ),
        st.builds(
            Permission,
            principal=st.sampled_from(("STAFF@x", "night@X")),
            group=st.just(True),
            object=st.sampled_from(places),
            role=st.sampled_from([each.id for each in ROLES]),
            propagate=st.booleans(),
        ),
    )


def change(world: World, data: DataObject) -> None:
    """Something that decisions may depend on: a permission, a role, where a machine or a folder stands."""
    present = sorted(world.inventory.all(Permission))
    what = data.draw(st.sampled_from(("set", "set", "take", "role", "machine", "folder")), "change")
    if what == "set":
        world.put(data.draw(permissions(world), "permission"))
    elif what == "take" and present:
        gone = data.draw(st.sampled_from(present), "taken")
        world.run(world.inventory.change(lambda edit: edit.delete(Permission, gone)))
    elif what == "role":
        given = data.draw(st.sets(st.sampled_from((ON, DELETE))), "privileges")
        world.put(users_role(OPERATOR.id, OPERATOR.name, given))
    elif what == "machine":
        vm = data.draw(st.sampled_from(list(world.inventory.all(VirtualMachine).values())), "machine")
        folders = [f.id for f in world.inventory.all(Folder).values() if f.type == "VIRTUAL_MACHINE"]
        pools = [pool.id for pool in world.inventory.all(ResourcePool).values()]
        folder, pool = data.draw(st.sampled_from(folders)), data.draw(st.sampled_from(pools))
        world.change(vm, name=vm.id, parent=ids.FolderId(folder), resource_pool=ids.ResourcePoolId(pool))
    elif what == "folder":
        top = next(iter(world.inventory.all(Datacenter).values())).vm_folder
        moving = [
            f for f in world.inventory.all(Folder).values() if f.parent and f.id != top and f.type == "VIRTUAL_MACHINE"
        ]
        folder_moved = data.draw(st.sampled_from(moving), "folder")
        below = {each.id for each in moving if is_below(world, each, folder_moved.id)}
        free = sorted({each.id for each in moving} - below | {top})
        world.change(folder_moved, name=folder_moved.id, parent=data.draw(st.sampled_from(free), "to"))


def is_below(world: World, folder: Folder, id: str) -> bool:
    """Whether a folder is the one of that id, or stands in it."""
    current: Folder | None = folder
    while current is not None:
        if current.id == id:
            return True
        current = world.inventory.get(Folder, current.parent or "")
    return False


@cache
def at_first(world: World) -> tuple[ManagedObject, ...]:
    """What :func:`change` moves, as it was before anything was."""
    return tuple(each for each in objects(world) if isinstance(each, (Folder, VirtualMachine)))


def clear(world: World) -> None:
    """All is as it was at first: what an example draws depends on no other."""

    def plan(edit: Edit) -> None:
        for id in world.inventory.all(Permission):
            edit.delete(Permission, id)
        edit.put(OPERATOR)
        for each in at_first(world):
            edit.put(each)

    world.run(world.inventory.change(plan))


@settings(max_examples=examples(30))
@given(data=st.data())
def test_decisions_are_those_of_the_plain_rules(world: World, data: DataObject) -> None:
    clear(world)
    views = TreeViews(world.inventory)
    for _ in range(data.draw(st.integers(3, 8), "changes")):
        change(world, data)
        every = objects(world)
        for principal in PRINCIPALS:
            view, plain = views.of(principal), Reference(world, principal)
            for target in (None, *(each.id for each in every)):
                for privilege in PRIVILEGES:
                    assert view.holds(privilege, target) == plain.holds(privilege, target), (privilege, target)
            machine = next(each for each in every if isinstance(each, VirtualMachine))
            for privilege in PRIVILEGES:
                # What is not there is as any other to whoever sees all.
                expected = view.sees_all and plain.holds(privilege, machine.id)
                assert view.holds(privilege, "vm-404") == expected, privilege
            seen = [obj.id for obj in every if plain.sees(obj)]
            assert [obj.id for obj in every if view.sees(obj)] == seen
            if view.sees_all:
                assert len(seen) == len(every)
                assert holds(plain.outside(), READ)
            for privilege in PRIVILEGES:
                if any(plain.holds(privilege, each.id) for each in every):
                    assert view.holds_anywhere(privilege) or privilege == VIEW


@settings(max_examples=examples(30))
@given(data=st.data())
def test_equal_keys_are_equal_decisions(world: World, data: DataObject) -> None:
    clear(world)
    for permission in data.draw(st.lists(permissions(world), max_size=4)):
        world.put(permission)
    views = [TreeViews(world.inventory).of(principal) for principal in PRINCIPALS]
    decisions = [
        tuple(view.holds(privilege, obj.id) for obj in objects(world) for privilege in PRIVILEGES) for view in views
    ]
    for one, decided in zip(views, decisions, strict=True):
        for other, otherwise in zip(views, decisions, strict=True):
            if one.key == other.key:
                assert decided == otherwise
