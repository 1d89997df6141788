"""``com.vmware.vcenter.vm.guest.operations``: whether guest operations can be asked for."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_guest import Operations
from resphere.inventory.model import VirtualMachine
from resphere.rules.guests.tools import RUNNING
from resphere.rules.machines.power import ON
from resphere.services.call import Call
from resphere.services.checks.guest_operations import guests_of
from resphere.services.registry import implements


@implements(Operations.get)
async def get(call: Call, vm: ids.VirtualMachineId) -> Operations.Info:
    """Whether the guest is ready for operations; for interactive ones where somebody is logged on to its desktop."""
    found = call.require(VirtualMachine, vm)
    is_ready = found.power_state is ON and found.tools.run_state is RUNNING and not found.template
    return Operations.Info(
        guest_operations_ready=is_ready,
        interactive_guest_operations_ready=is_ready and guests_of(call).has_desktop_user(found),
    )
