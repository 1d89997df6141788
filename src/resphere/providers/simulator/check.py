"""Whether an inventory holds together: ids, names, references, and what stands where."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import msgspec

from resphere.contract.generated.vcenter import Folder as ApiFolder
from resphere.contract.generated.vcenter import Network as ApiNetwork
from resphere.contract.generated.vcenter_vm import Power
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
from resphere.providers.simulator.check_devices import Fault, device_faults, union_faults
from resphere.providers.simulator.space import datastore_name

T = TypeVar("T", bound=ManagedObject)

MAX_NAME_LENGTH = 80
_MAX_VLAN = 4095

FOLDER_LETTERS = {
    ApiFolder.Type.DATACENTER: "d",
    ApiFolder.Type.VIRTUAL_MACHINE: "v",
    ApiFolder.Type.HOST: "h",
    ApiFolder.Type.DATASTORE: "s",
    ApiFolder.Type.NETWORK: "n",
}
"""What comes before the number in the id of a folder of each type: `group-v3`."""

KIND_WORDS = {cls: cls.kind.replace("_", " ") for cls in KINDS.values()}
"""Each kind of object in words: `virtual machine`."""


class Finding(msgspec.Struct, frozen=True):
    """A problem: the place of the object in what was checked, the path of a field in it, what is wrong."""

    position: int
    field: str
    message: str


def problems(objects: Sequence[ManagedObject]) -> list[str]:
    """All problems, one line each, such as `vm-57 (db-001): host: host-9 does not exist`; none if all is sound."""
    return [
        f"{objects[finding.position].id} ({objects[finding.position].name}): {finding.field}: {finding.message}"
        for finding in findings(objects)
    ]


def findings(objects: Sequence[ManagedObject]) -> Iterator[Finding]:
    """All problems of an inventory, with their places.

    Each is told once and where it is: what follows from a problem (a VM in a folder that does not exist has no
    datacenter) is not told again.
    """
    inventory = _Inventory(objects)
    for faults in (_ids, _names, _tree):
        yield from faults(inventory)
    unique = _Unique()
    for position, item in enumerate(objects):
        for field, message in (*_RULES[type(item)](inventory, item), *unique.faults(item)):
            yield Finding(position, field, message)


class _Inventory:
    """The objects by id, and what follows from their parents."""

    def __init__(self, objects: Sequence[ManagedObject]) -> None:
        self.objects = objects
        self.by_id: dict[str, ManagedObject] = {}
        for item in objects:
            self.by_id.setdefault(item.id, item)
        self._datacenters: dict[str, str | None] = {}

    def get(self, kind: type[T], identifier: str | None) -> T | None:
        """The object of that kind and id, if it exists."""
        found = self.by_id.get(identifier) if identifier is not None else None
        return found if isinstance(found, kind) else None

    def reference(self, field: str, identifier: str, *kinds: type[ManagedObject]) -> Iterator[Fault]:
        """A fault if `identifier` is not an object of one of `kinds`."""
        found = self.by_id.get(identifier)
        wanted = " or ".join(KIND_WORDS[kind] for kind in kinds)
        if found is None:
            yield field, f"{identifier} does not exist; it must be the id of a {wanted}"
        elif not isinstance(found, kinds):
            yield field, f"{identifier} is a {KIND_WORDS[type(found)]}, and must be a {wanted}"

    def datacenter(self, identifier: str | None) -> str | None:
        """The id of the datacenter that an object stands in, None above datacenters and where the tree is broken."""
        way: list[str] = []
        found: str | None = None
        while identifier is not None and identifier not in way:
            if identifier in self._datacenters:
                found = self._datacenters[identifier]
                break
            way.append(identifier)
            item = self.by_id.get(identifier)
            if isinstance(item, Datacenter):
                found = item.id
                break
            identifier = item.parent if item is not None else None
        self._datacenters.update(dict.fromkeys(way, found))
        return found

    def elsewhere(self, field: str, item: ManagedObject, other: str) -> Iterator[Fault]:
        """A fault if `other` stands in another datacenter than `item`."""
        here, there = self.datacenter(item.id), self.datacenter(other)
        if here is not None and there is not None and here != there:
            yield field, f"{other} belongs to {there}, and must belong to the same datacenter ({here})"


class _Unique:
    """What may stand once only in the whole inventory."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], str] = {}

    def faults(self, item: ManagedObject) -> Iterator[Fault]:
        for kind, field, value in self._values(item):
            first = self._seen.setdefault((kind, value.lower()), item.id)
            if first != item.id:
                yield field, f"the {kind} {value} is taken by {first}"

    @staticmethod
    def _values(item: ManagedObject) -> Iterator[tuple[str, str, str]]:
        if isinstance(item, VirtualMachine):
            yield "instance UUID", "instance_uuid", item.instance_uuid
            for key, nic in item.nics.items():
                if nic.mac_address is not None:
                    yield "MAC address", f"nics.{key}.mac_address", nic.mac_address
        elif isinstance(item, Host):
            yield "host UUID", "host_uuid", item.host_uuid
            yield "host name", "name", item.name


