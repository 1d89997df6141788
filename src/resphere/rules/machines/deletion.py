"""When a virtual machine may be deleted."""

from __future__ import annotations

from resphere.contract.errors import NotAllowedInCurrentState, ResourceInaccessible, message
from resphere.contract.generated import vcenter_vm
from resphere.inventory.mentions import identified, named
from resphere.inventory.model import Datastore, VirtualMachine
from resphere.replica.replica import Replica
from resphere.rules.refusals import invalid_state

OFF = vcenter_vm.Power.State.POWERED_OFF


def require_accessible(inventory: Replica, vm: VirtualMachine) -> None:
    """Refuse a VM whose files cannot be reached."""
    store = inventory.get(Datastore, vm.datastore)
    if store is not None and not store.accessible:
        raise ResourceInaccessible(
            message("resphere.datastore.inaccessible", "The datastore {0} is not accessible.", identified(store.id))
        )


def may_delete(vm: VirtualMachine) -> None:
    """Refuse a VM that runs or is suspended."""
    if vm.power_state is not OFF:
        raise NotAllowedInCurrentState(
            message(
                "resphere.vm.delete.power_state",
                "Cannot delete the virtual machine {0}: it must be powered off first.",
                named(vm),
            ),
            invalid_state(vm),
        )
