"""``com.vmware.vcenter.VM``: relocate, at once and as a task."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from resphere.contract.errors import AlreadyExists, InvalidArgument
from resphere.contract.generated import ids, vcenter, vcenter_vm
from resphere.inventory.effects import RelocateVm
from resphere.inventory.model import Host, VirtualMachine
from resphere.replica.edit import Edit
from resphere.rules.machines.copies import Targets, moved, needs_of, targets
from resphere.rules.names import require_free
from resphere.rules.placement.compute_policies import Placing
from resphere.rules.placement.resolution import RELOCATE, Place, every_host, folder_of, resolve, wanted
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.tasks.change import Decision

Spec = vcenter.VM.RelocateSpec
ACT = "VirtualMachine.relocate"
ON = vcenter_vm.Power.State.POWERED_ON


class Planned(msgspec.Struct, frozen=True):
    """What is to be done, with which VM."""

    vm: VirtualMachine
    decide: Callable[[Edit, VirtualMachine], Decision[None]]


@implements(vcenter.VM.relocate)
async def relocate(call: Call, vm: ids.VirtualMachineId, spec: Spec) -> None:
    """Move a VM, running or not, to another folder, pool, host or datastore; its identity stays.

    :raises InvalidArgument: the placement or the disks ask for what cannot be.
    :raises NotFound: the VM, or something that the spec names.
    :raises ResourceInaccessible: no host takes it now, or a datastore is not accessible.
    :raises VapiError: no room on a datastore, or other work is under way: the operation declares nothing narrower.
    """
    plan = planned(call, vm, spec)
    await call.run(ACT, plan.vm, plan.decide, cancelable=True)


@implements(vcenter.VM.relocate_task)
async def relocate_task(call: Call, vm: ids.VirtualMachineId, spec: Spec) -> ids.CisTASKId:
    """As :func:`relocate`."""
    plan = planned(call, vm, spec)
    return await call.launch(ACT, plan.vm, plan.decide, cancelable=True)


def planned(call: Call, vm: ids.VirtualMachineId, spec: Spec) -> Planned:
    """The plan, refused where it cannot be now; it looks at everything again when it is carried out."""
    inventory, where = call.unfiltered, wanted(spec.placement)
    wishes = {key: wish.datastore for key, wish in (spec.disks or {}).items()}

    def prepared(current: VirtualMachine) -> tuple[Place, Targets]:
        folder = folder_of(inventory, where, current)
        try:
            require_free(inventory, folder, current.name, but=current.id)
        except AlreadyExists as error:
            # Relocate does not declare ALREADY_EXISTS.
            raise InvalidArgument(*error.messages) from None
        disks = targets(inventory, current, where.datastore, wishes)

        def allowed(hosts: Sequence[Host]) -> Sequence[Host]:
            return Placing(inventory).allowed(current, hosts)

        place = resolve(
            inventory,
            where,
            present=current,
            needs=needs_of(inventory, current, disks),
            rules=RELOCATE,
            usable=call.may_use,
            allowed=allowed if current.power_state is ON else every_host,
        )
        return place, disks

    def decide(edit: Edit, current: VirtualMachine) -> Decision[None]:
        place, disks = prepared(current)
        return Decision(RelocateVm(before=current, after=moved(inventory, current, place, disks)), None)

    target = call.require(VirtualMachine, vm)
    prepared(target)
    return Planned(target, decide)