_DIGITS = r"[1-9][0-9]*"
_ID_PATTERNS: dict[type[ManagedObject], re.Pattern[str]] = {
    cls: re.compile(re.escape(cls.id_prefix) + _DIGITS) for cls in KINDS.values()
} | {
    Folder: re.compile(f"group-[dvhsn]{_DIGITS}"),
    Network: re.compile(f"(network|dvportgroup)-{_DIGITS}|network-o{_DIGITS}"),
}


def _ids(inventory: _Inventory) -> Iterator[Finding]:
    seen: dict[str, int] = {}
    for position, item in enumerate(inventory.objects):
        kind = type(item)
        if not _ID_PATTERNS[kind].fullmatch(item.id):
            prefix = _example_prefix(item)
            yield Finding(
                position, "id", f"must be {prefix} and a number, such as {prefix}{position + 1}, not {item.id}"
            )
        if item.id in seen:
            yield Finding(position, "id", f"{item.id} is the id of {inventory.objects[seen[item.id]].name} already")
        seen.setdefault(item.id, position)


def _example_prefix(item: ManagedObject) -> str:
    if isinstance(item, Folder):
        return f"group-{FOLDER_LETTERS[item.type]}"
    if isinstance(item, Network) and item.type is ApiNetwork.Type.DISTRIBUTED_PORTGROUP:
        return "dvportgroup-"
    return item.id_prefix


def _names(inventory: _Inventory) -> Iterator[Finding]:
    """Names of one kind are unique in their parent, names of datastores in their datacenter; snapshots may repeat."""
    seen: dict[tuple[str | None, str, str], str] = {}
    for position, item in enumerate(inventory.objects):
        if not 0 < len(item.name) <= MAX_NAME_LENGTH:
            yield Finding(position, "name", f"must have 1 to {MAX_NAME_LENGTH} characters, and has {len(item.name)}")
        if isinstance(item, Snapshot):
            continue
        within = item.parent
        if isinstance(item, Datastore):
            within = inventory.datacenter(item.id) or item.parent
        first = seen.setdefault((within, item.kind, item.name), item.id)
        if first != item.id:
            yield Finding(position, "name", f"{first} in {within} is named {item.name} already")


def _tree(inventory: _Inventory) -> Iterator[Finding]:
    """There is one root, and every way up leads to it."""
    if inventory.get(Folder, ROOT_FOLDER) is None and inventory.objects:
        yield Finding(0, "parent", f"the inventory has no root folder: a folder with the id {ROOT_FOLDER}")
    done: set[str] = set()
    for position, item in enumerate(inventory.objects):
        way: list[str] = []
        current: ManagedObject | None = item
        while current is not None and current.id not in done:
            if current.id in way:
                cycle = [*way[way.index(current.id) :], current.id]
                yield Finding(position, "parent", f"goes round in a circle: {' -> '.join(cycle)}")
                break
            way.append(current.id)
            current = inventory.by_id.get(current.parent) if current.parent is not None else None
        done.update(way)


def _folder(inventory: _Inventory, item: Folder) -> Iterator[Fault]:
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


def _in_folder(inventory: _Inventory, item: ManagedObject, type: ApiFolder.Type) -> Iterator[Fault]:
    """`item.parent` is a folder of that type."""
    if item.parent is None:
        yield "parent", f"must be set: the id of a folder of type {type}"
        return
    yield from inventory.reference("parent", item.parent, Folder)
    folder = inventory.get(Folder, item.parent)
    if folder is not None and folder.type is not type:
        yield "parent", f"{folder.id} is a folder of type {folder.type}, and must be of type {type}"


