"""What a scope leaves of a view: compared with what the words say, on a whole inventory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resphere.access.principal import Principal, Scope
from resphere.access.roles import ADMIN, NO_ACCESS, OF_EVERY_ROLE, READ_ONLY, Role
from resphere.access.scoped import ScopedViews
from resphere.access.view import RootView, View
from resphere.inventory.model import (
    KINDS,
    ROOT_FOLDER,
    Cluster,
    Datacenter,
    Folder,
    Host,
    ManagedObject,
    ResourcePool,
    Snapshot,
    VirtualMachine,
)
from resphere.inventory.relations import parent_of
from resphere.replica.replica import Replica
from tests.support.world import World

POWER_ON = "VirtualMachine.Interact.PowerOn"
ANN = Principal("ann@vsphere.local")


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replica]:
    """A small vCenter."""
    with World(tmp_path_factory.mktemp("scoped")) as world:
        yield world.inventory


class OneView:
    """The same view for everybody."""

    def __init__(self, role: Role) -> None:
        self._view = RootView(role)

    def of(self, principal: Principal) -> View:
        return self._view


def narrowed(inventory: Replica, role: Role, scope: Scope) -> View:
    """What is left of a role on everything."""
    return ScopedViews(inventory, OneView(role)).of(Principal(ANN.name, scope=scope))


def everything(inventory: Replica) -> list[ManagedObject]:
    return [obj for cls in KINDS.values() for obj in inventory.all(cls).values()]


def stands_in(inventory: Replica, obj: ManagedObject, id: str) -> bool:
    """As the words have it: it is that object, or what it stands in does; a VM stands in its pool, too."""
    if obj.id == id:
        return True
    above = parent_of(inventory, obj)
    pool = inventory.get(ResourcePool, obj.resource_pool) if isinstance(obj, VirtualMachine) else None
    return any(each is not None and stands_in(inventory, each, id) for each in (above, pool))


@pytest.mark.parametrize("cls", [Folder, Datacenter, Cluster, ResourcePool, Host, VirtualMachine, Snapshot])
def test_a_branch_is_an_object_and_all_that_stands_in_it(inventory: Replica, cls: type[ManagedObject]) -> None:
    for id in list(inventory.all(cls))[:3]:
        view = narrowed(inventory, ADMIN, Scope(objects=frozenset({id})))
        for obj in everything(inventory):
            inside = stands_in(inventory, obj, id)
            assert view.sees(obj) is inside, (id, obj.id)
            assert view.holds(POWER_ON, obj.id) is inside
        assert view.holds(POWER_ON, None) is (id == ROOT_FOLDER)
        assert not view.sees_all


privileges = st.frozensets(st.sampled_from([POWER_ON, "Task.Cancel", "System.Read", "Datastore.Browse"]))


@given(st.none() | privileges, st.sampled_from([ADMIN, READ_ONLY, NO_ACCESS]), st.data())
def test_a_scope_never_gives_and_always_takes(
    inventory: Replica, asked: frozenset[str] | None, role: Role, data: st.DataObject
) -> None:
    ids = [obj.id for obj in everything(inventory)]
    objects = data.draw(st.none() | st.frozensets(st.sampled_from(ids), min_size=1, max_size=3))
    view, whole = narrowed(inventory, role, Scope(asked, objects)), RootView(role)
    obj = data.draw(st.sampled_from(everything(inventory)))
    inside = objects is None or any(stands_in(inventory, obj, id) for id in objects)
    for privilege in (POWER_ON, "Task.Cancel", "System.Read", "Host.Config.Maintenance"):
        in_scope = asked is None or privilege in asked | OF_EVERY_ROLE
        assert view.holds(privilege, obj.id) is (whole.holds(privilege, obj.id) and in_scope and inside)
        assert not view.holds_anywhere(privilege) or whole.holds_anywhere(privilege)
    assert view.sees(obj) is (whole.sees(obj) and inside)


def test_what_leads_to_a_branch_can_be_viewed_and_no_more(inventory: Replica) -> None:
    vm = next(iter(inventory.all(VirtualMachine).values()))
    view = narrowed(inventory, ADMIN, Scope(objects=frozenset({vm.id})))
    folder, host = inventory.all(Folder)[vm.parent or ""], inventory.all(Host)[vm.host]
    assert view.holds("System.View", folder.id)
    assert not view.holds("System.Read", folder.id)
    assert not view.sees(folder)
    assert not view.holds("System.View", host.id)


def test_views_with_other_scopes_share_no_replies(inventory: Replica) -> None:
    scopes = [None, Scope(), Scope(frozenset()), Scope(frozenset({POWER_ON})), Scope(objects=frozenset({ROOT_FOLDER}))]
    views = ScopedViews(inventory, OneView(ADMIN))
    keys = [views.of(Principal(ANN.name, scope=scope)).key for scope in scopes]
    assert len(set(keys)) == len(keys)


def test_a_branch_follows_what_moves(tmp_path: Path) -> None:
    with World(tmp_path) as world:
        vm = next(iter(world.inventory.all(VirtualMachine).values()))
        other = Folder(
            id="group-v99999", name="other", parent=vm.parent, type=world.inventory.all(Folder)[vm.parent or ""].type
        )
        world.put(other)
        views = ScopedViews(world.inventory, OneView(ADMIN))
        scoped = Principal(ANN.name, scope=Scope(objects=frozenset({other.id})))
        assert not views.of(scoped).sees(vm)
        moved = msgspec.structs.replace(vm, parent=other.id)
        world.put(moved)
        assert views.of(scoped).sees(moved)
