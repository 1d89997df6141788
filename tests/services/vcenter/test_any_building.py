"""Any way to build an inventory and take it down: whatever is asked for, in whatever order, it stays sound.

The operations may refuse, by an error that they declare. More examples: ``RESPHERE_BUILDING_EXAMPLES=200 make test
ARGS="tests/services/vcenter/test_any_building.py"``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from resphere.contract.extensions.clusters import Clusters
from resphere.contract.extensions.datastores import Datastores
from resphere.contract.extensions.folders import Folders
from resphere.contract.extensions.hosts import HostMaintenance
from resphere.contract.extensions.inventory_specs import FolderSpec, NameSpec
from resphere.contract.extensions.moves import Datacenters, HostMoves, Machines, PoolMoves
from resphere.contract.extensions.networks import Networks
from resphere.contract.extensions.storage_policies import StoragePolicies
from resphere.contract.generated import cis_tagging, vapi_std, vcenter, vcenter_vm
from resphere.contract.generated.vcenter_vm_hardware import Disk, Ethernet
from resphere.contract.generated.vcenter_vm_storage import Policy
from resphere.contract.model import AnyOperation, Secret
from resphere.inventory.model import (
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
from resphere.inventory.storage_policies import StoragePolicy
from resphere.inventory.tagging import Tag, type_of
from tests.support.examples import examples
from tests.support.histories import History

Api = vcenter
EXAMPLES = int(os.environ.get("RESPHERE_BUILDING_EXAMPLES", "16"))
STEPS = 40
MOST = 24
"""Objects of a kind, so that steps stay quick."""
PICK = st.integers(0, 1_000)
MAYBE = st.one_of(st.none(), PICK)
NAMES = st.sampled_from(["a", "b", "c"])
TAGGABLE = (Datacenter, Folder, Cluster, Host, ResourcePool, Datastore, Network, VirtualMachine)
MOVES: Mapping[type[ManagedObject], AnyOperation] = {
    Datacenter: Datacenters.move,
    Cluster: Clusters.move,
    Datastore: Datastores.move,
    Network: Networks.move,
}
RENAMES: Mapping[type[ManagedObject], tuple[AnyOperation, Callable[..., Any]]] = {
    Datacenter: (Datacenters.update, NameSpec),
    Folder: (Folders.update, Folders.UpdateSpec),
    Cluster: (Clusters.update, Clusters.UpdateSpec),
    Host: (HostMoves.update, NameSpec),
    ResourcePool: (Api.ResourcePool.update, Api.ResourcePool.UpdateSpec),
    Datastore: (Datastores.update, NameSpec),
    Network: (Networks.update, NameSpec),
    VirtualMachine: (Machines.update, NameSpec),
}
DELETES: Mapping[type[ManagedObject], AnyOperation] = {
    Folder: Folders.delete,
    Cluster: Clusters.delete,
    Host: Api.Host.delete,
    ResourcePool: Api.ResourcePool.delete,
    Datastore: Datastores.delete,
    Network: Networks.delete,
    VirtualMachine: Api.VM.delete,
}


class Building(History):
    """A small vCenter, and everything that changes what stands where."""

    def one(self, cls: type[Any], number: int | None) -> Any:
        """The id of one of the objects of a class; ``None`` for ``None``, one that is not where there is none."""
        if number is None:
            return None
        identities = list(self.world.inventory.all(cls))
        return identities[number % len(identities)] if identities else "none-1"

    def folder_of(self, type: Api.Folder.Type, number: int) -> Any:
        """The id of a folder of a type."""
        found = [each.id for each in self.world.inventory.all(Folder).values() if each.type is type]
        return found[number % len(found)] if found else "group-v0"

    def few(self, cls: type[ManagedObject]) -> bool:
        """Whether there is room for another."""
        return self.world.inventory.count(cls) < MOST

    # Making

    @precondition(lambda self: self.few(Datacenter))
    @rule(name=NAMES, folder=PICK)
    def make_datacenter(self, name: str, folder: int) -> None:
        spec = Api.Datacenter.CreateSpec(name=name, folder=self.folder_of(Api.Folder.Type.DATACENTER, folder))
        self.attempt(Api.Datacenter.create, spec)

    @precondition(lambda self: self.few(Folder))
    @rule(name=NAMES, parent=PICK)
    def make_folder(self, name: str, parent: int) -> None:
        self.attempt(Folders.create, Folders.CreateSpec(name=name, parent=self.one(Folder, parent)))

    @precondition(lambda self: self.few(Cluster))
    @rule(name=NAMES, folder=PICK, drs=st.booleans())
    def make_cluster(self, name: str, folder: int, drs: bool) -> None:
        where = self.folder_of(Api.Folder.Type.HOST, folder)
        self.attempt(Clusters.create, Clusters.CreateSpec(name=name, folder=where, drs_enabled=drs))

    @precondition(lambda self: self.few(Host))
    @rule(name=NAMES, folder=PICK)
    def add_host(self, name: str, folder: int) -> None:
        spec = Api.Host.CreateSpec(
            hostname=name,
            user_name="root",
            password=Secret("VMware1!"),
            thumbprint_verification=Api.Host.CreateSpec.ThumbprintVerification.NONE,
            folder=self.folder_of(Api.Folder.Type.HOST, folder),
        )
        self.attempt(Api.Host.create, spec)

    @precondition(lambda self: self.few(ResourcePool))
    @rule(name=NAMES, parent=PICK, reserved=st.sampled_from([0, 100, 1 << 40]))
    def make_pool(self, name: str, parent: int, reserved: int) -> None:
        allocation = Api.ResourcePool.ResourceAllocationCreateSpec(reservation=reserved)
        spec = Api.ResourcePool.CreateSpec(
            name=name, parent=self.one(ResourcePool, parent), cpu_allocation=allocation, memory_allocation=allocation
        )
        self.attempt(Api.ResourcePool.create, spec)

    @precondition(lambda self: self.few(Network))
    @rule(name=NAMES, folder=PICK, host=MAYBE)
    def make_port_group(self, name: str, folder: int, host: int | None) -> None:
        hosts = None if host is None else frozenset([self.one(Host, host)])
        where = self.folder_of(Api.Folder.Type.NETWORK, folder)
        self.attempt(Networks.create, Networks.CreateSpec(name=name, folder=where, hosts=hosts))

    @precondition(lambda self: self.few(Datastore))
    @rule(name=NAMES, folder=PICK, host=PICK, size=st.sampled_from([1 << 30, 1 << 42]), shared=st.booleans())
    def make_datastore(self, name: str, folder: int, host: int, size: int, shared: bool) -> None:
        spec = Datastores.CreateSpec(
            name=name,
            folder=self.folder_of(Api.Folder.Type.DATASTORE, folder),
            type=Api.Datastore.Type.NFS if shared else Api.Datastore.Type.VMFS,
            capacity=size,
            hosts=frozenset([self.one(Host, host)]),
            multiple_host_access=shared,
        )
        self.attempt(Datastores.create, spec)

    @precondition(lambda self: self.few(VirtualMachine))
    @rule(name=NAMES, folder=PICK, pool=PICK, host=MAYBE, datastore=MAYBE, network=MAYBE)
    def make_machine(
        self, name: str, folder: int, pool: int, host: int | None, datastore: int | None, network: int | None
    ) -> None:
        placement = Api.VM.PlacementSpec(
            folder=self.folder_of(Api.Folder.Type.VIRTUAL_MACHINE, folder),
            resource_pool=self.one(ResourcePool, pool),
            host=self.one(Host, host),
            datastore=self.one(Datastore, datastore),
        )
        nics = None if network is None else (Ethernet.CreateSpec(backing=self.backing(network)),)
        spec = Api.VM.CreateSpec(guest_OS=vcenter_vm.GuestOS.DEBIAN_11_64, name=name, placement=placement, nics=nics)
        self.attempt(Api.VM.create, spec)

    def backing(self, number: int) -> Ethernet.BackingSpec:
        """A backing by one of the networks."""
        network = self.world.inventory.get(Network, self.one(Network, number))
        types = {
            Api.Network.Type.DISTRIBUTED_PORTGROUP: Ethernet.BackingType.DISTRIBUTED_PORTGROUP,
            Api.Network.Type.OPAQUE_NETWORK: Ethernet.BackingType.OPAQUE_NETWORK,
        }
        kind = types.get(network.type) if network is not None else None
        return Ethernet.BackingSpec(
            type=kind or Ethernet.BackingType.STANDARD_PORTGROUP, network=self.one(Network, number)
        )

    # Changing

    @rule(kind=st.sampled_from(list(RENAMES)), number=PICK, name=NAMES)
    def rename(self, kind: type[ManagedObject], number: int, name: str) -> None:
        operation, spec = RENAMES[kind]
        self.attempt(operation, self.one(kind, number), spec(name=name))

    @rule(pool=PICK, reserved=st.sampled_from([0, 100, 1_000, 1 << 40]), expandable=st.booleans())
    def reserve(self, pool: int, reserved: int, expandable: bool) -> None:
        allocation = Api.ResourcePool.ResourceAllocationUpdateSpec(
            reservation=reserved, expandable_reservation=expandable
        )
        spec = Api.ResourcePool.UpdateSpec(cpu_allocation=allocation)
        self.attempt(Api.ResourcePool.update, self.one(ResourcePool, pool), spec)

    @rule(network=PICK, host=PICK, on=st.booleans())
    def connect_network(self, network: int, host: int, on: bool) -> None:
        spec = Networks.HostsSpec(hosts=frozenset([self.one(Host, host)]))
        self.attempt(Networks.connect if on else Networks.disconnect, self.one(Network, network), spec)

    @rule(datastore=PICK, host=PICK, on=st.booleans())
    def mount(self, datastore: int, host: int, on: bool) -> None:
        spec = Datastores.HostsSpec(hosts=frozenset([self.one(Host, host)]))
        self.attempt(Datastores.mount if on else Datastores.unmount, self.one(Datastore, datastore), spec)

    @rule(host=PICK, operation=st.sampled_from([Api.Host.connect, Api.Host.disconnect]))
    def host_connection(self, host: int, operation: AnyOperation) -> None:
        self.attempt(operation, self.one(Host, host))

    @rule(host=PICK, action=st.sampled_from(list(HostMaintenance.Action)), everything=st.booleans())
    def maintenance(self, host: int, action: HostMaintenance.Action, everything: bool) -> None:
        spec = HostMaintenance.Spec(action=action, evacuate_powered_off_vms=everything)
        self.attempt(HostMaintenance.set, self.one(Host, host), spec)

    @rule(vm=PICK, network=PICK)
    def add_nic(self, vm: int, network: int) -> None:
        spec = Ethernet.CreateSpec(backing=self.backing(network))
        self.attempt(Ethernet.create, self.one(VirtualMachine, vm), spec)

    @rule(vm=PICK)
    def add_disk(self, vm: int) -> None:
        spec = Disk.CreateSpec(new_vmdk=Disk.VmdkCreateSpec(capacity=1 << 29))
        self.attempt(Disk.create, self.one(VirtualMachine, vm), spec)

    @rule(vm=PICK, operation=st.sampled_from([vcenter_vm.Power.start, vcenter_vm.Power.stop]))
    def power(self, vm: int, operation: AnyOperation) -> None:
        self.attempt(operation, self.one(VirtualMachine, vm))

    # Moving

    @rule(kind=st.sampled_from(list(MOVES)), number=PICK, folder=PICK)
    def move_into_folder(self, kind: type[ManagedObject], number: int, folder: int) -> None:
        self.attempt(MOVES[kind], self.one(kind, number), FolderSpec(folder=self.one(Folder, folder)))

    @rule(folder=PICK, parent=PICK)
    def move_folder(self, folder: int, parent: int) -> None:
        self.attempt(Folders.move, self.one(Folder, folder), Folders.MoveSpec(parent=self.one(Folder, parent)))

    @rule(host=PICK, cluster=MAYBE, folder=MAYBE)
    def move_host(self, host: int, cluster: int | None, folder: int | None) -> None:
        where = None if folder is None else self.folder_of(Api.Folder.Type.HOST, folder)
        spec = HostMoves.MoveSpec(cluster=self.one(Cluster, cluster), folder=where)
        self.attempt(HostMoves.move, self.one(Host, host), spec)

    @rule(pool=PICK, parent=PICK)
    def move_pool(self, pool: int, parent: int) -> None:
        spec = PoolMoves.MoveSpec(parent=self.one(ResourcePool, parent))
        self.attempt(PoolMoves.move, self.one(ResourcePool, pool), spec)

    @rule(vm=PICK, folder=MAYBE, pool=MAYBE)
    def move_machine(self, vm: int, folder: int | None, pool: int | None) -> None:
        spec = Machines.MoveSpec(folder=self.one(Folder, folder), resource_pool=self.one(ResourcePool, pool))
        self.attempt(Machines.move, self.one(VirtualMachine, vm), spec)

    @rule(vm=PICK, host=MAYBE, datastore=MAYBE, pool=MAYBE)
    def relocate(self, vm: int, host: int | None, datastore: int | None, pool: int | None) -> None:
        placement = Api.VM.RelocatePlacementSpec(
            host=self.one(Host, host),
            datastore=self.one(Datastore, datastore),
            resource_pool=self.one(ResourcePool, pool),
        )
        self.attempt(Api.VM.relocate, self.one(VirtualMachine, vm), Api.VM.RelocateSpec(placement=placement))

    # Tags and policies

    @rule(kind=st.sampled_from(TAGGABLE), number=PICK, name=NAMES, tag=PICK)
    def tag(self, kind: type[ManagedObject], number: int, name: str, tag: int) -> None:
        """Make the tag, and attach one of those that are."""
        spec = cis_tagging.Tag.CreateSpec(name=name, description="", category_id=self.category)
        self.attempt(cis_tagging.Tag.create, spec)
        tagged = self.world.inventory.get(kind, self.one(kind, number))
        if tagged is not None:
            dynamic = vapi_std.DynamicID(type=type_of(tagged), id=tagged.id)
            self.attempt(cis_tagging.TagAssociation.attach, self.one(Tag, tag), dynamic)

    @rule(tag=PICK)
    def delete_tag(self, tag: int) -> None:
        self.attempt(cis_tagging.Tag.delete, self.one(Tag, tag))

    @rule(name=NAMES, tag=PICK)
    def make_policy(self, name: str, tag: int) -> None:
        spec = StoragePolicies.CreateSpec(name=name, tags=frozenset([self.one(Tag, tag)]))
        self.attempt(StoragePolicies.create, spec)

    @precondition(lambda self: self.world.inventory.count(VirtualMachine) > 0)
    @rule(vm=PICK, policy=PICK)
    def assign_policy(self, vm: int, policy: int) -> None:
        home = Policy.VmHomePolicySpec(
            type=Policy.VmHomePolicySpec.PolicyType.USE_SPECIFIED_POLICY, policy=self.one(StoragePolicy, policy)
        )
        self.attempt(Policy.update, self.one(VirtualMachine, vm), Policy.UpdateSpec(vm_home=home))

    @rule(policy=PICK)
    def delete_policy(self, policy: int) -> None:
        self.attempt(StoragePolicies.delete, self.one(StoragePolicy, policy))

    # Taking down

    @rule(kind=st.sampled_from(list(DELETES)), number=PICK)
    def delete(self, kind: type[ManagedObject], number: int) -> None:
        self.attempt(DELETES[kind], self.one(kind, number))

    @precondition(lambda self: self.world.inventory.count(Datacenter) > 1)
    @rule(number=PICK, force=st.sampled_from([False, False, False, True]))
    def delete_datacenter(self, number: int, force: bool) -> None:
        self.attempt(Api.Datacenter.delete, self.one(Datacenter, number), force)

    @rule(host=PICK)
    def remove_host(self, host: int) -> None:
        """Even from a cluster, of which nobody else can remove one."""
        id = self.one(Host, host)
        self.attempt(Api.Host.disconnect, id)
        self.attempt(Api.Host.delete, id)


TestBuilding = Building.TestCase
TestBuilding.settings = settings(
    max_examples=examples(EXAMPLES), stateful_step_count=STEPS, phases=(Phase.explicit, Phase.generate)
)
