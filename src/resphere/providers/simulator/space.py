"""Where the files of VMs lie, and how much room their disks take."""

from __future__ import annotations

from collections.abc import Iterable

from resphere.inventory.model import Datastore, Host, ManagedObject, Snapshot, VirtualMachine
from resphere.inventory.space import files_by_datastore


def datastore_name(path: str) -> str | None:
    """The name between the brackets of `[datastore] folder/file`, None where the path is not of that form.

    A datastore's name may hold brackets itself: the last `] ` ends it.
    """
    end = path.rfind("] ")
    return path[1:end] if path.startswith("[") and end > 1 else None


def disk_bytes(topology: Iterable[ManagedObject], machines: Iterable[ManagedObject]) -> dict[str, int]:
    """The capacity of all disks of VMs on each datastore, by id. Disks elsewhere are passed over."""
    topology, machines = tuple(topology), tuple(machines)
    files = files_by_datastore(
        (item for item in topology if isinstance(item, Host)),
        {item.id: item for item in topology if isinstance(item, Datastore)},
        (item for item in machines if isinstance(item, VirtualMachine)),
        (item for item in machines if isinstance(item, Snapshot)),
    )
    return {id: sum(sizes.values()) for id, sizes in files.items()}
