"""``resphere.vcenter.vm.snapshots``: a VM's snapshot tree."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec

from resphere.contract.errors import InvalidArgument, NotAllowedInCurrentState, NotFound, message
from resphere.contract.extensions.vm_snapshots import VmSnapshots
from resphere.contract.generated import ids
from resphere.inventory.effects import ConsolidateDisks, DeleteSnapshots, RevertToSnapshot, TakeSnapshot
from resphere.inventory.mentions import named
from resphere.inventory.model import Host, Snapshot, VirtualMachine
from resphere.replica.edit import Edit
from resphere.rules.snapshots import (
    DEEPEST_TREE,
    LONGEST_NAME,
    ON,
    depth,
    descendants,
    power_state,
    reverted,
    snapshot_now,
    snapshots_of,
)
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.tasks.change import Decision

MOST_KEPT = DEEPEST_TREE - 1
ROTATED = "%Y-%m-%dT%H:%M:%SZ"
"""How rotated snapshots say when they were taken."""


@implements(VmSnapshots.list, kept=True)
async def list_snapshots(call: Call, vm: ids.VirtualMachineId) -> tuple[VmSnapshots.Summary, ...]:
    """The VM's snapshots, oldest first."""
    found = call.require(VirtualMachine, vm)
    return tuple(summary(found, snapshot) for snapshot in snapshots_of(call.inventory, vm))


@implements(VmSnapshots.get, kept=True)
async def get_snapshot(call: Call, vm: ids.VirtualMachineId, snapshot: str) -> VmSnapshots.Info:
    """One snapshot with its children."""
    found, one = call.require(VirtualMachine, vm), require_snapshot(call, vm, snapshot)
    children = tuple(s.id for s in snapshots_of(call.inventory, vm) if s.parent_snapshot == snapshot)
    return VmSnapshots.Info(
        snapshot=one.id,
        vm=vm,
        name=one.name,
        description=one.description,
        created_time=one.created_time,
        power_state=power_state(one),
        memory=one.memory,
        quiesced=one.quiesced,
        current=found.snapshot == one.id,
        parent=one.parent_snapshot,
        children=children,
        cpu_count=one.state.cpu.count,
        memory_size_MiB=one.state.memory.size_MiB,
        disks=tuple(disk.backing.vmdk_file for disk in one.state.disks.values() if disk.backing.vmdk_file),
    )


@implements(VmSnapshots.create)
async def create_snapshot(call: Call, vm: ids.VirtualMachineId, spec: VmSnapshots.CreateSpec) -> str:
    """Take a snapshot of the VM as it is now and return its id.

    ``memory`` and ``quiesce`` mean something only while the VM runs.

    :raises InvalidArgument: the name is empty or too long.
    :raises NotAllowedInCurrentState: the VM is a template, or its snapshots are too deep already.
    :raises ResourceInaccessible: a datastore of the VM is not accessible.
    :raises UnableToAllocateResource: a datastore has no room for the delta or memory files.
    """
    target = call.require(VirtualMachine, vm)
    if not spec.name.strip() or len(spec.name) > LONGEST_NAME:
        raise InvalidArgument(
            message("resphere.vm.snapshot.invalid_name", "spec.name: must have 1 to {0} characters.", LONGEST_NAME)
        )
    running = target.power_state is ON
    wanted = Snapshot(
        id="",
        name=spec.name,
        parent=vm,
        description=spec.description or "",
        created_time=call.environment.now(),
        memory=bool(spec.memory) and running,
        quiesced=bool(spec.quiesce) and running,
        state=target,
    )

    def may_create(current: VirtualMachine) -> None:
        if current.template:
            raise NotAllowedInCurrentState(
                message("resphere.vm.snapshot.template", "A template cannot have snapshots: {0}.", named(current))
            )
        if depth(call.unfiltered, current.snapshot) >= DEEPEST_TREE:
            raise NotAllowedInCurrentState(
                message("resphere.vm.snapshot.too_deep", "Snapshots can be at most {0} levels deep.", DEEPEST_TREE)
            )

    def decide(edit: Edit, current: VirtualMachine) -> Decision[str]:
        snapshot = msgspec.structs.replace(
            wanted,
            id=edit.new_id(Snapshot.id_prefix),
            parent_snapshot=current.snapshot,
            takes_room=True,
            state=current,
        )
        return Decision(TakeSnapshot(vm=current, snapshot=snapshot), snapshot.id, reports=True)

    return await call.run("VirtualMachine.createSnapshot", target, decide, may_create)


