"""What is deleted while somebody puts something into it or onto it: nothing is left that refers to what is gone.

Two workers on one store; one of them finishes between the plan of the other's change and its commit.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from resphere.contract.extensions.clusters import Clusters
from resphere.contract.extensions.datastores import Datastores
from resphere.contract.extensions.folders import Folders
from resphere.contract.extensions.moves import Machines
from resphere.contract.extensions.networks import Networks
from resphere.contract.generated import ids, vcenter, vcenter_vm
from resphere.contract.generated.vcenter_vm_hardware import Cdrom, Disk, Ethernet
from resphere.contract.model import AnyOperation
from resphere.inventory.model import Cluster, Datacenter, Host, VirtualMachine
from tests.services.vcenter.building import first
from tests.support.racing import Work, check, race, two_worlds
from tests.support.world import World

VM = vcenter.VM
GIB = 1 << 30


class Scene(msgspec.Struct, frozen=True):
    """What may be deleted, and who uses it."""

    datacenter: ids.DatacenterId
    folder: ids.FolderId
    cluster: ids.ClusterComputeResourceId
    pool: ids.ResourcePoolId
    network: ids.NetworkId
    datastore: ids.DatastoreId
    host: ids.HostSystemId
    vm: ids.VirtualMachineId

    def create(self, world: World) -> Coroutine[Any, Any, Any]:
        """A VM in the folder and pool, on the datastore and the network."""
        placement = VM.PlacementSpec(
            folder=self.folder, resource_pool=self.pool, datastore=self.datastore, host=self.host
        )
        nic = Ethernet.CreateSpec(backing=self.backing)
        guest = vcenter_vm.GuestOS.DEBIAN_11_64
        return world.begin(VM.create, VM.CreateSpec(guest_OS=guest, name="late", placement=placement, nics=(nic,)))

    def clone(self, world: World) -> Coroutine[Any, Any, Any]:
        """A copy there."""
        placement = VM.ClonePlacementSpec(
            folder=self.folder, resource_pool=self.pool, datastore=self.datastore, host=self.host
        )
        return world.begin(VM.clone, VM.CloneSpec(source=self.vm, name="late", placement=placement))

    def relocate(self, world: World) -> Coroutine[Any, Any, Any]:
        """Everything of the VM there."""
        placement = VM.RelocatePlacementSpec(
            folder=self.folder, resource_pool=self.pool, datastore=self.datastore, host=self.host
        )
        return world.begin(VM.relocate, self.vm, VM.RelocateSpec(placement=placement))

    def move(self, world: World) -> Coroutine[Any, Any, Any]:
        """The VM into the folder and pool."""
        return world.begin(Machines.move, self.vm, Machines.MoveSpec(folder=self.folder, resource_pool=self.pool))

    def add_nic(self, world: World) -> Coroutine[Any, Any, Any]:
        """An adapter on the network."""
        return world.begin(Ethernet.create, self.vm, Ethernet.CreateSpec(backing=self.backing))

    def insert_image(self, world: World) -> Coroutine[Any, Any, Any]:
        """An image of the datastore."""
        image = Cdrom.BackingSpec(type=Cdrom.BackingType.ISO_FILE, iso_file="[Doomed] debian.iso")
        return world.begin(Cdrom.create, self.vm, Cdrom.CreateSpec(backing=image))

    def add_disk(self, world: World) -> Coroutine[Any, Any, Any]:
        """A disk in the VM's home."""
        spec = Disk.CreateSpec(new_vmdk=Disk.VmdkCreateSpec(capacity=GIB))
        return world.begin(Disk.create, self.vm, spec)

    def make_folder(self, world: World) -> Coroutine[Any, Any, Any]:
        """A folder in the folder."""
        return world.begin(Folders.create, Folders.CreateSpec(name="late", parent=self.folder))

    def make_pool(self, world: World) -> Coroutine[Any, Any, Any]:
        """A pool in the pool."""
        return world.begin(vcenter.ResourcePool.create, vcenter.ResourcePool.CreateSpec(name="late", parent=self.pool))

    @property
    def backing(self) -> Ethernet.BackingSpec:
        """On the network."""
        return Ethernet.BackingSpec(type=Ethernet.BackingType.DISTRIBUTED_PORTGROUP, network=self.network)

    @property
    def hosts(self) -> frozenset[ids.HostSystemId]:
        """Those that reach the network and the datastore, where the VM may come to use them."""
        return frozenset([self.host])

    def delete(self, what: str) -> Work:
        """The deletion of one of them."""
        if what == "datacenter":
            return lambda world: world.begin(vcenter.Datacenter.delete, self.datacenter, True)
        if what == "connection":
            return lambda world: world.begin(Networks.disconnect, self.network, Networks.HostsSpec(hosts=self.hosts))
        if what == "mount":
            return lambda world: world.begin(Datastores.unmount, self.datastore, Datastores.HostsSpec(hosts=self.hosts))
        return lambda world: world.begin(DELETES[what], getattr(self, what))


