"""What power states allow, and what vCenter says where they do not.

Messages as vCenter 8.0 gives them: a first one particular to the operation, then ``vmsg.InvalidPowerState.summary``.
"""

from __future__ import annotations

from resphere.contract.errors import (
    AlreadyInDesiredState,
    NotAllowedInCurrentState,
    Unsupported,
    message,
)
from resphere.contract.generated.vcenter_vm import Power
from resphere.inventory.mentions import named
from resphere.inventory.model import VirtualMachine
from resphere.rules.guests.tools import require_tools
from resphere.rules.refusals import invalid_state

ON, OFF, SUSPENDED = Power.State.POWERED_ON, Power.State.POWERED_OFF, Power.State.SUSPENDED


def may_start(vm: VirtualMachine) -> None:
    """Refuse a VM that is on, or a template."""
    if vm.template:
        raise Unsupported(
            message("resphere.vm.power.template", "A template cannot be powered on: {0}.", named(vm)),
        )
    if vm.power_state is ON:
        raise already(vm, "powered_on", "Virtual machine is already powered on.")


def may_stop(vm: VirtualMachine) -> None:
    """Refuse a VM that is off."""
    if vm.power_state is OFF:
        raise already(vm, "powered_off", "Virtual machine is already powered off.")


def may_suspend(vm: VirtualMachine) -> None:
    """Refuse a VM that does not run."""
    if vm.power_state is SUSPENDED:
        raise already(vm, "suspended", "Virtual machine is already suspended.")
    if vm.power_state is OFF:
        raise forbidden(vm, "suspend")


def may_reset(vm: VirtualMachine) -> None:
    """Refuse a VM that does not run."""
    if vm.power_state is not ON:
        raise forbidden(vm, "reset")


def already(vm: VirtualMachine, state: str, text: str) -> AlreadyInDesiredState:
    """The VM is as asked."""
    return AlreadyInDesiredState(message(f"com.vmware.api.vcenter.vm.power.already_{state}", text), invalid_state(vm))


def forbidden(vm: VirtualMachine, act: str) -> NotAllowedInCurrentState:
    """The VM's power state does not allow the act."""
    return NotAllowedInCurrentState(
        message(
            f"resphere.vm.power.{act}_not_allowed",
            f"Virtual machine cannot be {'suspended' if act == 'suspend' else 'reset'}: it is not powered on.",
        ),
        invalid_state(vm),
    )


def may_shut_down(vcenter: str, vm: VirtualMachine) -> None:
    """Refuse where the guest cannot be asked."""
    require_no_template(vm)
    may_stop(vm)
    require_tools(vcenter, vm)


def may_reboot(vcenter: str, vm: VirtualMachine) -> None:
    """Refuse where the guest cannot be asked."""
    require_no_template(vm)
    may_reset(vm)
    require_tools(vcenter, vm)


def may_stand_by(vcenter: str, vm: VirtualMachine) -> None:
    """Refuse where the guest cannot be asked."""
    require_no_template(vm)
    may_suspend(vm)
    require_tools(vcenter, vm)


def require_no_template(vm: VirtualMachine) -> None:
    """A template has no guest."""
    if vm.template:
        raise Unsupported(message("resphere.vm.guest.template", "{0} is a template and has no guest.", named(vm)))
