"""``com.vmware.vcenter.VM``: delete."""

from __future__ import annotations

from resphere.contract.errors import NotAllowedInCurrentState, message
from resphere.contract.generated import ids, vcenter, vcenter_vm
from resphere.inventory.model import VirtualMachine
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.vm.power import invalid_state

OFF = vcenter_vm.Power.State.POWERED_OFF


@implements(vcenter.VM.delete)
async def delete(call: Call, vm: ids.VirtualMachineId) -> None:
    """Delete a VM or template with its snapshots and files.

    :raises NotAllowedInCurrentState: it is not off.
    """
    target = call.require(VirtualMachine, vm)
    await call.run("VirtualMachine.destroy", target, call.provider.lifecycle.delete_vm, may_delete)


def may_delete(vm: VirtualMachine) -> None:
    """Refuse a VM that runs or is suspended."""
    if vm.power_state is not OFF:
        raise NotAllowedInCurrentState(
            message(
                "resphere.vm.delete.power_state",
                "Cannot delete the virtual machine {0}: it must be powered off first.",
                vm.name,
            ),
            invalid_state(vm),
        )
