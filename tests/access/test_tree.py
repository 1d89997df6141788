"""Permissions along the tree, by the rules and examples of vCenter's documentation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from resphere.access.check import authorize
from resphere.access.principal import Principal
from resphere.access.roles import ADMIN, NO_ACCESS, READ_ONLY, Role, users_role
from resphere.access.tree import TreeViews
from resphere.access.view import View
from resphere.contract.errors import NotFound, Unauthorized
from resphere.contract.generated import ids
from resphere.contract.generated.cis_tagging import CategoryModel
from resphere.contract.generated.vcenter import Folder as FolderApi
from resphere.contract.generated.vcenter_services import Service as Services
from resphere.contract.generated.vcenter_vm import Hardware
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
    Snapshot,
    VirtualMachine,
)
from resphere.inventory.relations import ancestors
from resphere.inventory.tagging import Category
from tests.services.vcenter.building import add_host, found
from tests.support.scoped import Given, give, permission
from tests.support.world import NOW, World

POWER = users_role("9001", "Operator", {"VirtualMachine.Interact.PowerOn"})
STAFF, NIGHT = "Staff@vsphere.local", "night@vsphere.local"
ANN = Principal("Ann@vsphere.local", frozenset({STAFF, NIGHT}))
ON = "VirtualMachine.Interact.PowerOn"
READ = "System.Read"
VIEW = "System.View"
CATEGORY = Category(
    id=ids.CisTaggingCategoryId("urn:1"),
    name="owner",
    description="",
    cardinality=CategoryModel.Cardinality.SINGLE,
)
M = TypeVar("M", bound=ManagedObject)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(Path(tmp_path_factory.mktemp("world"))) as world:
        yield world


def first(world: World, cls: type[M]) -> M:
    return next(iter(world.inventory.all(cls).values()))


def machine(world: World) -> VirtualMachine:
    return first(world, VirtualMachine)


def to(object: ManagedObject | str, role: Role, group: str | None = None, propagate: bool = True) -> Given:
    """A permission for Ann, or a group."""
    place = object if isinstance(object, str) else object.id
    principal = group or "ANN@vsphere.local"
    return permission(place, role, propagate, principal=principal, group=group is not None)


def view(world: World, *given: Given, of: Principal = ANN) -> View:
    give(world, given)
    return TreeViews(world.inventory).of(of)


def test_nothing_granted_is_nothing_seen(world: World) -> None:
    nothing = view(world, permission(ROOT_FOLDER, ADMIN, principal="bob@vsphere.local"))
    assert not nothing.holds(READ, None)
    assert not nothing.holds_anywhere(READ)
    assert not nothing.sees(machine(world))
    assert not nothing.sees_all


def test_a_role_on_one_machine_is_had_there_only(world: World) -> None:
    vm, *others = world.inventory.all(VirtualMachine).values()
    mine = view(world, to(vm, READ_ONLY))
    assert mine.holds(READ, vm.id)
    assert mine.sees(vm)
    assert not mine.holds(ON, vm.id)
    assert not any(map(mine.sees, others))
    assert not mine.holds(READ, vm.parent)
    assert not mine.holds(READ, None)
    assert mine.holds_anywhere(READ)
    assert not mine.holds_anywhere(ON)


def test_what_an_object_stands_in_may_be_viewed_and_not_read(world: World) -> None:
    """By folders and by pools; what stands beside may not be."""
    vm = machine(world)
    mine = view(world, to(vm, POWER))
    pool = world.inventory.all(ResourcePool)[vm.resource_pool]
    above = {each.id for start in (vm, pool) for each in ancestors(world.inventory, start)} | {pool.id}
    assert {ROOT_FOLDER, pool.owner} < above
    for cls in KINDS.values():
        for obj in world.inventory.all(cls).values():
            assert mine.holds(VIEW, obj.id) == (obj.id in above | {vm.id})
            assert mine.holds(READ, obj.id) == (obj.id == vm.id)
    assert not mine.holds(VIEW, "vm-404")


def test_a_role_without_privileges_shows_no_way(world: World) -> None:
    vm = machine(world)
    assert not view(world, to(vm, NO_ACCESS)).holds(VIEW, ROOT_FOLDER)
    assert view(world, to(vm, NO_ACCESS), to(vm, ADMIN, propagate=False)).holds(VIEW, ROOT_FOLDER)
    shown = view(world, to(vm.parent or "", NO_ACCESS), to(vm, READ_ONLY))
    assert shown.holds(VIEW, vm.parent)
    assert not shown.holds(READ, vm.parent)


def test_what_is_anonymous_is_everybody_s(world: World) -> None:
    nobody = view(world)
    assert nobody.holds("System.Anonymous", None)
    assert nobody.holds_anywhere("System.Anonymous")
    assert not nobody.holds(VIEW, None)
    assert not nobody.holds("System.Anonymous", "vm-404")


def test_a_role_on_the_root_reaches_everything(world: World) -> None:
    all_of_it = view(world, to(ROOT_FOLDER, READ_ONLY))
    assert all_of_it.sees_all
    for cls in (Folder, Cluster, Host, ResourcePool, Datastore, Network, VirtualMachine):
        assert all(map(all_of_it.sees, world.inventory.all(cls).values()))
    assert all_of_it.sees(CATEGORY)


def test_a_permission_that_does_not_propagate_stays_where_it_is(world: World) -> None:
    root_only = view(world, to(ROOT_FOLDER, ADMIN, propagate=False))
    assert root_only.holds(ON, None)
    assert root_only.holds_anywhere(ON)
    assert not root_only.holds(READ, machine(world).id)
    assert not root_only.sees_all


def test_the_nearest_object_decides(world: World) -> None:
    vm = machine(world)
    hidden = view(world, to(ROOT_FOLDER, ADMIN), to(vm, NO_ACCESS))
    assert not hidden.sees(vm)
    assert not hidden.sees_all
    assert hidden.holds(ON, None)


def test_a_machine_inherits_from_its_folder_and_from_its_pool(world: World) -> None:
    """To restrict a user's privileges on a VM, permissions must be set on both paths."""
    vm = machine(world)
    assert view(world, to(vm.parent or "", READ_ONLY)).sees(vm)
    assert view(world, to(vm.resource_pool, READ_ONLY)).sees(vm)
    both = view(world, to(vm.parent or "", READ_ONLY), to(vm.resource_pool, POWER))
    assert both.holds(ON, vm.id)
    shut = view(world, to(vm.parent or "", NO_ACCESS), to(vm.resource_pool, POWER))
    assert shut.holds(ON, vm.id)


