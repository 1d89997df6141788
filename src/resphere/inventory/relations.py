"""What follows from where objects stand: pure functions over the inventory.

Each costs what it returns: upward a few steps, downward one look into an index for each object found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from resphere.inventory.model import (
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
from resphere.replica.table import Lookup, Reading

PARENT_CLASSES: tuple[type[ManagedObject], ...] = (
    Folder,
    Datacenter,
    Cluster,
    Host,
    ResourcePool,
    VirtualMachine,
    Datastore,
)
CHILD_CLASSES: tuple[type[ManagedObject], ...] = (
    Folder,
    Datacenter,
    Cluster,
    Host,
    ResourcePool,
    Datastore,
    Network,
    VirtualMachine,
    Snapshot,
    DatastoreFile,
    UnregisteredVm,
)


def parent_of(inventory: Lookup, obj: ManagedObject) -> ManagedObject | None:
    """The object that holds ``obj``."""
    return None if obj.parent is None else first_with(inventory, PARENT_CLASSES, obj.parent)


def first_with(inventory: Lookup, kinds: Iterable[type[ManagedObject]], id: str) -> ManagedObject | None:
    """The object of that id, of the first of these kinds that has one."""
    for cls in kinds:
        found = inventory.get(cls, id)
        if found is not None:
            return found
    return None


def ancestors(inventory: Lookup, obj: ManagedObject) -> Iterator[ManagedObject]:
    """The objects above ``obj``, the nearest first, up to the root folder.

    Goes on forever in a ring: who moves an object below another relies on all ancestors of that.
    """
    current = parent_of(inventory, obj)
    while current is not None:
        yield current
        current = parent_of(inventory, current)


def children_of(inventory: Reading, parent: str) -> Iterator[ManagedObject]:
    """What the object with the id ``parent`` holds directly, of all kinds."""
    for cls in CHILD_CLASSES:
        yield from inventory.by(cls, "parent", parent).values()


def descendants(inventory: Reading, parent: str) -> Iterator[ManagedObject]:
    """Everything below the object with the id ``parent``; an object comes before what it holds."""
    for child in children_of(inventory, parent):
        yield child
        yield from descendants(inventory, child.id)


def datacenter_of(inventory: Lookup, obj: ManagedObject) -> Datacenter | None:
    """The datacenter that ``obj`` stands in; ``None`` for a datacenter itself."""
    return next((a for a in ancestors(inventory, obj) if isinstance(a, Datacenter)), None)


def folders_below(inventory: Reading, parent: str) -> list[Folder]:
    """All folders below the folder or datacenter with the id ``parent``, the higher ones first."""
    found = list(inventory.by(Folder, "parent", parent).values())
    for folder in found:
        found.extend(inventory.by(Folder, "parent", folder.id).values())
    return found


def folders_of_datacenter(inventory: Reading, datacenter_id: str) -> list[Folder]:
    """The datacenter's four folders and all below them."""
    return folders_below(inventory, datacenter_id)


def cluster_of_host(inventory: Reading, host: Host) -> Cluster | None:
    """The host's cluster, ``None`` for a standalone host."""
    return inventory.get(Cluster, host.parent) if host.parent else None


def cluster_of_vm(inventory: Reading, vm: VirtualMachine) -> Cluster | None:
    """The cluster that the VM runs in."""
    host = inventory.get(Host, vm.host)
    return cluster_of_host(inventory, host) if host else None


def hosts_of_cluster(inventory: Reading, cluster_id: str) -> list[Host]:
    """The cluster's hosts."""
    return list(inventory.by(Host, "parent", cluster_id).values())


def hosts_of_datastore(inventory: Reading, datastore_id: str) -> list[Host]:
    """The hosts that have mounted the datastore."""
    return list(inventory.by(Host, "datastore", datastore_id).values())


def hosts_of_network(inventory: Reading, network_id: str) -> list[Host]:
    """The hosts that are connected to the network."""
    return list(inventory.by(Host, "network", network_id).values())


def vms_of_host(inventory: Reading, host_id: str) -> list[VirtualMachine]:
    """The VMs registered on the host, running or not."""
    return list(inventory.by(VirtualMachine, "host", host_id).values())


def vms_of_datastore(inventory: Reading, datastore: Datastore) -> list[VirtualMachine]:
    """The VMs whose home or a disk stands on the datastore.

    A disk's path has the datastore's name, which others may have too: it means the one that the VM's host has mounted.
    """
    found = dict(inventory.by(VirtualMachine, "datastore", datastore.id))
    for vm in _vms_that_name(inventory, "disk_datastore_name", datastore):
        found[vm.id] = vm
    return list(found.values())


def vms_with_images_on(inventory: Reading, datastore: Datastore) -> Iterator[VirtualMachine]:
    """The VMs with an image of the datastore in a CD-ROM."""
    return _vms_that_name(inventory, "image_datastore_name", datastore)


def _vms_that_name(inventory: Reading, index: str, datastore: Datastore) -> Iterator[VirtualMachine]:
    for vm in inventory.by(VirtualMachine, index, datastore.name).values():
        host = inventory.get(Host, vm.host)
        if host is not None and datastore.id in host.datastores:
            yield vm
