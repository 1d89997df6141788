"""What disks hold as machines come, change and go: a content goes with its file. Pure."""

from __future__ import annotations

from typing import TypeVar

from msgspec.structs import replace

from resphere.inventory.contents import DiskContent
from resphere.inventory.model import DatastoreFile, ManagedObject, Snapshot, UnregisteredVm, VirtualMachine
from resphere.replica.replica import Replica
from resphere.rules.files import contents_by_path, disk_files, file_at, store_of

M = TypeVar("M", bound=ManagedObject)


def with_contents(inventory: Replica, before: VirtualMachine | None, after: VirtualMachine) -> VirtualMachine:
    """``after``, which ``before`` becomes, with what the files of its disks hold.

    A file that the VM had holds what it did, one that was a disk of none what it was left with. Of a machine that comes
    to be, a new file holds what ``after`` says; of one that changes, nothing.
    """
    own = disk_files(before) if before is not None else {}
    had = contents_by_path(before) if before is not None else {}
    made = {}
    for key, disk in after.disks.items():
        path = disk.backing.vmdk_file
        content = had.get(path) if path is not None else None
        if content is None and path is not None and path not in own:
            content = _left(inventory, after, path) or (after.disk_contents.get(key) if before is None else None)
        if content is not None:
            made[key] = content
    return after if made == after.disk_contents else replace(after, disk_contents=made)


def emptied(obj: M) -> M:
    """The object with empty disks: as it is told where no bytes go along."""
    match obj:
        case VirtualMachine() if obj.disk_contents:
            return replace(obj, disk_contents={})
        case DatastoreFile() if obj.content is not None:
            return replace(obj, content=None)
        case Snapshot() if obj.state.disk_contents:
            return replace(obj, state=emptied(obj.state))
        case UnregisteredVm():
            machine, snapshots = emptied(obj.machine), tuple([emptied(each) for each in obj.snapshots])
            return replace(obj, machine=machine, snapshots=snapshots)
        case _:
            return obj


def _left(inventory: Replica, vm: VirtualMachine, path: str) -> DiskContent | None:
    """What is in a file that is a disk of no VM."""
    store = store_of(inventory, vm, path)
    file = None if store is None else file_at(inventory, store.id, path)
    return None if file is None else file.content
