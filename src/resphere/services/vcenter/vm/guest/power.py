"""``com.vmware.vcenter.vm.guest.power``: asking the guest itself to shut down, reboot or stand by."""

from __future__ import annotations

from functools import partial

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_vm_guest import Power
from resphere.inventory.effects import RebootGuest, ShutDownGuest, Suspend
from resphere.inventory.model import VirtualMachine
from resphere.rules.guests.tools import RUNNING
from resphere.rules.machines.power import ON, may_reboot, may_shut_down, may_stand_by
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.tasks.change import Decision


@implements(Power.get, kept=True)
async def get(call: Call, vm: ids.VirtualMachineId) -> Power.Info:
    """Whether the guest runs, and whether it takes requests; without Tools nobody knows."""
    found = call.require(VirtualMachine, vm)
    tools = found.tools.run_state is RUNNING
    if found.power_state is ON:
        state = Power.State.RUNNING if tools else Power.State.UNAVAILABLE
    else:
        state = Power.State.NOT_RUNNING
    return Power.Info(state=state, operations_ready=tools)


@implements(Power.shutdown)
async def shutdown(call: Call, vm: ids.VirtualMachineId) -> None:
    """Ask the guest to shut down; the VM is then off, cleanly."""
    target = call.require(VirtualMachine, vm)
    await call.run(
        "VirtualMachine.shutdownGuest",
        target,
        lambda _, current: Decision(ShutDownGuest(vm=current), None),
        partial(may_shut_down, call.vcenter),
    )


@implements(Power.reboot)
async def reboot(call: Call, vm: ids.VirtualMachineId) -> None:
    """Ask the guest to reboot; it is gone for a while."""
    target = call.require(VirtualMachine, vm)
    await call.run(
        "VirtualMachine.rebootGuest",
        target,
        lambda _, current: Decision(RebootGuest(vm=current), None),
        partial(may_reboot, call.vcenter),
    )


@implements(Power.standby)
async def standby(call: Call, vm: ids.VirtualMachineId) -> None:
    """Ask the guest to stand by; the VM is then suspended."""
    target = call.require(VirtualMachine, vm)
    await call.run(
        "VirtualMachine.standbyGuest",
        target,
        lambda _, current: Decision(Suspend(vm=current), None),
        partial(may_stand_by, call.vcenter),
    )
