"""``com.vmware.vcenter.vm.power``: get, start, stop, reset, suspend, with vCenter's state rules.

Messages as vCenter 8.0 gives them: a first one particular to the operation, then ``vmsg.InvalidPowerState.summary``.
"""

from __future__ import annotations

from resphere.contract.generated import ids, vcenter_vm
from resphere.inventory.effects import PowerOff, PowerOn, Reset, Suspend
from resphere.inventory.model import VirtualMachine
from resphere.replica.edit import Edit
from resphere.rules.machines.deletion import require_accessible
from resphere.rules.machines.power import OFF, may_reset, may_start, may_stop, may_suspend
from resphere.rules.placement.power_on import running_place
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.tasks.change import Decision

Power = vcenter_vm.Power


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

    def decide(edit: Edit, current: VirtualMachine) -> Decision[None]:
        require_accessible(call.unfiltered, current)
        host = running_place(call.unfiltered, current)
        return Decision(PowerOn(vm=current, host=host), None)

    await call.run("VirtualMachine.powerOn", target, decide, may_start)


@implements(Power.stop)
async def stop(call: Call, vm: ids.VirtualMachineId) -> None:
    """Power off without asking the guest."""
    target = call.require(VirtualMachine, vm)
    await call.run("VirtualMachine.powerOff", target, lambda _, current: Decision(PowerOff(vm=current), None), may_stop)


@implements(Power.suspend)
async def suspend(call: Call, vm: ids.VirtualMachineId) -> None:
    """Suspend."""
    target = call.require(VirtualMachine, vm)
    await call.run(
        "VirtualMachine.suspend", target, lambda _, current: Decision(Suspend(vm=current), None), may_suspend
    )


@implements(Power.reset)
async def reset(call: Call, vm: ids.VirtualMachineId) -> None:
    """Reset without asking the guest."""
    target = call.require(VirtualMachine, vm)
    await call.run("VirtualMachine.reset", target, lambda _, current: Decision(Reset(vm=current), None), may_reset)
