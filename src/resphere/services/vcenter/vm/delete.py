"""``com.vmware.vcenter.VM``: delete."""

from __future__ import annotations

from resphere.contract.errors import NotAllowedInCurrentState, ResourceInaccessible, message
from resphere.contract.generated import ids, vcenter, vcenter_vm
from resphere.inventory.model import Datastore, VirtualMachine
from resphere.replica.replica import Replica
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.vm.power import invalid_state

OFF = vcenter_vm.Power.State.POWERED_OFF


@implements(vcenter.VM.delete)
async def delete(call: Call, vm: ids.VirtualMachineId) -> None:
    """Delete a VM or template with its snapshots and the files of its disks; what was taken out of it stays.

    :raises NotAllowedInCurrentState: it is not off.
    :raises ResourceInaccessible: its datastore is not accessible.
    """
    target = call.require(VirtualMachine, vm)

    def guard(current: VirtualMachine) -> None:
        may_delete(current)
        require_accessible(call.inventory, current)

    await call.run("VirtualMachine.destroy", target, call.provider.lifecycle.delete_vm, guard)


def require_accessible(inventory: Replica, vm: VirtualMachine) -> None:
    """Refuse a VM whose files cannot be reached."""
    store = inventory.get(Datastore, vm.datastore)
    if store is not None and not store.accessible:
        raise ResourceInaccessible(
            message("resphere.datastore.inaccessible", "The datastore {0} is not accessible.", store.id)
        )


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
