"""``resphere.faults.hosts``: hosts that die, whose machines HA starts elsewhere, and that come back."""

from __future__ import annotations

from resphere.contract.errors import VapiError
from resphere.contract.extensions.faults import HostFaults
from resphere.contract.generated import ids, vcenter_vm
from resphere.inventory.effects import FailHost, PowerOn, RecoverHost
from resphere.inventory.model import Host, VirtualMachine
from resphere.inventory.relations import vms_of_host
from resphere.replica.edit import Edit
from resphere.rules.hosts import may_fail, may_recover
from resphere.rules.machines.power import may_start
from resphere.rules.placement.hosts import can_take, failover
from resphere.rules.placement.power_on import running_place
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.tasks.change import Decision

ON = vcenter_vm.Power.State.POWERED_ON


@implements(HostFaults.fail)
async def fail(call: Call, host: ids.HostSystemId) -> HostFaults.Info:
    """Have a host die: it does not respond, what ran on it is off, and HA, where its cluster has that, starts it on
    other hosts that have room, each as a task.

    :raises AlreadyInDesiredState: it does not respond already.
    :raises NotAllowedInCurrentState: it is not connected, so that nobody would know.
    """
    target = call.require(Host, host)

    def decide(_: Edit, current: Host) -> Decision[tuple[VirtualMachine, ...]]:
        running = [vm for vm in vms_of_host(call.unfiltered, current.id) if vm.power_state is ON]
        return Decision(FailHost(host=current), tuple(running))

    # Nothing that is under way there keeps it from dying.
    died = await call.run("HostSystem.fail", target, decide, may_fail, exclusive=False)
    restarts, left = [], []
    for id, place in failover(call.unfiltered, target, died).items():
        vm = ids.VirtualMachineId(id)
        restart = None if place is None else await restarted(call, vm, place)
        if call.get(VirtualMachine, id) is None:
            continue  # the caller knows nothing of it
        if restart is None:
            left.append(vm)
        elif call.get(Host, restart.host) is not None:
            restarts.append(restart)
    return HostFaults.Info(restarts=tuple(restarts), left=tuple(left))


@implements(HostFaults.recover)
async def recover(call: Call, host: ids.HostSystemId) -> None:
    """Have a host that died be started again. What ran on it, and runs nowhere else, stays off.

    :raises AlreadyInDesiredState: it is connected.
    :raises NotAllowedInCurrentState: it was disconnected, and has not died.
    """
    target = call.require(Host, host)
    await call.run(
        "HostSystem.recover", target, lambda _, current: Decision(RecoverHost(host=current), None), may_recover
    )


async def restarted(call: Call, id: ids.VirtualMachineId, place: str) -> HostFaults.Restart | None:
    """A machine that HA has begun to start on that host, or on another one if that takes it no more; ``None`` where
    somebody was faster, or there is none."""
    chosen = [place]

    def decide(_: Edit, current: VirtualMachine) -> Decision[None]:
        host = call.unfiltered.get(Host, place)
        if host is None or not can_take(host, current):
            host = running_place(call.unfiltered, current)
        chosen.append(host.id)
        return Decision(PowerOn(vm=current, host=host), None)

    vm = call.unfiltered.get(VirtualMachine, id)
    if vm is None:
        return None
    try:
        task = await call.launch("VirtualMachine.powerOn", vm, decide, may_start, leaves_host=True)
    except VapiError:
        return None
    return HostFaults.Restart(vm=id, host=ids.HostSystemId(chosen[-1]), task=task)
