"""The tree of snapshots of a virtual machine, and how large it may be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from resphere.contract.errors import NotFound, ResourceBusy, message
from resphere.contract.generated import ids, vcenter_vm
from resphere.inventory.mentions import named
from resphere.inventory.model import Snapshot, VirtualMachine
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.replica.table import Reading
from resphere.rules.files import taken_by_another, without_lost_networks
from resphere.rules.machines.power_states import powered_off
from resphere.rules.placement.power_on import running_place
from resphere.rules.space import snapshot_room

ON = vcenter_vm.Power.State.POWERED_ON


OFF = vcenter_vm.Power.State.POWERED_OFF


LONGEST_NAME = 80


DEEPEST_TREE = 32
"""Levels of snapshots; vSphere supports 32 in a chain."""


def snapshots_of(inventory: Reading, vm: str) -> list[Snapshot]:
    """The VM's snapshots, oldest first."""
    return sorted(inventory.by(Snapshot, "parent", vm).values(), key=lambda s: (s.created_time, len(s.id), s.id))


def descendants(inventory: Replica, vm: str, snapshot: str) -> tuple[str, ...]:
    """``snapshot`` and everything that descends from it."""
    found, rest = [snapshot], snapshots_of(inventory, vm)
    for one in found:
        found.extend(s.id for s in rest if s.parent_snapshot == one)
    return tuple(found)


def depth(inventory: Replica, snapshot: str | None) -> int:
    """How many snapshots lie between the VM and the root of its tree."""
    levels = 0
    while snapshot is not None and (found := inventory.get(Snapshot, snapshot)) is not None:
        levels += 1
        snapshot = found.parent_snapshot
    return levels


def power_state(snapshot: Snapshot) -> vcenter_vm.Power.State:
    """The power state that a revert brings: a running state only where memory was kept."""
    state = snapshot.state.power_state
    return OFF if state is ON and not snapshot.memory else state


def reverted(inventory: Replica, vm: VirtualMachine, snapshot: Snapshot) -> VirtualMachine:
    """What ``vm`` is once it is what ``snapshot`` holds: name, place and host stay, or another host takes it.

    :raises ResourceBusy: a disk that would come back is another VM's now.
    :raises UnableToAllocateResource: it would run, and no host takes it.
    """
    after = msgspec.structs.replace(
        snapshot.state,
        name=vm.name,
        parent=vm.parent,
        host=vm.host,
        resource_pool=vm.resource_pool,
        snapshot=snapshot.id,
        needs_consolidation=vm.needs_consolidation,
    )
    if after.power_state is ON and not snapshot.memory:
        after = powered_off(after)
    if after.power_state is ON:
        after = msgspec.structs.replace(after, host=running_place(inventory, after).id)
    taken = taken_by_another(inventory, vm, after)
    if taken is not None:
        path, other = taken
        raise ResourceBusy(message("resphere.vm.disk.in_use", "The file {0} is a disk of {1}.", path, named(other)))
    return without_lost_networks(inventory, after)


def snapshot_now(edit: Edit, vm: VirtualMachine, snapshot_id: str) -> Snapshot:
    """The snapshot as it is now.

    :raises NotFound: it is no more.
    """
    found = edit.get(Snapshot, snapshot_id)
    if found is None:
        raise NotFound(
            message("resphere.vm.snapshot.gone", "The snapshot '{0}' of {1} no longer exists.", snapshot_id, named(vm))
        )
    return found


def without_unmerged(vm: VirtualMachine) -> VirtualMachine:
    """``vm`` with nothing left to be merged."""
    return msgspec.structs.replace(vm, needs_consolidation=False, unmerged={})


def with_deltas(vm: VirtualMachine, left: Iterable[Snapshot]) -> dict[ids.VcenterVmHardwareDiskId, int]:
    """What is not merged of the VM's disks, with the delta files of those snapshots."""
    found = dict(vm.unmerged)
    for snapshot in left:
        room = snapshot_room(snapshot)
        for key, disk in vm.disks.items():
            # The memory goes in any case, and so do the delta files of disks that are not the VM's any more.
            size = room.get(disk.backing.vmdk_file or "", 0)
            if size:
                found[key] = found.get(key, 0) + size
    return found


def survivor(tree: Mapping[str, Snapshot], snapshot_id: str | None, doomed: set[str]) -> str | None:
    """``snapshot_id``, or the nearest of its ancestors that is not doomed."""
    while snapshot_id in doomed:
        snapshot_id = tree[snapshot_id].parent_snapshot
    return snapshot_id
