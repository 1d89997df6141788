"""Power of simulated virtual machines."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from resphere.contract.generated import vcenter_vm
from resphere.inventory.guest import stop_guest
from resphere.inventory.guest_reboot import GuestReboot
from resphere.inventory.model import VirtualMachine
from resphere.providers.base import Job
from resphere.providers.simulator.durations import Durations
from resphere.providers.simulator.guest.customizing import (
    break_off_customization,
    customized_at_start,
    hold_customization,
    resume_customization,
)
from resphere.providers.simulator.guest.tools import reporting, upgraded_at_start, with_system_of_medium
from resphere.providers.simulator.states import powered_off, powered_on, rebooting, suspended
from resphere.providers.simulator.work.places import running_place
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica

State = vcenter_vm.Power.State


class Power:
    """States change; nothing runs."""

    def __init__(self, inventory: Replica, durations: Durations) -> None:
        self._inventory = inventory
        self._durations = durations

    async def power_on(self, job: Job[VirtualMachine]) -> None:
        """Start or resume, on its host or, where that takes no VMs, on another of the cluster."""
        await job.spend(self._durations.power_on)

        customize = self._durations.customize
        await job.complete(lambda edit, vm: edit.put(started(self._inventory, edit, vm, job.now(), customize)))

    async def power_off(self, job: Job[VirtualMachine]) -> None:
        """Pull the plug."""
        await job.spend(self._durations.power_off)
        await job.complete(lambda edit, vm: self._stop(edit, vm, powered_off(vm), job.now()))

    async def reset(self, job: Job[VirtualMachine]) -> None:
        """Press the button: the VM runs as before."""
        await job.spend(self._durations.reset)
        await job.complete(lambda edit, vm: self._stop(edit, vm, powered_on(vm), job.now()))

    async def reboot_guest(self, job: Job[VirtualMachine]) -> None:
        """Asked for: the guest is gone until it is back by itself."""
        away = timedelta(seconds=self._durations.reboot_guest)

        def plan(edit: Edit, vm: VirtualMachine) -> None:
            self._stop(edit, vm, rebooting(vm) if away else powered_on(vm), job.now())
            if away:
                edit.put(GuestReboot(id=vm.id, due=job.now() + away))

        await job.complete(plan)

    async def suspend(self, job: Job[VirtualMachine]) -> None:
        """Keep the running state and stop."""
        await job.spend(self._durations.suspend)
        await job.complete(lambda edit, vm: self._stop(edit, vm, suspended(vm), job.now()))

    async def shut_down_guest(self, job: Job[VirtualMachine]) -> None:
        """Off, as if nobody had pulled the plug: that cannot be told apart."""
        await self.power_off(job)

    def _stop(self, edit: Edit, vm: VirtualMachine, stopped: VirtualMachine, now: datetime) -> None:
        """What runs in the guest ends with the power, or waits while it is suspended."""
        stop_guest(self._inventory, edit, vm.id, keeps_processes=stopped.power_state is State.SUSPENDED)
        if stopped.power_state is State.SUSPENDED:
            hold_customization(edit, vm.id)
        elif stopped.power_state is State.POWERED_OFF:
            break_off_customization(edit, vm.id, now, f"{vm.name} was powered off before it was done")
        edit.put(stopped)


def started(
    inventory: Replica, edit: Edit, vm: VirtualMachine, now: datetime, customize_seconds: float
) -> VirtualMachine:
    """``vm`` running, on its host or another; what waits for a start is done, or begun where it takes time.

    :raises UnableToAllocateResource: no host takes it.
    """
    host = running_place(inventory, vm)
    edit.rely_on(host)
    starting = vm if host.id == vm.host else msgspec.structs.replace(vm, host=host.id)
    if vm.power_state is State.POWERED_OFF:
        starting = reporting(upgraded_at_start(with_system_of_medium(starting)))
        starting = customized_at_start(edit, starting, now, customize_seconds)
    else:
        resume_customization(edit, vm.id, now, customize_seconds)
    return powered_on(starting)
