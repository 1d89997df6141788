"""Where the files of VMs lie, and how much room their disks take."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from resphere.inventory.model import Datastore, Host, ManagedObject, VirtualMachine


def datastore_name(path: str) -> str | None:
    """The name between the brackets of `[datastore] folder/file`, None where the path is not of that form.

    A datastore's name may hold brackets itself: the last `] ` ends it.
    """
    end = path.rfind("] ")
    return path[1:end] if path.startswith("[") and end > 1 else None


def mounted_by_name(objects: Iterable[ManagedObject]) -> dict[str, dict[str, Datastore]]:
    """For each host, by id, the datastores it has mounted, by name: what a path means depends on the host."""
    objects = tuple(objects)
    datastores = {item.id: item for item in objects if isinstance(item, Datastore)}
    return {
        host.id: {datastores[id].name: datastores[id] for id in host.datastores if id in datastores}
        for host in objects
        if isinstance(host, Host)
    }


def disk_bytes(topology: Iterable[ManagedObject], machines: Iterable[ManagedObject]) -> dict[str, int]:
    """The capacity of all disks of VMs on each datastore, by id. Disks elsewhere are passed over."""
    mounted = mounted_by_name(topology)
    used: defaultdict[str, int] = defaultdict(int)
    for vm in machines:
        if not isinstance(vm, VirtualMachine):
            continue
        stores = mounted.get(vm.host, {})
        for disk in vm.disks.values():
            store = stores.get(datastore_name(disk.backing.vmdk_file or "") or "")
            if store is not None:
                used[store.id] += disk.capacity or 0
    return used
