"""``com.vmware.vcenter.VM``: delete."""

from __future__ import annotations

from resphere.contract.generated import ids, vcenter
from resphere.inventory.effects import DeleteVm
from resphere.inventory.model import VirtualMachine
from resphere.rules.machines.deletion import may_delete, require_accessible
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.tasks.change import Decision


@implements(vcenter.VM.delete)
async def delete(call: Call, vm: ids.VirtualMachineId) -> None:
    """Delete a VM or template with its snapshots and the files of its disks; what was taken out of it stays.

    :raises NotAllowedInCurrentState: it is not off.
    :raises ResourceInaccessible: its datastore is not accessible.
    """
    target = call.require(VirtualMachine, vm)

    def guard(current: VirtualMachine) -> None:
        may_delete(current)
        require_accessible(call.unfiltered, current)

    await call.run("VirtualMachine.destroy", target, lambda _, current: Decision(DeleteVm(vm=current), None), guard)