def test_a_cluster_passes_on_to_hosts_pools_and_machines_and_to_nothing_else(world: World) -> None:
    cluster = first(world, Cluster)
    mine = view(world, to(cluster, POWER))
    assert all(map(mine.sees, world.inventory.by(Host, "parent", cluster.id).values()))
    assert mine.holds(READ, cluster.resource_pool)
    assert mine.holds(ON, machine(world).id)
    assert not any(map(mine.sees, world.inventory.all(Datastore).values()))
    assert not any(map(mine.sees, world.inventory.all(Network).values()))


def test_a_host_in_a_cluster_passes_nothing_on_to_machines(world: World) -> None:
    vm = machine(world)
    mine = view(world, to(vm.host, ADMIN))
    assert mine.holds(READ, vm.host)
    assert not mine.sees(vm)


def test_the_user_s_own_permission_overrides_those_of_groups_on_one_object(world: World) -> None:
    vm = machine(world)
    assert not view(world, to(vm, READ_ONLY), to(vm, ADMIN, STAFF)).holds(ON, vm.id)
    assert view(world, to(vm.parent or "", READ_ONLY), to(vm, POWER, STAFF)).holds(ON, vm.id)


def test_a_user_s_permission_that_stays_leaves_what_is_below_to_the_groups(world: World) -> None:
    vm = machine(world)
    mine = view(world, to(vm.parent or "", NO_ACCESS, propagate=False), to(vm.parent or "", POWER, STAFF))
    assert not mine.holds(READ, vm.parent)
    assert mine.holds(ON, vm.id)
    assert mine.holds_anywhere(ON)
    assert mine.holds(VIEW, ROOT_FOLDER)


