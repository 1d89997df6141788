"""Virtual machines, datacenters and resource pools: renamed and moved."""

from __future__ import annotations

import asyncio

import pytest

from resphere.contract.errors import AlreadyExists, InvalidArgument, UnableToAllocateResource
from resphere.contract.extensions.folders import Folders
from resphere.contract.extensions.inventory_specs import FolderSpec, NameSpec
from resphere.contract.extensions.moves import Datacenters, Machines, PoolMoves
from resphere.contract.generated import ids, vcenter
from resphere.contract.generated.vcenter import ResourcePool as Api
from resphere.inventory.model import ROOT_FOLDER, Cluster, Datacenter, Host, ResourcePool, VirtualMachine
from tests.services.vcenter.building import add_cluster, add_host, first, found, refused
from tests.support.world import World


def machine(world: World) -> VirtualMachine:
    return next(vm for vm in world.inventory.all(VirtualMachine).values() if vm.power_state == "POWERED_OFF")


def make_pool(
    world: World, name: str, parent: str, reservation: int = 0, expandable: bool = True
) -> ids.ResourcePoolId:
    cpu = Api.ResourceAllocationCreateSpec(reservation=reservation, expandable_reservation=expandable)
    return world.call(Api.create, Api.CreateSpec(name=name, parent=ids.ResourcePoolId(parent), cpu_allocation=cpu))


def move_vm(world: World, vm: VirtualMachine, folder: str | None = None, pool: str | None = None) -> None:
    spec = Machines.MoveSpec(
        folder=ids.FolderId(folder) if folder else None, resource_pool=ids.ResourcePoolId(pool) if pool else None
    )
    world.call(Machines.move, ids.VirtualMachineId(vm.id), spec)


def move_pool(world: World, pool: str, parent: str) -> None:
    world.call(PoolMoves.move, ids.ResourcePoolId(pool), PoolMoves.MoveSpec(parent=ids.ResourcePoolId(parent)))


def test_a_vm_is_renamed_and_keeps_its_files(world: World) -> None:
    vm = machine(world)
    world.call(Machines.update, ids.VirtualMachineId(vm.id), NameSpec(name="renamed"))
    after = found(world, VirtualMachine, vm.id)
    assert (after.name, after.vmx_path) == ("renamed", vm.vmx_path)
    world.call(Folders.create, Folders.CreateSpec(name="Beside", parent=ids.FolderId(str(vm.parent))))
    with pytest.raises(AlreadyExists) as error:
        world.call(Machines.update, ids.VirtualMachineId(vm.id), NameSpec(name="Beside"))
    assert refused(error) == (400, "vmsg.DuplicateName.summary")


def test_a_vm_moves_to_a_folder_and_a_pool_at_once(world: World) -> None:
    vm, datacenter = machine(world), first(world, Datacenter)
    folder = world.call(Folders.create, Folders.CreateSpec(name="To", parent=datacenter.vm_folder))
    pool = make_pool(world, "To", first(world, Cluster).resource_pool)
    move_vm(world, vm, folder, pool)
    after = found(world, VirtualMachine, vm.id)
    assert (after.parent, after.resource_pool, after.host) == (folder, pool, vm.host)


def test_places_that_a_vm_cannot_go_to(world: World) -> None:
    vm = machine(world)
    alone = found(world, Host, add_host(world)).resource_pool
    places: tuple[tuple[dict[str, str | None], str], ...] = (
        ({}, "resphere.vm.move.nothing_given"),
        ({"pool": alone}, "resphere.vm.move.other_owner"),
        ({"folder": first(world, Datacenter).host_folder}, "resphere.inventory.folder_type"),
    )
    for place, id in places:
        with pytest.raises(InvalidArgument) as error:
            move_vm(world, vm, **place)
        assert refused(error) == (400, id)
    template = world.change(vm, template=True)
    with pytest.raises(InvalidArgument) as error:
        move_vm(world, template, pool=first(world, Cluster).resource_pool)
    assert refused(error) == (400, "resphere.vm.move.template")


def test_a_datacenter_is_renamed_and_moved(world: World) -> None:
    datacenter = ids.DatacenterId(first(world, Datacenter).id)
    folder = world.call(Folders.create, Folders.CreateSpec(name="Europe", parent=ids.FolderId(ROOT_FOLDER)))
    world.call(Datacenters.update, datacenter, NameSpec(name="Berlin"))
    world.call(Datacenters.move, datacenter, FolderSpec(folder=folder))
    after = found(world, Datacenter, datacenter)
    assert (after.name, after.parent) == ("Berlin", folder)
    world.call(vcenter.Datacenter.create, vcenter.Datacenter.CreateSpec(name="Paris", folder=folder))
    with pytest.raises(AlreadyExists) as taken:
        world.call(Datacenters.update, datacenter, NameSpec(name="Paris"))
    assert refused(taken) == (400, "vmsg.DuplicateName.summary")
    with pytest.raises(InvalidArgument) as wrong:
        world.call(Datacenters.move, datacenter, FolderSpec(folder=after.vm_folder))
    assert refused(wrong) == (400, "resphere.inventory.folder_type")


def test_a_pool_moves_with_what_is_in_it(world: World) -> None:
    root = first(world, Cluster).resource_pool
    outer, other = make_pool(world, "Outer", root), make_pool(world, "Other", root)
    inner = make_pool(world, "Inner", outer, reservation=100)
    move_pool(world, outer, other)
    assert found(world, ResourcePool, outer).parent == other
    for pool, parent, id in (
        (root, other, "resphere.resource_pool.move.root"),
        (other, inner, "resphere.resource_pool.move.below"),
        (other, found(world, Cluster, add_cluster(world)).resource_pool, "resphere.resource_pool.move.other_owner"),
    ):
        with pytest.raises(InvalidArgument) as error:
            move_pool(world, pool, parent)
        assert refused(error) == (400, id)


def test_a_pool_needs_room_for_its_reservation(world: World) -> None:
    root = first(world, Cluster).resource_pool
    fixed = make_pool(world, "Fixed", root, reservation=500, expandable=False)
    little, much = make_pool(world, "Little", root, reservation=400), make_pool(world, "Much", root, reservation=200)
    move_pool(world, little, fixed)
    with pytest.raises(UnableToAllocateResource) as error:
        move_pool(world, much, fixed)
    assert refused(error) == (500, "resphere.resource_pool.no_room")
    assert "has 100 MHz for a reservation of 200 MHz" in error.value.messages[0].default_message
    make_pool(world, "Much", fixed)
    with pytest.raises(AlreadyExists):
        move_pool(world, much, fixed)


def test_two_moves_of_pools_at_once_make_no_ring(world: World) -> None:
    root = first(world, Cluster).resource_pool
    one, two = make_pool(world, "One", root), make_pool(world, "Two", root)

    async def both() -> list[object]:
        moves = (
            world.begin(PoolMoves.move, one, PoolMoves.MoveSpec(parent=two)),
            world.begin(PoolMoves.move, two, PoolMoves.MoveSpec(parent=one)),
        )
        return list(await asyncio.gather(*moves, return_exceptions=True))

    assert sorted(type(outcome).__name__ for outcome in world.run(both())) == ["InvalidArgument", "NoneType"]
