"""Power of simulated virtual machines."""

from __future__ import annotations

from datetime import datetime

import msgspec

from resphere.contract.generated import vcenter_vm
from resphere.inventory.edit import Edit
from resphere.inventory.guest import stop_guest
from resphere.inventory.model import VirtualMachine
from resphere.inventory.replica import Replica
from resphere.providers.base import Job
from resphere.providers.simulator.durations import Durations
from resphere.providers.simulator.guest.customizing import customized_at_start
from resphere.providers.simulator.guest.tools import reporting, upgraded_at_start, with_system_of_medium
from resphere.providers.simulator.states import powered_off, powered_on, shut_down, suspended
from resphere.providers.simulator.work.places import running_place

OFF = vcenter_vm.Power.State.POWERED_OFF


class Power:
    """States change; nothing runs."""

    def __init__(self, inventory: Replica, durations: Durations) -> None:
        self._inventory = inventory
        self._durations = durations

    async def power_on(self, job: Job[VirtualMachine]) -> None:
        """Start or resume, on its host or, where that takes no VMs, on another of the cluster."""
        await job.spend(self._durations.power_on)

        await job.complete(lambda edit, vm: edit.put(started(self._inventory, edit, vm, job.now())))

    async def power_off(self, job: Job[VirtualMachine]) -> None:
        """Pull the plug."""
        await job.spend(self._durations.power_off)
        await job.complete(lambda edit, vm: self._stop(edit, vm, powered_off(vm)))

    async def reset(self, job: Job[VirtualMachine]) -> None:
        """Press the button: the VM runs as before."""
        await job.spend(self._durations.reset)
        await job.complete(lambda edit, vm: self._stop(edit, vm, powered_on(vm)))

    async def suspend(self, job: Job[VirtualMachine]) -> None:
        """Keep the running state and stop."""
        await job.spend(self._durations.suspend)
        await job.complete(lambda edit, vm: self._stop(edit, vm, suspended(vm), keeps_processes=True))

    async def shut_down_guest(self, job: Job[VirtualMachine]) -> None:
        """Off, as the guest itself wanted."""
        await job.spend(self._durations.power_off)
        await job.complete(lambda edit, vm: self._stop(edit, vm, shut_down(vm)))

    def _stop(self, edit: Edit, vm: VirtualMachine, stopped: VirtualMachine, keeps_processes: bool = False) -> None:
        """What runs in the guest ends with the power."""
        stop_guest(self._inventory, edit, vm.id, keeps_processes)
        edit.put(stopped)


def started(inventory: Replica, edit: Edit, vm: VirtualMachine, now: datetime) -> VirtualMachine:
    """``vm`` running, on its host or another; what waits for a start is done.

    :raises UnableToAllocateResource: no host takes it.
    """
    host = running_place(inventory, vm)
    edit.rely_on(host)
    starting = vm if host.id == vm.host else msgspec.structs.replace(vm, host=host.id)
    if vm.power_state is OFF:
        starting = reporting(upgraded_at_start(with_system_of_medium(starting)))
        starting = customized_at_start(edit, starting, now)
    return powered_on(starting)
