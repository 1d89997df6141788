"""What each kind of object must be: where it stands, what it refers to, which figures it may have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from resphere.contract.generated.vcenter import Folder as ApiFolder
from resphere.contract.generated.vcenter import Network as ApiNetwork
from resphere.contract.generated.vcenter_vm import Power
from resphere.inventory.model import (
    ROOT_FOLDER,
    Cluster,
    Datacenter,
    Datastore,
    DatastoreFile,
    Folder,
    Host,
    ManagedObject,
    Network,
    ResourcePool,
    Snapshot,
    UnregisteredVm,
    VirtualMachine,
)
from resphere.inventory.tables import ON_HOST, datastore_name, path_on_datastore
from resphere.rules.image_files import IMAGE_END
from resphere.rules.soundness.devices import Fault, device_faults, union_faults
from resphere.rules.soundness.index import FOLDER_LETTERS, Inventory, example_prefix

T = TypeVar("T", bound=ManagedObject)

_MAX_VLAN = 4095


def _folder(inventory: Inventory, item: Folder) -> Iterator[Fault]:
    if item.id == ROOT_FOLDER:
        if item.parent is not None:
            yield "parent", "must not be set in the root folder"
        if item.type is not ApiFolder.Type.DATACENTER:
            yield "type", f"must be DATACENTER in the root folder, not {item.type}"
        return
    if item.parent is None:
        yield "parent", "must be set: the id of a folder or datacenter"
        return
    yield from inventory.reference("parent", item.parent, Folder, Datacenter)
    folder = inventory.get(Folder, item.parent)
    if folder is not None and folder.type is not item.type:
        yield "type", f"must be that of the folder's parent {folder.id}, {folder.type}, not {item.type}"
    datacenter = inventory.get(Datacenter, item.parent)
    if datacenter is not None and item.id not in _own_folders(datacenter).values():
        yield "parent", f"{datacenter.id} has four folders, this is none of them: put it into one"
    letter = FOLDER_LETTERS[item.type]
    if not item.id.startswith(f"group-{letter}"):
        yield "id", f"must begin with group-{letter} where type is {item.type}, {item.id} does not"


def _own_folders(datacenter: Datacenter) -> dict[str, str]:
    return {
        "datastore_folder": datacenter.datastore_folder,
        "host_folder": datacenter.host_folder,
        "network_folder": datacenter.network_folder,
        "vm_folder": datacenter.vm_folder,
    }


_OWN_FOLDER_TYPES = {
    "datastore_folder": ApiFolder.Type.DATASTORE,
    "host_folder": ApiFolder.Type.HOST,
    "network_folder": ApiFolder.Type.NETWORK,
    "vm_folder": ApiFolder.Type.VIRTUAL_MACHINE,
}


def _in_folder(inventory: Inventory, item: ManagedObject, type: ApiFolder.Type) -> Iterator[Fault]:
    """`item.parent` is a folder of that type."""
    if item.parent is None:
        yield "parent", f"must be set: the id of a folder of type {type}"
        return
    yield from inventory.reference("parent", item.parent, Folder)
    folder = inventory.get(Folder, item.parent)
    if folder is not None and folder.type is not type:
        yield "parent", f"{folder.id} is a folder of type {folder.type}, and must be of type {type}"


def _datacenter(inventory: Inventory, item: Datacenter) -> Iterator[Fault]:
    yield from _in_folder(inventory, item, ApiFolder.Type.DATACENTER)
    for field, identifier in _own_folders(item).items():
        yield from inventory.reference(field, identifier, Folder)
        folder = inventory.get(Folder, identifier)
        if folder is None:
            continue
        if folder.parent != item.id:
            yield field, f"the parent of {identifier} must be {item.id}, and is {folder.parent}"
        if folder.type is not _OWN_FOLDER_TYPES[field]:
            yield field, f"{identifier} must be of type {_OWN_FOLDER_TYPES[field]}, and is of type {folder.type}"


def _root_pool(inventory: Inventory, item: ManagedObject, identifier: str) -> Iterator[Fault]:
    yield from inventory.reference("resource_pool", identifier, ResourcePool)
    pool = inventory.get(ResourcePool, identifier)
    if pool is not None and pool.parent != item.id:
        yield "resource_pool", f"the parent of the root pool {identifier} must be {item.id}, and is {pool.parent}"


def _cluster(inventory: Inventory, item: Cluster) -> Iterator[Fault]:
    yield from _in_folder(inventory, item, ApiFolder.Type.HOST)
    yield from _root_pool(inventory, item, item.resource_pool)


def _host(inventory: Inventory, item: Host) -> Iterator[Fault]:
    if inventory.get(Cluster, item.parent) is not None:
        if item.resource_pool is not None:
            yield "resource_pool", f"must not be set: the host belongs to {item.parent}, which has the root pool"
    elif inventory.get(Folder, item.parent) is not None:
        yield from _in_folder(inventory, item, ApiFolder.Type.HOST)
        if item.resource_pool is None:
            yield "resource_pool", "must be set in a standalone host: the id of its root pool"
        else:
            yield from _root_pool(inventory, item, item.resource_pool)
    elif item.parent is None:
        yield "parent", "must be set: the id of a cluster or, for a standalone host, of a folder"
    else:
        yield from inventory.reference("parent", item.parent, Cluster, Folder)
    kinds: tuple[tuple[str, type[ManagedObject], tuple[str, ...]], ...] = (
        ("datastores", Datastore, item.datastores),
        ("networks", Network, item.networks),
    )
    for field, kind, identifiers in kinds:
        for index, identifier in enumerate(identifiers):
            yield from inventory.reference(f"{field}[{index}]", identifier, kind)
            yield from inventory.elsewhere(f"{field}[{index}]", item, identifier)
            if identifier in identifiers[:index]:
                yield f"{field}[{index}]", f"{identifier} stands there twice"
            network = inventory.get(Network, identifier)
            if network is not None and network.uplink:
                yield (
                    f"{field}[{index}]",
                    f"{identifier} is a switch's uplink port group, which hosts have by its others",
                )


def _resource_pool(inventory: Inventory, item: ResourcePool) -> Iterator[Fault]:
    yield from inventory.reference("owner", item.owner, Cluster, Host)
    yield from union_faults("cpu_allocation.shares", item.cpu_allocation.shares)
    yield from union_faults("memory_allocation.shares", item.memory_allocation.shares)
    if item.parent is None:
        yield "parent", "must be set: the id of a resource pool, cluster or standalone host"
        return
    yield from inventory.reference("parent", item.parent, ResourcePool, Cluster, Host)
    above = inventory.get(ResourcePool, item.parent)
    if above is not None:
        if above.owner != item.owner:
            yield "owner", f"must be that of the parent {above.id}, {above.owner}, not {item.owner}"
        return
    if item.parent != item.owner:
        yield "owner", f"must be the parent of a root pool, {item.parent}, not {item.owner}"
    holder = inventory.get(Cluster, item.parent) or inventory.get(Host, item.parent)
    if holder is not None and holder.resource_pool != item.id:
        yield "parent", f"the root pool of {holder.id} is {holder.resource_pool}; other pools belong into it"


def _datastore(inventory: Inventory, item: Datastore) -> Iterator[Fault]:
    yield from _in_folder(inventory, item, ApiFolder.Type.DATASTORE)
    disks = inventory.disk_bytes.get(item.id, 0)
    if item.other_used < 0:
        yield "other_used", f"must not be negative, and is {item.other_used}"
    elif disks + item.other_used > item.capacity:
        taken = f"{disks} bytes of disks and {item.other_used} of other_used"
        yield "capacity", f"must be at least {disks + item.other_used} ({taken}), not {item.capacity}"


def _network(inventory: Inventory, item: Network) -> Iterator[Fault]:
    yield from _in_folder(inventory, item, ApiFolder.Type.NETWORK)
    if not 0 <= item.vlan <= _MAX_VLAN:
        yield "vlan", f"must be from 0 to {_MAX_VLAN}, not {item.vlan}"
    distributed = item.type is ApiNetwork.Type.DISTRIBUTED_PORTGROUP
    for field in ("distributed_switch", "distributed_switch_uuid"):
        if (getattr(item, field) is not None) != distributed:
            must = "must be set" if distributed else "must not be set"
            yield field, f"{must} where type is {item.type}"
    if item.uplink and not distributed:
        yield "uplink", f"must not be true where type is {item.type}"
    elif item.uplink and inventory.uplinks[item.distributed_switch] is not item:
        other = inventory.uplinks[item.distributed_switch]
        yield "uplink", f"{other.id} is the uplink port group of {item.distributed_switch} already"
    if item.id.startswith("dvportgroup-") != distributed:
        yield "id", f"must begin with {example_prefix(item)} where type is {item.type}, {item.id} does not"


def _virtual_machine(inventory: Inventory, item: VirtualMachine) -> Iterator[Fault]:
    yield from _in_folder(inventory, item, ApiFolder.Type.VIRTUAL_MACHINE)
    yield from inventory.reference("host", item.host, Host)
    yield from inventory.reference("resource_pool", item.resource_pool, ResourcePool)
    yield from inventory.reference("datastore", item.datastore, Datastore)
    if item.template and item.power_state is not Power.State.POWERED_OFF:
        yield "power_state", f"must be POWERED_OFF in a template, not {item.power_state}"
    host = inventory.get(Host, item.host)
    if host is not None:
        yield from inventory.elsewhere("host", item, host.id)
        yield from _on_host(inventory, item, host)
    if item.snapshot is not None:
        yield from inventory.reference("snapshot", item.snapshot, Snapshot)
        snapshot = inventory.get(Snapshot, item.snapshot)
        if snapshot is not None and snapshot.parent != item.id:
            yield "snapshot", f"{snapshot.id} is a snapshot of {snapshot.parent}"
    yield from device_faults(item)


def _on_host(inventory: Inventory, item: VirtualMachine, host: Host) -> Iterator[Fault]:
    """The VM's pool, datastores and networks are those of its host."""
    pool = inventory.get(ResourcePool, item.resource_pool)
    owner = host.id if host.resource_pool is not None else host.parent
    if pool is not None and pool.owner != owner:
        yield "resource_pool", f"{pool.id} belongs to {pool.owner}, and must belong to {owner}, where {host.id} is"
    if inventory.get(Datastore, item.datastore) is not None and item.datastore not in host.datastores:
        yield "datastore", f"{host.id} has not mounted {item.datastore}"
    for key, nic in item.nics.items():
        network = nic.backing.network
        if network is None:
            continue
        field = f"nics.{key}.backing.network"
        yield from inventory.reference(field, network, Network)
        if inventory.get(Network, network) is not None and network not in host.networks:
            yield field, f"{host.id} is not connected to {network}"
    mounted = {store.name for store in map(inventory.by_id.get, host.datastores) if store is not None}
    for field, path in _files(item):
        name = datastore_name(path)
        if not name:
            yield field, f"must be a path such as [datastore] folder/file, not {path}"
        elif name not in mounted:
            yield field, f"{host.id} has mounted no datastore named {name}"