def test_several_groups_privileges_are_united(world: World) -> None:
    vm = machine(world)
    mine = view(world, to(vm, READ_ONLY, STAFF), to(vm, POWER, NIGHT), to(vm, ADMIN, "others@vsphere.local"))
    assert mine.holds(ON, vm.id)
    assert mine.holds("System.View", vm.id)
    assert not mine.holds("VirtualMachine.Interact.PowerOff", vm.id)


def test_what_belongs_to_an_object_is_seen_with_it(world: World) -> None:
    vm, other, *_ = world.inventory.all(VirtualMachine).values()
    of_mine, of_other = (
        Snapshot(id=f"snapshot-{each.id}", name="before", parent=each.id, created_time=NOW, state=each)
        for each in (vm, other)
    )
    mine = view(world, to(vm, READ_ONLY))
    assert mine.sees(of_mine)
    assert not mine.sees(of_other)


def test_what_stands_nowhere_is_seen_by_who_reads_the_root(world: World) -> None:
    assert view(world, to(ROOT_FOLDER, READ_ONLY, propagate=False)).sees(CATEGORY)
    assert not view(world, to(machine(world), ADMIN)).sees(CATEGORY)


def test_what_is_not_there_is_told_by_operations_to_whoever_sees_all_and_nobody_else_has_a_privilege_on_it(
    world: World,
) -> None:
    everything, reading = view(world, to(ROOT_FOLDER, ADMIN)), view(world, to(ROOT_FOLDER, READ_ONLY))
    assert everything.holds(READ, "vm-404")
    assert not everything.lacks("vm-404")
    assert not reading.holds("VirtualMachine.Interact.PowerOn", "vm-404")
    one = view(world, to(machine(world), ADMIN))
    assert not one.holds(READ, "vm-404")
    assert one.lacks("vm-404")
    assert not one.lacks(machine(world).id)


def test_a_move_is_noticed_by_a_view_that_was_asked_before(world: World) -> None:
    vm = machine(world)
    folder = Folder(id="group-v999", name="aside", parent=vm.parent, type=FolderApi.Type.VIRTUAL_MACHINE)
    world.put(folder)
    mine = view(world, to(folder, READ_ONLY), to(vm.resource_pool, NO_ACCESS))
    led = view(world, to(vm, READ_ONLY))
    assert not mine.sees(vm)
    assert not led.holds(VIEW, folder.id)
    moved = world.change(vm, parent=ids.FolderId(folder.id))
    try:
        assert mine.sees(moved)
        assert led.holds(VIEW, folder.id)
    finally:
        world.change(moved, parent=vm.parent)


def test_a_move_to_another_pool_is_noticed_too(world: World) -> None:
    vm = machine(world)
    above = [
        vm.resource_pool,
        *(each.id for each in ancestors(world.inventory, world.inventory.all(ResourcePool)[vm.resource_pool])),
    ]
    other = next(each for each in world.inventory.all(ResourcePool).values() if each.id not in above)
    mine, led = view(world, to(other, READ_ONLY)), view(world, to(vm, READ_ONLY))
    assert not mine.sees(vm)
    assert not led.holds(VIEW, other.id)
    moved = world.change(vm, resource_pool=ids.ResourcePoolId(other.id))
    try:
        assert mine.sees(moved)
        assert led.holds(VIEW, other.id)
    finally:
        world.change(moved, resource_pool=vm.resource_pool)


