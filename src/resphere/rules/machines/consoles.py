"""Which consoles a virtual machine has."""

from __future__ import annotations

from resphere.contract.errors import NotAllowedInCurrentState, message
from resphere.contract.generated.vcenter_vm_console import Tickets
from resphere.inventory.mentions import named
from resphere.inventory.model import VirtualMachine
from resphere.rules.hardware.devices import STATE_WORDS
from resphere.rules.machines.power import ON
from resphere.rules.refusals import invalid_state


def require_console(vm: VirtualMachine, type: Tickets.Type) -> None:
    """Refuse a VM that has no such console now."""
    if vm.template:
        raise NotAllowedInCurrentState(
            message("resphere.vm.console.template", "{0} is a template and has no console.", named(vm))
        )
    if type is Tickets.Type.WEBMKS and vm.power_state is not ON:
        raise NotAllowedInCurrentState(
            message(
                "com.vmware.api.vcenter.vm.console.tickets.not_allowed_in_current_state",
                f"Unable to obtain console ticket because the virtual machine is {STATE_WORDS[vm.power_state]}.",
            ),
            invalid_state(vm),
        )