DELETES: dict[str, AnyOperation] = {
    "folder": Folders.delete,
    "pool": vcenter.ResourcePool.delete,
    "network": Networks.delete,
    "datastore": Datastores.delete,
    "cluster": Clusters.delete,
}
USES: dict[str, tuple[Callable[[Scene, World], Coroutine[Any, Any, Any]], tuple[str, ...]]] = {
    "create": (Scene.create, ("folder", "pool", "network", "connection", "datastore", "mount", "datacenter")),
    "clone": (Scene.clone, ("folder", "pool", "datastore", "mount", "datacenter")),
    "relocate": (Scene.relocate, ("folder", "pool", "datastore", "mount", "datacenter")),
    "move": (Scene.move, ("folder", "pool", "datacenter")),
    "add_nic": (Scene.add_nic, ("network", "connection", "datacenter")),
    "insert_image": (Scene.insert_image, ("datastore", "mount", "datacenter")),
    "add_disk": (Scene.add_disk, ("datacenter",)),
    "make_folder": (Scene.make_folder, ("folder", "datacenter")),
    "make_pool": (Scene.make_pool, ("pool", "datacenter")),
}
PAIRS = [(use, what) for use, (_, deleted) in USES.items() for what in deleted]


def furnished(world: World) -> Scene:
    """The scene in the first datacenter."""
    datacenter, hosts = first(world, Datacenter), frozenset(map(ids.HostSystemId, world.inventory.all(Host)))
    root = first(world, Cluster).resource_pool
    host = next(host for host in world.inventory.all(Host).values() if host.parent == first(world, Cluster).id)
    vm = next(iter(world.inventory.by(VirtualMachine, "host", host.id).values()))
    store = Datastores.CreateSpec(
        name="Doomed",
        folder=datacenter.datastore_folder,
        type=vcenter.Datastore.Type.NFS,
        capacity=1 << 42,
        hosts=hosts,
        multiple_host_access=True,
    )
    group = Networks.CreateSpec(name="Doomed", folder=datacenter.network_folder, hosts=hosts)
    return Scene(
        datacenter=ids.DatacenterId(datacenter.id),
        folder=world.call(Folders.create, Folders.CreateSpec(name="Doomed", parent=datacenter.vm_folder)),
        cluster=ids.ClusterComputeResourceId(first(world, Cluster).id),
        pool=world.call(vcenter.ResourcePool.create, vcenter.ResourcePool.CreateSpec(name="Doomed", parent=root)),
        network=world.call(Networks.create, group),
        datastore=world.call(Datastores.create, store),
        host=ids.HostSystemId(host.id),
        vm=ids.VirtualMachineId(vm.id),
    )


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[tuple[World, World]]:
    """Two workers on one store."""
    with two_worlds(tmp_path) as both:
        yield both


@pytest.mark.parametrize(("use", "what"), PAIRS)
def test_it_is_used_while_it_is_being_deleted(worlds: tuple[World, World], use: str, what: str) -> None:
    scene = furnished(worlds[0])
    check(worlds, race(*worlds, scene.delete(what), lambda world: USES[use][0](scene, world)))


@pytest.mark.parametrize(("use", "what"), PAIRS)
def test_it_is_deleted_while_it_is_being_used(worlds: tuple[World, World], use: str, what: str) -> None:
    scene = furnished(worlds[0])
    check(worlds, race(*worlds, lambda world: USES[use][0](scene, world), scene.delete(what)))