def _files(item: VirtualMachine) -> Iterator[tuple[str, str]]:
    yield "vmx_path", item.vmx_path
    for key, disk in item.disks.items():
        if disk.backing.vmdk_file is not None:
            yield f"disks.{key}.backing.vmdk_file", disk.backing.vmdk_file
    for number, cdrom in item.cdroms.items():
        image = cdrom.backing.iso_file
        if image is not None and not image.startswith(ON_HOST):
            yield f"cdroms.{number}.backing.iso_file", image


def _snapshot(inventory: Inventory, item: Snapshot) -> Iterator[Fault]:
    if item.parent is None:
        yield "parent", "must be set: the id of a virtual machine"
    else:
        yield from inventory.reference("parent", item.parent, VirtualMachine)
    if item.state.id != item.parent:
        yield "state.id", f"must be that of the snapshot's virtual machine, {item.parent}, not {item.state.id}"
    if item.parent_snapshot is None:
        return
    yield from inventory.reference("parent_snapshot", item.parent_snapshot, Snapshot)
    above = inventory.get(Snapshot, item.parent_snapshot)
    if above is not None and above.parent != item.parent:
        yield "parent_snapshot", f"{above.id} is a snapshot of {above.parent}, and must be one of {item.parent}"
    way = {item.id}
    while above is not None:
        if above.id in way:
            yield "parent_snapshot", f"goes round in a circle at {above.id}"
            return
        way.add(above.id)
        above = inventory.get(Snapshot, above.parent_snapshot)


