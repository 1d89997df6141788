"""Where the files of VMs lie, and how much room their disks take."""

from __future__ import annotations

from collections.abc import Iterable

from resphere.inventory.model import ManagedObject
from resphere.inventory.space import files_among


def datastore_name(path: str) -> str | None:
    """The name between the brackets of `[datastore] folder/file`, None where the path is not of that form.

    A datastore's name may hold brackets itself: the last `] ` ends it.
    """
    end = path.rfind("] ")
    return path[1:end] if path.startswith("[") and end > 1 else None


def disk_bytes(objects: Iterable[ManagedObject]) -> dict[str, int]:
    """The capacity of all VMDK files on each datastore, by id. Files elsewhere are passed over."""
    return dict(files_among(objects).used)
