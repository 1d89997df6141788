"""``com.vmware.vcenter.vm.power``: get, start, stop, reset, suspend, with vCenter's state rules.

Messages as vCenter 8.0 gives them: a first one particular to the operation, then ``vmsg.InvalidPowerState.summary``.
"""

from __future__ import annotations

from resphere.contract.errors import (
    AlreadyInDesiredState,
    NotAllowedInCurrentState,
    Unsupported,
    message,
)
from resphere.contract.generated import ids, vcenter_vm
from resphere.contract.model import LocalizableMessage
from resphere.inventory.model import VirtualMachine
from resphere.services.call import Call
from resphere.services.registry import implements

Power = vcenter_vm.Power
ON, OFF, SUSPENDED = Power.State.POWERED_ON, Power.State.POWERED_OFF, Power.State.SUSPENDED
STATE_WORDS = {ON: "Powered on", OFF: "Powered off", SUSPENDED: "Suspended"}


@implements(Power.get, kept=True)
async def get(call: Call, vm: ids.VirtualMachineId) -> Power.Info:
    """The power state; ``clean_power_off`` only where it is off."""
    found = call.require(VirtualMachine, vm)
    clean = found.clean_power_off if found.power_state is OFF else None
    return Power.Info(state=found.power_state, clean_power_off=clean)


@implements(Power.start)
async def start(call: Call, vm: ids.VirtualMachineId) -> None:
    """Power on, or resume from suspension."""
    target = call.require(VirtualMachine, vm)
    await call.run("VirtualMachine.powerOn", target, call.provider.power.power_on, may_start)


@implements(Power.stop)
async def stop(call: Call, vm: ids.VirtualMachineId) -> None:
    """Power off without asking the guest."""
    target = call.require(VirtualMachine, vm)
    await call.run("VirtualMachine.powerOff", target, call.provider.power.power_off, may_stop)


@implements(Power.suspend)
async def suspend(call: Call, vm: ids.VirtualMachineId) -> None:
    """Suspend."""
    target = call.require(VirtualMachine, vm)
    await call.run("VirtualMachine.suspend", target, call.provider.power.suspend, may_suspend)


@implements(Power.reset)
async def reset(call: Call, vm: ids.VirtualMachineId) -> None:
    """Reset without asking the guest."""
    target = call.require(VirtualMachine, vm)
    await call.run("VirtualMachine.reset", target, call.provider.power.reset, may_reset)


def may_start(vm: VirtualMachine) -> None:
    """Refuse a VM that is on, or a template."""
    if vm.template:
        raise Unsupported(
            message("com.vmware.api.vcenter.vm.power.template", "A template cannot be powered on: {0}.", vm.name),
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
            f"com.vmware.api.vcenter.vm.power.{act}_not_allowed",
            f"Virtual machine cannot be {'suspended' if act == 'suspend' else 'reset'}: it is not powered on.",
        ),
        invalid_state(vm),
    )


def invalid_state(vm: VirtualMachine) -> LocalizableMessage:
    """vSphere's own words for a wrong power state."""
    return message(
        "vmsg.InvalidPowerState.summary",
        "The attempted operation cannot be performed in the current state ({0}).",
        STATE_WORDS[vm.power_state],
    )