def test_a_move_of_what_stands_above_is_noticed_too(world: World) -> None:
    top = machine(world).parent
    shared, moving, below = (
        Folder(id=f"group-v99{n}", name=f"folder {n}", parent=parent, type=FolderApi.Type.VIRTUAL_MACHINE)
        for n, parent in enumerate((top, top, "group-v991"))
    )
    world.put(shared, moving, below)
    mine = view(world, to(shared, READ_ONLY))
    inside = world.inventory.all(Folder)[below.id]
    assert not mine.sees(inside)
    world.change(moving, parent=shared.id)
    assert mine.sees(inside)


def test_a_way_that_comes_is_noticed_through_what_was_granted_nothing_to_view(world: World) -> None:
    vm = machine(world)
    shut = Folder(id="group-v998", name="shut", parent=vm.parent, type=FolderApi.Type.VIRTUAL_MACHINE)
    world.put(shut)
    led = view(world, to(vm, READ_ONLY), to(shut, NO_ACCESS))
    assert not led.holds(VIEW, shut.id)
    moved = world.change(vm, parent=ids.FolderId(shut.id))
    try:
        assert led.holds(VIEW, shut.id)
    finally:
        world.change(moved, parent=vm.parent)


def test_what_is_one_with_another_object_has_what_was_granted_there(world: World) -> None:
    """The four folders of a datacenter, and the root pools of clusters and of hosts that are in none."""
    datacenter, cluster = first(world, Datacenter), first(world, Cluster)
    alone = found(world, Host, add_host(world))
    for whole, cls in ((datacenter, Folder), (cluster, ResourcePool), (alone, ResourcePool)):
        parts = world.inventory.by(cls, "parent", whole.id).values()
        assert len(parts) == (4 if cls is Folder else 1)
        mine = view(world, to(whole, READ_ONLY, propagate=False))
        assert all(mine.sees(part) for part in parts)
        within = [each for part in parts for each in world.inventory.by(cls, "parent", part.id).values()]
        assert not any(mine.sees(each) for each in within)


def test_keys_are_equal_where_what_is_granted_is(world: World) -> None:
    vm, other, *_ = world.inventory.all(VirtualMachine).values()
    grants = (to(vm, READ_ONLY), to(other, POWER, STAFF))
    bob = Principal("bob@vsphere.local")
    of_bob = [permission(each.permission.object, each.role, principal=bob.name) for each in grants]
    assert view(world, *grants).key == view(world, *reversed(of_bob), of=bob).key
    different = (
        view(world, to(vm, READ_ONLY)),
        view(world, to(other, READ_ONLY)),
        view(world, to(vm, READ_ONLY, propagate=False)),
        view(world, to(vm, POWER)),
        view(world, to(vm, Role("9002", "Reader", frozenset({"System.Read"})))),
        view(world),
    )
    assert len({each.key for each in different}) == len(different)


def test_what_is_refused_is_told_from_what_is_not_there(world: World) -> None:
    vm, other, *_ = world.inventory.all(VirtualMachine).values()
    mine = view(world, to(vm, READ_ONLY))
    authorize(mine, "vcenter", Hardware.get, {"vm": vm.id})
    with pytest.raises(Unauthorized) as refusal:
        authorize(mine, "vcenter", Hardware.get, {"vm": other.id})
    assert refusal.value.messages[0].args == (f"object: {other.id}:vcenter privileges: System.Read",)
    with pytest.raises(NotFound) as missing:
        authorize(mine, "vcenter", Hardware.get, {"vm": "vm-404"})
    assert missing.value.messages[0].id == "com.vmware.api.vcenter.vm.not_found"
    with pytest.raises(Unauthorized) as on_the_root:
        authorize(mine, "vcenter", Services.get, {"service": "vpxd"})
    assert on_the_root.value.messages[0].args == (f"object: {ROOT_FOLDER}:vcenter privileges: System.Read",)
