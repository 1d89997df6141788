"""The files of simulated virtual machines that move."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

import msgspec

from resphere.inventory.model import Datastore, Snapshot, VirtualMachine
from resphere.inventory.tables import path_on_datastore
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.rules.files import file_at, room_by_store, store_of
from resphere.rules.space import files_of, files_on, snapshot_room, unmerged_room


def new_paths(before: VirtualMachine, after: VirtualMachine) -> dict[str, str]:
    """The paths of disks that changed: old -> new."""
    paths = {}
    for key, disk in before.disks.items():
        old, new = disk.backing.vmdk_file, after.disks[key].backing.vmdk_file
        if old is not None and new is not None and old != new:
            paths[old] = new
    return paths


def kept_by_snapshots(
    inventory: Replica, snapshots: Iterable[Snapshot], before: VirtualMachine, after: VirtualMachine
) -> dict[str, str]:
    """The paths of disks that only snapshots hold, where the VM's home moves: old -> new, beside the new home.

    A file that is another VM's disk by now stays where it is.
    """
    home = inventory.get(Datastore, after.datastore)
    if home is None or before.datastore == after.datastore:
        return {}
    own = files_of(before).keys()
    held = {path for snapshot in snapshots for path in files_of(snapshot.state) if path not in own}
    taken = {path_on_datastore(path) for path in (*files_on(inventory, home.id), *files_of(after))}
    stem = path_on_datastore(after.vmx_path).removesuffix(".vmx")
    moving, number = {}, 0
    for path in sorted(held):
        store = store_of(inventory, before, path)
        if store is None or store.id == home.id or file_at(inventory, store.id, path) is None:
            continue
        while f"{stem}_{number}.vmdk" in taken:
            number += 1
        taken.add(f"{stem}_{number}.vmdk")
        moving[path] = f"[{home.name}] {stem}_{number}.vmdk"
    return moving


def carry(
    inventory: Replica, edit: Edit, before: VirtualMachine, after: VirtualMachine, kept: Mapping[str, str]
) -> int:
    """Move the files that only snapshots hold; returns what they take, in bytes."""
    size = 0
    for old, new in kept.items():
        store = store_of(inventory, before, old)
        file = file_at(inventory, store.id, old) if store is not None else None
        assert file is not None  # it was found in this very run
        edit.put(msgspec.structs.replace(file, name=path_on_datastore(new), parent=after.datastore))
        size += file.capacity
    return size


def arriving(inventory: Replica, before: VirtualMachine, after: VirtualMachine) -> defaultdict[str, int]:
    """What the VM's own disks bring to each datastore, by id, in bytes."""
    paths = new_paths(before, after)
    found: defaultdict[str, int] = defaultdict(int)
    for key, disk in before.disks.items():
        path = after.disks[key].backing.vmdk_file
        if disk.backing.vmdk_file in paths and path is not None:
            store = store_of(inventory, after, path)
            assert store is not None  # the place was chosen to reach it
            found[store.id] += disk.capacity or 0
    return found


Held = tuple[VirtualMachine, Iterable[Snapshot]]
"""A VM and its snapshots."""


def arriving_beside(inventory: Replica, before: Held, after: Held) -> Counter[str]:
    """What the files that snapshots add bring to each datastore, by id, in bytes."""

    def taken(held: Held) -> Counter[str]:
        vm, snapshots = held
        return room_by_store(inventory, vm, [unmerged_room(vm), *map(snapshot_room, snapshots)])

    return taken(after) - taken(before)


def followed(state: VirtualMachine, after: VirtualMachine, paths: Mapping[str, str]) -> VirtualMachine:
    """What a snapshot holds, with the files where they are now: ``paths`` tells new from old."""
    disks = {}
    for key, disk in state.disks.items():
        path = disk.backing.vmdk_file
        if path is not None and path in paths:
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