def _on_datastore(inventory: Inventory, item: ManagedObject) -> Iterator[Fault]:
    if item.parent is None:
        yield "parent", "must be set: the id of a datastore"
    else:
        yield from inventory.reference("parent", item.parent, Datastore)


def _datastore_file(inventory: Inventory, item: DatastoreFile) -> Iterator[Fault]:
    yield from _on_datastore(inventory, item)
    if not item.name.endswith((".vmdk", IMAGE_END)):
        yield "name", f"must be the path of a VMDK file or an image, such as folder/file.vmdk, not {item.name}"
    if item.capacity < 0:
        yield "capacity", f"must not be negative, and is {item.capacity}"


def _unregistered_vm(inventory: Inventory, item: UnregisteredVm) -> Iterator[Fault]:
    yield from _on_datastore(inventory, item)
    path = path_on_datastore(item.machine.vmx_path)
    if item.name != path:
        yield "name", f"must be the path of the machine's VMX file on the datastore, {path}, not {item.name}"
    for name, identifier in item.datastores.items():
        yield from inventory.reference(f"datastores.{name}", identifier, Datastore)
    yield from device_faults(item.machine)


def _checked(kind: type[T], rule: Callable[[Inventory, T], Iterable[Fault]]) -> _Rule:
    def checked(inventory: Inventory, item: ManagedObject) -> Iterable[Fault]:
        assert isinstance(item, kind)
        return rule(inventory, item)

    return checked


_Rule = Callable[[Inventory, ManagedObject], Iterable[Fault]]

RULES: dict[type[ManagedObject], _Rule] = {
    Folder: _checked(Folder, _folder),
    Datacenter: _checked(Datacenter, _datacenter),
    Cluster: _checked(Cluster, _cluster),
    Host: _checked(Host, _host),
    ResourcePool: _checked(ResourcePool, _resource_pool),
    Datastore: _checked(Datastore, _datastore),
    Network: _checked(Network, _network),
    VirtualMachine: _checked(VirtualMachine, _virtual_machine),
    Snapshot: _checked(Snapshot, _snapshot),
    DatastoreFile: _checked(DatastoreFile, _datastore_file),
    UnregisteredVm: _checked(UnregisteredVm, _unregistered_vm),
}
