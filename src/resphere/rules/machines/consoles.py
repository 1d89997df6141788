"""Which consoles a virtual machine has."""

from __future__ import annotations

from resphere.contract.errors import NotAllowedInCurrentState, message
from resphere.contract.generated.vcenter_vm_console import Tickets
from resphere.inventory.model import VirtualMachine
from resphere.rules.hardware.devices import STATE_WORDS
from resphere.rules.machines.power import ON


def require_console(vm: VirtualMachine, type: Tickets.Type) -> None:
    """Refuse a VM that has no such console now."""
    if vm.template:
        raise NotAllowedInCurrentState(
            message("resphere.vm.console.template", "{0} is a template and has no console.", vm.name)
        )
    if type is Tickets.Type.WEBMKS and vm.power_state is not ON:
        raise NotAllowedInCurrentState(
            message(
                "resphere.vm.console.power_state",
                "A WEBMKS ticket needs a running virtual machine, and {0} is {1}.",
                vm.name,
                STATE_WORDS[vm.power_state],
            ),
            message(
                "vmsg.InvalidPowerState.summary",
                "The attempted operation cannot be performed in the current state ({0}).",
                STATE_WORDS[vm.power_state].capitalize(),
            ),
        )
