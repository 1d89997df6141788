"""Hosts that join clusters and leave them."""

from __future__ import annotations

import pytest

from resphere.contract.errors import InvalidArgument, NotAllowedInCurrentState, Unsupported
from resphere.contract.extensions.folders import Folders
from resphere.contract.extensions.inventory_specs import NameSpec
from resphere.contract.extensions.moves import HostMoves
from resphere.contract.generated import ids, vcenter
from resphere.inventory.model import ROOT_FOLDER, Cluster, Datacenter, Host, ResourcePool, VirtualMachine
from tests.services.vcenter.building import add_cluster, add_host, first, found, move_host, refused
from tests.support.world import World


def test_a_standalone_host_joins_a_cluster(world: World) -> None:
    host, cluster = add_host(world), add_cluster(world)
    root = found(world, Host, host).resource_pool
    assert root is not None
    pool = world.call(vcenter.ResourcePool.create, vcenter.ResourcePool.CreateSpec(name="Own", parent=root))
    move_host(world, host, cluster=cluster)
    moved = found(world, Host, host)
    assert (moved.parent, moved.resource_pool) == (cluster, None)
    assert not {root, pool} & world.inventory.all(ResourcePool).keys()
    move_host(world, host, cluster=cluster)
    assert found(world, Host, host) == moved


def test_a_host_leaves_its_cluster_in_maintenance_only(world: World) -> None:
    folder = first(world, Datacenter).host_folder
    host = found(world, Host, first(world, VirtualMachine).host)
    with pytest.raises(NotAllowedInCurrentState) as error:
        move_host(world, host.id, folder=folder)
    assert refused(error) == (400, "resphere.host.move.not_in_maintenance")
    vms = world.inventory.by(VirtualMachine, "host", host.id)
    for vm in vms.values():
        world.change(vm, power_state="POWERED_OFF", guest=None)
    world.change(host, in_maintenance_mode=True)
    move_host(world, host.id, folder=folder)
    alone = found(world, Host, host.id)
    assert (alone.parent, found(world, ResourcePool, alone.resource_pool or "").owner) == (folder, host.id)
    assert {vm.resource_pool for vm in world.inventory.by(VirtualMachine, "host", host.id).values()} == {
        alone.resource_pool
    }
    move_host(world, host.id, cluster=first(world, Cluster).id)
    back = world.inventory.by(VirtualMachine, "host", host.id).values()
    assert {vm.resource_pool for vm in back} == {first(world, Cluster).resource_pool}


def test_a_standalone_host_goes_from_folder_to_folder(world: World) -> None:
    host = add_host(world)
    before = found(world, Host, host)
    rack = world.call(Folders.create, Folders.CreateSpec(name="Rack", parent=first(world, Datacenter).host_folder))
    move_host(world, host, folder=rack)
    after = found(world, Host, host)
    assert (after.parent, after.resource_pool) == (rack, before.resource_pool)


def test_places_that_a_host_cannot_go_to(world: World) -> None:
    host = add_host(world)
    elsewhere = world.call(
        vcenter.Datacenter.create, vcenter.Datacenter.CreateSpec(name="Elsewhere", folder=ids.FolderId(ROOT_FOLDER))
    )
    other = world.call(vcenter.Datacenter.get, elsewhere).host_folder
    with pytest.raises(InvalidArgument) as none:
        move_host(world, host)
    assert refused(none) == (400, "resphere.host.move.destination")
    with pytest.raises(InvalidArgument) as far:
        move_host(world, host, folder=other)
    assert refused(far) == (400, "resphere.inventory.other_datacenter")
    with pytest.raises(InvalidArgument) as wrong:
        move_host(world, host, folder=first(world, Datacenter).vm_folder)
    assert refused(wrong) == (400, "resphere.inventory.folder_type")


def test_a_host_keeps_its_name(world: World) -> None:
    with pytest.raises(Unsupported) as error:
        world.call(HostMoves.update, ids.HostSystemId(first(world, Host).id), NameSpec(name="other"))
    assert refused(error) == (400, "resphere.host.rename")
