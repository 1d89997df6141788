"""Objects by path and by id, and what they stand in."""

from __future__ import annotations

import pytest

from resphere.contract.errors import InvalidArgument, NotFound
from resphere.contract.extensions.folders import Folders
from resphere.contract.extensions.inventory_objects import InventoryObjects
from resphere.contract.generated import ids, vcenter_inventory
from resphere.contract.generated.vcenter import ResourcePool as Api
from resphere.inventory.model import (
    ROOT_FOLDER,
    Cluster,
    Datacenter,
    Datastore,
    Folder,
    Host,
    Network,
    ResourcePool,
    VirtualMachine,
)
from resphere.inventory.paths import IN_PATHS, path_of
from resphere.inventory.relations import cluster_of_host
from tests.services.vcenter.building import add_host, first, found, refused
from tests.support.world import World


def test_every_object_has_a_path_that_leads_to_it(world: World) -> None:
    add_host(world)
    for cls in IN_PATHS:
        assert world.inventory.all(cls)
        for obj in world.inventory.all(cls).values():
            found = world.call(InventoryObjects.find, path_of(world.inventory, obj))
            assert (found.object, found.type, found.name) == (obj.id, obj.resource_type, obj.name)


def test_a_slash_in_a_name(world: World) -> None:
    datacenter = first(world, Datacenter)
    made = world.call(Folders.create, Folders.CreateSpec(name="a/b", parent=datacenter.vm_folder))
    path = f"/{datacenter.name}/vm/a%2fb"
    assert world.call(InventoryObjects.get, made).path == path
    for written in (path, f"/{datacenter.name}/vm/a%2Fb", f"//{datacenter.name}/vm/a%2fb/"):
        assert world.call(InventoryObjects.find, written).object == made
    literal = world.call(Folders.create, Folders.CreateSpec(name="c%2fd", parent=datacenter.vm_folder))
    assert world.call(InventoryObjects.find, f"/{datacenter.name}/vm/c%2fd/").object == literal


def test_paths_that_lead_nowhere(world: World) -> None:
    datacenter = first(world, Datacenter)
    with pytest.raises(NotFound) as error:
        world.call(InventoryObjects.find, f"/{datacenter.name}/vm/nothing/below")
    assert refused(error) == (404, "resphere.inventory.no_path")
    assert (
        f"nothing is called nothing in /{datacenter.name}/vm ({datacenter.vm_folder})"
        in error.value.messages[0].default_message
    )
    with pytest.raises(InvalidArgument) as relative:
        world.call(InventoryObjects.find, datacenter.name)
    assert refused(relative) == (400, "resphere.inventory.path")
    with pytest.raises(NotFound) as unknown:
        world.call(InventoryObjects.get, "vm-9999")
    assert refused(unknown) == (404, "resphere.inventory.no_object")


def test_a_vm_with_all_that_it_stands_in(world: World) -> None:
    vm = first(world, VirtualMachine)
    info = world.call(InventoryObjects.get, vm.id)
    host = found(world, Host, vm.host)
    cluster = cluster_of_host(world.inventory, host)
    assert cluster is not None
    assert (info.type, info.host, info.cluster) == ("VirtualMachine", host.id, cluster.id)
    assert info.datacenter == first(world, Datacenter).id
    assert (info.ancestors[0].object, info.ancestors[-1].object) == (vm.parent, ROOT_FOLDER)
    assert [pool.resource_pool for pool in info.resource_pools] == [vm.resource_pool, cluster.resource_pool]


def test_the_root_folder(world: World) -> None:
    info = world.call(InventoryObjects.get, ROOT_FOLDER)
    assert (info.path, info.ancestors, info.datacenter, info.resource_pools) == ("/", (), None, ())
    assert world.call(InventoryObjects.find, "/").object == first(world, Folder).id == ROOT_FOLDER


def test_what_a_pool_can_really_use(world: World) -> None:
    root = first(world, Cluster).resource_pool

    def make(name: str, parent: str, reservation: int, limit: int, expandable: bool) -> ids.ResourcePoolId:
        cpu = Api.ResourceAllocationCreateSpec(reservation=reservation, limit=limit, expandable_reservation=expandable)
        return world.call(Api.create, Api.CreateSpec(name=name, parent=ids.ResourcePoolId(parent), cpu_allocation=cpu))

    outer = make("Outer", root, 1000, 2000, False)
    inner = make("Inner", outer, 300, -1, True)
    make("Beside", outer, 200, -1, True)
    pools = {pool.resource_pool: pool for pool in world.call(InventoryObjects.get, inner).resource_pools}
    assert list(pools) == [inner, outer, root]
    assert (pools[inner].cpu.effective_limit, pools[outer].cpu.effective_limit) == (2000, 2000)
    assert (pools[outer].cpu.reservation_used, pools[outer].cpu.reservation_available) == (500, 500)
    assert pools[inner].cpu.reservation_available == 300 + 500
    hosts = [host.hardware for host in world.inventory.all(Host).values() if host.resource_pool is None]
    assert pools[root].memory.effective_limit == sum(each.memory_size_MiB for each in hosts)
    assert found(world, ResourcePool, root).id == root


def test_find_tells_types(world: World) -> None:
    stores = tuple(ids.DatastoreId(id) for id in world.inventory.all(Datastore))
    assert world.call(vcenter_inventory.Datastore.find, stores) == {
        id: vcenter_inventory.Datastore.Info(type="Datastore") for id in stores
    }
    networks = tuple(ids.NetworkId(id) for id in world.inventory.all(Network))
    types = {id: info.type for id, info in world.call(vcenter_inventory.Network.find, networks).items() if info}
    assert types == {
        id: "DistributedVirtualPortgroup" if id.startswith("dvportgroup-") else "Network" for id in networks
    }
    with pytest.raises(NotFound) as store:
        world.call(vcenter_inventory.Datastore.find, (ids.DatastoreId("datastore-9999"),))
    assert refused(store) == (404, "com.vmware.api.vcenter.datastore.not_found")
    with pytest.raises(NotFound) as network:
        world.call(vcenter_inventory.Network.find, (ids.NetworkId("network-9999"),))
    assert refused(network) == (404, "com.vmware.api.vcenter.network.not_found")