def _datacenter(inventory: _Inventory, item: Datacenter) -> Iterator[Fault]:
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


def _root_pool(inventory: _Inventory, item: ManagedObject, identifier: str) -> Iterator[Fault]:
    yield from inventory.reference("resource_pool", identifier, ResourcePool)
    pool = inventory.get(ResourcePool, identifier)
    if pool is not None and pool.parent != item.id:
        yield "resource_pool", f"the parent of the root pool {identifier} must be {item.id}, and is {pool.parent}"


def _cluster(inventory: _Inventory, item: Cluster) -> Iterator[Fault]:
    yield from _in_folder(inventory, item, ApiFolder.Type.HOST)
    yield from _root_pool(inventory, item, item.resource_pool)


def _host(inventory: _Inventory, item: Host) -> Iterator[Fault]:
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


def _resource_pool(inventory: _Inventory, item: ResourcePool) -> Iterator[Fault]:
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


def _datastore(inventory: _Inventory, item: Datastore) -> Iterator[Fault]:
    yield from _in_folder(inventory, item, ApiFolder.Type.DATASTORE)
    if not 0 <= item.free_space <= item.capacity:
        yield "free_space", f"must be from 0 to the capacity, {item.capacity}, not {item.free_space}"


def _network(inventory: _Inventory, item: Network) -> Iterator[Fault]:
    yield from _in_folder(inventory, item, ApiFolder.Type.NETWORK)
    if not 0 <= item.vlan <= _MAX_VLAN:
        yield "vlan", f"must be from 0 to {_MAX_VLAN}, not {item.vlan}"
    distributed = item.type is ApiNetwork.Type.DISTRIBUTED_PORTGROUP
    for field in ("distributed_switch", "distributed_switch_uuid"):
        if (getattr(item, field) is not None) != distributed:
            must = "must be set" if distributed else "must not be set"
            yield field, f"{must} where type is {item.type}"
    if item.id.startswith("dvportgroup-") != distributed:
        yield "id", f"must begin with {_example_prefix(item)} where type is {item.type}, {item.id} does not"


def _virtual_machine(inventory: _Inventory, item: VirtualMachine) -> Iterator[Fault]:
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


def _on_host(inventory: _Inventory, item: VirtualMachine, host: Host) -> Iterator[Fault]:
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
        if name is None:
            yield field, f"must be a path such as [datastore] folder/file, not {path}"
        elif name not in mounted:
            yield field, f"{host.id} has mounted no datastore named {name}"


def _files(item: VirtualMachine) -> Iterator[tuple[str, str]]:
    yield "vmx_path", item.vmx_path
    for key, disk in item.disks.items():
        if disk.backing.vmdk_file is not None:
            yield f"disks.{key}.backing.vmdk_file", disk.backing.vmdk_file
    for number, cdrom in item.cdroms.items():
        if cdrom.backing.iso_file is not None:
            yield f"cdroms.{number}.backing.iso_file", cdrom.backing.iso_file


def _snapshot(inventory: _Inventory, item: Snapshot) -> Iterator[Fault]:
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


def _checked(kind: type[T], rule: Callable[[_Inventory, T], Iterable[Fault]]) -> _Rule:
    def checked(inventory: _Inventory, item: ManagedObject) -> Iterable[Fault]:
        assert isinstance(item, kind)
        return rule(inventory, item)

    return checked


_Rule = Callable[[_Inventory, ManagedObject], Iterable[Fault]]

_RULES: dict[type[ManagedObject], _Rule] = {
    Folder: _checked(Folder, _folder),
    Datacenter: _checked(Datacenter, _datacenter),
    Cluster: _checked(Cluster, _cluster),
    Host: _checked(Host, _host),
    ResourcePool: _checked(ResourcePool, _resource_pool),
    Datastore: _checked(Datastore, _datastore),
    Network: _checked(Network, _network),
    VirtualMachine: _checked(VirtualMachine, _virtual_machine),
    Snapshot: _checked(Snapshot, _snapshot),
}
