"""Snapshots of simulated virtual machines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from resphere.contract.errors import NotFound, ResourceBusy, message
from resphere.contract.generated import ids, vcenter_vm
from resphere.inventory.guest import forget_kept_guest, keep_guest, revert_guest
from resphere.inventory.model import Snapshot, VirtualMachine
from resphere.providers.base import Job
from resphere.providers.simulator.durations import Durations
from resphere.providers.simulator.guest.customizing import break_off_customization
from resphere.providers.simulator.states import powered_off
from resphere.providers.simulator.work.places import running_place
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.rules.admission import admit
from resphere.rules.data_sets import copy_data_sets, forget_data_sets, revert_data_sets
from resphere.rules.files import room_by_store, settle, still_unmerged, taken_by_another, without_lost_networks
from resphere.rules.space import snapshot_room
from resphere.rules.storage_policies import with_known_policies
from resphere.rules.users import use_connections

ON = vcenter_vm.Power.State.POWERED_ON


class Snapshots:
    """A snapshot keeps the VM whole. Networks and policies that are gone are not there again after a revert."""

    def __init__(self, inventory: Replica, durations: Durations) -> None:
        self._inventory = inventory
        self._durations = durations

    async def create_snapshot(self, job: Job[VirtualMachine], snapshot: Snapshot) -> str:
        """Keep the VM as it is at completion."""
        await job.spend(self._durations.create_snapshot)

        def plan(edit: Edit, vm: VirtualMachine) -> str:
            made = msgspec.structs.replace(
                snapshot,
                id=edit.new_id(Snapshot.id_prefix),
                parent_snapshot=vm.snapshot,
                takes_room=True,
                state=vm,
            )
            admit(self._inventory, edit, room_by_store(self._inventory, vm, [snapshot_room(made)]))
            edit.put(made)
            keep_guest(edit, vm.id, made.id)
            copy_data_sets(self._inventory, edit, vm.id, made.id, vm.id)
            edit.put(msgspec.structs.replace(vm, snapshot=made.id))
            return made.id

        return await job.complete(plan, reports=True)

    async def revert_to_snapshot(self, job: Job[VirtualMachine], snapshot_id: str) -> None:
        """Bring back hardware and power state; name, place and host stay as they are."""
        await job.spend(self._durations.revert_to_snapshot)

        def plan(edit: Edit, vm: VirtualMachine) -> None:
            snapshot = _snapshot(edit, vm, snapshot_id)
            edit.rely_on(snapshot)
            reverted = msgspec.structs.replace(
                snapshot.state,
                name=vm.name,
                parent=vm.parent,
                host=vm.host,
                resource_pool=vm.resource_pool,
                snapshot=snapshot.id,
                needs_consolidation=vm.needs_consolidation,
            )
            if reverted.power_state is ON and not snapshot.memory:
                reverted = powered_off(reverted)
            if reverted.power_state is ON:
                host = running_place(self._inventory, reverted)
                edit.rely_on(host)
                reverted = msgspec.structs.replace(reverted, host=host.id)
            _require_files(self._inventory, vm, reverted)
            reverted = with_known_policies(edit, vm, without_lost_networks(self._inventory, reverted))
            reverted = still_unmerged(vm, msgspec.structs.replace(reverted, unmerged={}))
            edit.put(reverted)
            use_connections(self._inventory, edit, vm, reverted)
            break_off_customization(edit, vm.id, job.now(), f"{vm.name} was reverted to a snapshot before it was done")
            revert_guest(self._inventory, edit, vm.id, snapshot.id, reverted.power_state is ON)
            revert_data_sets(self._inventory, edit, vm.id, snapshot.id)
            settle(self._inventory, edit, vm, reverted)

        await job.complete(plan)

    async def delete_snapshots(
        self, job: Job[VirtualMachine], snapshot_ids: tuple[str, ...], consolidate: bool = True
    ) -> None:
        """Delete, and hang what remains on the nearest ancestor that remains. To merge disks is what takes time."""
        await job.spend(self._durations.delete_snapshot * len(snapshot_ids) if consolidate else 0)
        doomed = set(snapshot_ids)

        def plan(edit: Edit, vm: VirtualMachine) -> None:
            tree = self._inventory.by(Snapshot, "parent", vm.id)
            left = [] if consolidate else [snapshot for snapshot in tree.values() if snapshot.id in doomed]
            for snapshot in tree.values():
                if snapshot.id in doomed:
                    edit.delete(Snapshot, snapshot.id)
                    forget_kept_guest(self._inventory, edit, vm.id, snapshot.id)
                    forget_data_sets(self._inventory, edit, snapshot.id)
                elif snapshot.parent_snapshot in doomed:
                    parent = _survivor(tree, snapshot.parent_snapshot, doomed)
                    edit.put(msgspec.structs.replace(snapshot, parent_snapshot=parent))
            # Written even where the pointer stays: two changes of one tree must not pass each other unseen.
            edit.put(
                msgspec.structs.replace(
                    vm,
                    snapshot=_survivor(tree, vm.snapshot, doomed),
                    needs_consolidation=vm.needs_consolidation or not consolidate,
                    unmerged=with_deltas(vm, left),
                )
            )

        await job.complete(plan)

    async def consolidate(self, job: Job[VirtualMachine]) -> None:
        """Nothing is left to be merged."""
        await job.spend(self._durations.delete_snapshot if job.target.needs_consolidation else 0)
        await job.complete(lambda edit, vm: edit.put(merged(vm)))


def merged(vm: VirtualMachine) -> VirtualMachine:
    """The VM with nothing left to be merged."""
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


def _snapshot(edit: Edit, vm: VirtualMachine, snapshot_id: str) -> Snapshot:
    found = edit.get(Snapshot, snapshot_id)
    if found is None:
        raise NotFound(
            message("resphere.vm.snapshot.gone", "The snapshot '{0}' of {1} no longer exists.", snapshot_id, vm.name)
        )
    return found


def _require_files(inventory: Replica, vm: VirtualMachine, reverted: VirtualMachine) -> None:
    """:raises ResourceBusy: a disk that would come back is another VM's now."""
    taken = taken_by_another(inventory, vm, reverted)
    if taken is not None:
        path, other = taken
        raise ResourceBusy(message("resphere.vm.disk.in_use", "The file {0} is a disk of {1}.", path, other.name))


def _survivor(tree: Mapping[str, Snapshot], snapshot_id: str | None, doomed: set[str]) -> str | None:
    """``snapshot_id``, or the nearest of its ancestors that is not doomed."""
    while snapshot_id in doomed:
        snapshot_id = tree[snapshot_id].parent_snapshot
    return snapshot_id
