"""How much room there is on datastores.

What VMs' disks take follows from the VMs and is never stored: no two writers meet at a datastore.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from weakref import WeakKeyDictionary

from resphere.inventory.model import Datastore, Host, Snapshot, VirtualMachine
from resphere.inventory.replica import Replica
from resphere.inventory.tables import datastore_name


def files_of(vm: VirtualMachine) -> dict[str, int]:
    """The VMDK files of a VM, in and out of use: path -> capacity in bytes."""
    paths = {disk.backing.vmdk_file: disk.capacity or 0 for disk in vm.disks.values()}
    return {**vm.detached_vmdks, **{path: capacity for path, capacity in paths.items() if path is not None}}


def files_by_datastore(
    hosts: Iterable[Host],
    datastores: Mapping[str, Datastore],
    vms: Iterable[VirtualMachine],
    snapshots: Iterable[Snapshot] = (),
) -> dict[str, dict[str, int]]:
    """All VMDK files of VMs on each datastore, by its id: path -> capacity in bytes. Files elsewhere are passed over.

    A file counts once, however many VMs and snapshots hold it.
    """
    # A path means the datastore of that name that the VM's host has mounted; others may have that name elsewhere.
    mounted: dict[str, Mapping[str, str]] = {
        host.id: {datastores[id].name: id for id in host.datastores if id in datastores} for host in hosts
    }
    files: defaultdict[str, dict[str, int]] = defaultdict(dict)
    places: dict[str, Mapping[str, str]] = {}
    for vm in vms:
        stores = places[vm.id] = mounted.get(vm.host, {})
        for path, capacity in files_of(vm).items():
            store = stores.get(datastore_name(path))
            if store is not None:
                files[store][path] = capacity
    for snapshot in snapshots:
        # The files are where the VM is now; it may have gone to another host since.
        stores = places.get(snapshot.state.id, {})
        for path, capacity in files_of(snapshot.state).items():
            store = stores.get(datastore_name(path))
            if store is not None:
                files[store].setdefault(path, capacity)
    return dict(files)


_kept: WeakKeyDictionary[Replica, tuple[int, dict[str, dict[str, int]], dict[str, int]]] = WeakKeyDictionary()


def _counted(inventory: Replica) -> tuple[int, dict[str, dict[str, int]], dict[str, int]]:
    """The revision, and of each datastore the files and their sum: made once for each revision."""
    kept = _kept.get(inventory)
    if kept is None or kept[0] != inventory.revision:
        files = files_by_datastore(
            inventory.all(Host).values(),
            inventory.all(Datastore),
            inventory.all(VirtualMachine).values(),
            inventory.all(Snapshot).values(),
        )
        kept = _kept[inventory] = (inventory.revision, files, {id: sum(f.values()) for id, f in files.items()})
    return kept


def files_on(inventory: Replica, datastore_id: str) -> Mapping[str, int]:
    """The VMDK files on a datastore: path -> capacity in bytes."""
    return _counted(inventory)[1].get(datastore_id, {})


def used_in(inventory: Replica) -> Mapping[str, int]:
    """What VMDK files take on each datastore of the inventory, by id, in bytes."""
    return _counted(inventory)[2]


def free_space(inventory: Replica, datastore: Datastore) -> int:
    """What is left on the datastore, in bytes."""
    return max(0, datastore.capacity - datastore.other_used - used_in(inventory).get(datastore.id, 0))