@implements(VmSnapshots.rotate)
async def rotate(call: Call, vm: ids.VirtualMachineId, spec: VmSnapshots.RotateSpec) -> str:
    """Take a snapshot that is called by the time, and delete the oldest that were called so and are too many.

    Of one that fails or is interrupted nothing is lost: what is too many goes with the next one.

    :raises InvalidArgument: the name is empty or too long, or there is nothing to keep.
    """
    if not 1 <= spec.keep <= MOST_KEPT:
        raise InvalidArgument(
            message("resphere.vm.snapshot.keep", "spec.keep: must be from 1 to {0}, not {1}.", MOST_KEPT, spec.keep)
        )
    name = f"{spec.name} {call.environment.now().strftime(ROTATED)}" if spec.name.strip() else ""
    taken = VmSnapshots.CreateSpec(name=name, description=spec.description, memory=spec.memory, quiesce=spec.quiesce)
    made = await create_snapshot(call, vm, taken)
    rotated = [each for each in snapshots_of(call.unfiltered, vm) if is_rotated(each.name, spec.name)]
    rotated.sort(key=lambda each: (each.created_time, each.id == made))
    for each in rotated[: -spec.keep]:
        await call.run(
            "VirtualMachine.removeSnapshot", call.require(VirtualMachine, vm), deletion((each.id,), consolidate=True)
        )
    return made


def is_rotated(name: str, prefix: str) -> bool:
    """Whether :func:`rotate` has called a snapshot so."""
    if not name.startswith(f"{prefix} "):
        return False
    try:
        datetime.strptime(name[len(prefix) + 1 :], ROTATED)  # noqa: DTZ007 - whether it is a time at all
    except ValueError:
        return False
    return True


@implements(VmSnapshots.revert)
async def revert(call: Call, vm: ids.VirtualMachineId, snapshot: str) -> None:
    """Bring the VM's hardware and power state back to what the snapshot holds."""
    target = call.require(VirtualMachine, vm)
    require_snapshot(call, vm, snapshot)

    def decide(edit: Edit, current: VirtualMachine) -> Decision[None]:
        kept = snapshot_now(edit, current, snapshot)
        after = reverted(call.unfiltered, current, kept)
        if after.power_state is ON:
            edit.rely_on(call.require(Host, after.host))
        return Decision(RevertToSnapshot(before=current, after=after, snapshot=kept), None)

    await call.run("VirtualMachine.revertToSnapshot", target, decide)


@implements(VmSnapshots.delete)
async def delete(
    call: Call, vm: ids.VirtualMachineId, snapshot: str, children: bool | None, consolidate: bool | None
) -> None:
    """Delete the snapshot, with ``children`` all that descend from it; else its children get its parent.

    With ``consolidate`` false its disks stay unmerged until :func:`consolidate_disks`, as in vSphere.
    """
    target = call.require(VirtualMachine, vm)
    require_snapshot(call, vm, snapshot)
    doomed = descendants(call.unfiltered, vm, snapshot) if children else (snapshot,)
    await call.run("VirtualMachine.removeSnapshot", target, deletion(doomed, consolidate))


def deletion(snapshots: tuple[str, ...], consolidate: bool | None) -> Callable[[Edit, VirtualMachine], Decision[None]]:
    """Decides that those snapshots go; unset, their disks are merged."""

    def decide(_: Edit, current: VirtualMachine) -> Decision[None]:
        effect = DeleteSnapshots(vm=current, snapshots=snapshots, consolidate=consolidate is not False)
        return Decision(effect, None)

    return decide


@implements(VmSnapshots.delete_all)
async def delete_all(call: Call, vm: ids.VirtualMachineId, consolidate: bool | None) -> None:
    """Delete all snapshots; the VM stays as it is. ``consolidate`` as in :func:`delete`."""
    target = call.require(VirtualMachine, vm)
    doomed = tuple(snapshot.id for snapshot in snapshots_of(call.unfiltered, vm))
    if doomed:
        await call.run("VirtualMachine.removeAllSnapshots", target, deletion(doomed, consolidate))


@implements(VmSnapshots.get_consolidation, kept=True)
async def get_consolidation(call: Call, vm: ids.VirtualMachineId) -> VmSnapshots.Consolidation:
    """Whether disks of deleted snapshots wait to be merged."""
    return VmSnapshots.Consolidation(needed=call.require(VirtualMachine, vm).needs_consolidation)


@implements(VmSnapshots.consolidate)
async def consolidate_disks(call: Call, vm: ids.VirtualMachineId) -> None:
    """Merge what waits; where nothing does that is well too, as in vSphere."""
    target = call.require(VirtualMachine, vm)
    await call.run(
        "VirtualMachine.consolidateDisks", target, lambda _, current: Decision(ConsolidateDisks(vm=current), None)
    )


def require_snapshot(call: Call, vm: str, snapshot: str) -> Snapshot:
    """The snapshot, if it is one of ``vm``.

    :raises NotFound: it is not.
    """
    found = call.get(Snapshot, snapshot)
    if found is None or found.parent != vm:
        raise NotFound(
            message(
                "resphere.vm.snapshot.not_found",
                "The virtual machine '{0}' has no snapshot with identifier '{1}'.",
                vm,
                snapshot,
            )
        )
    return found


def summary(vm: VirtualMachine, snapshot: Snapshot) -> VmSnapshots.Summary:
    """A snapshot as lists show it."""
    return VmSnapshots.Summary(
        snapshot=snapshot.id,
        name=snapshot.name,
        description=snapshot.description,
        created_time=snapshot.created_time,
        power_state=power_state(snapshot),
        memory=snapshot.memory,
        quiesced=snapshot.quiesced,
        current=vm.snapshot == snapshot.id,
        parent=snapshot.parent_snapshot,
    )
