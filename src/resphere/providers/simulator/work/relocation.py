"""The files of simulated virtual machines that move."""

from __future__ import annotations

from collections import defaultdict

import msgspec

from resphere.inventory.files import store_of
from resphere.inventory.model import VirtualMachine
from resphere.inventory.replica import Replica


def new_paths(before: VirtualMachine, after: VirtualMachine) -> dict[str, str]:
    """The paths of disks that changed: old -> new."""
    paths = {}
    for key, disk in before.disks.items():
        old, new = disk.backing.vmdk_file, after.disks[key].backing.vmdk_file
        if old is not None and new is not None and old != new:
            paths[old] = new
    return paths


def arriving(inventory: Replica, before: VirtualMachine, after: VirtualMachine) -> dict[str, int]:
    """What the move brings to each datastore, by id, in bytes."""
    paths = new_paths(before, after)
    found: defaultdict[str, int] = defaultdict(int)
    for key, disk in before.disks.items():
        path = after.disks[key].backing.vmdk_file
        if disk.backing.vmdk_file in paths and path is not None:
            store = store_of(inventory, after, path)
            assert store is not None  # the place was chosen to reach it
            found[store.id] += disk.capacity or 0
    return dict(found)


def followed(state: VirtualMachine, before: VirtualMachine, after: VirtualMachine) -> VirtualMachine:
    """What a snapshot holds, with the files where the VM's are now."""
    paths = new_paths(before, after)
    disks = {}
    for key, disk in state.disks.items():
        path = disk.backing.vmdk_file
        if path in paths:
            disk = msgspec.structs.replace(disk, backing=msgspec.structs.replace(disk.backing, vmdk_file=paths[path]))
        disks[key] = disk
    return msgspec.structs.replace(
        state,
        parent=after.parent,
        host=after.host,
        resource_pool=after.resource_pool,
        datastore=after.datastore,
        vmx_path=after.vmx_path,
        disks=disks,
    )
