"""Power of simulated virtual machines and of their guests."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from resphere.contract.generated import vcenter_vm
from resphere.inventory.facts import Facts
from resphere.inventory.model import Host, VirtualMachine
from resphere.providers.base import Work
from resphere.providers.simulator.durations import Durations
from resphere.providers.simulator.guest.customizing import (
    break_off_customization,
    customized_at_start,
    hold_customization,
    resume_customization,
)
from resphere.providers.simulator.guest.keeping import stop_guest
from resphere.providers.simulator.guest.rebooting import booting
from resphere.providers.simulator.guest.tools import reporting, upgraded_at_start, with_system_of_medium
from resphere.providers.simulator.notes import Notes
from resphere.replica.replica import Replica
from resphere.rules.machines.power_states import powered_off, powered_on, suspended

State = vcenter_vm.Power.State


class Power:
    """States change; nothing runs."""

    def __init__(self, inventory: Replica, now: Callable[[], datetime], durations: Durations) -> None:
        self._inventory = inventory
        self._now = now
        self._durations = durations

    async def power_on(self, work: Work, vm: VirtualMachine, host: Host) -> Facts:
        """What waits for a start is done, or begun where it takes time."""
        notes = Notes(self._inventory)
        starting = vm if host.id == vm.host else msgspec.structs.replace(vm, host=host.id)
        return notes.facts(started(notes, starting, self._now(), self._durations))

    async def power_off(self, work: Work, vm: VirtualMachine) -> Facts:
        """Pull the plug."""
        return self._stopped(vm, powered_off(vm))

    async def reset(self, work: Work, vm: VirtualMachine) -> Facts:
        """Press the button: the machine runs as before, and its guest starts anew."""
        return self._restarted(vm, self._durations.boot_guest)

    async def suspend(self, work: Work, vm: VirtualMachine) -> Facts:
        """Keep the running state and stop."""
        return self._stopped(vm, suspended(vm))

    async def shut_down(self, work: Work, vm: VirtualMachine) -> Facts:
        """Off, as if nobody had pulled the plug: that cannot be told apart."""
        return await self.power_off(work, vm)

    async def reboot(self, work: Work, vm: VirtualMachine) -> Facts:
        """Asked for: the guest is gone until it is back by itself."""
        return self._restarted(vm, self._durations.reboot_guest)

    def lost(self, vms: Iterable[VirtualMachine]) -> Facts:
        """What is left of guests whose host has died."""
        notes = Notes(self._inventory)
        for vm in vms:
            self._stopped(vm, powered_off(vm), notes)
        return notes.facts()

    def _restarted(self, vm: VirtualMachine, seconds: float) -> Facts:
        """The guest is gone for so long; at once there again where that takes no time."""
        notes = Notes(self._inventory)
        return self._stopped(vm, booting(notes, powered_on(vm), self._now(), seconds), notes)

    def _stopped(self, vm: VirtualMachine, stopped: VirtualMachine, notes: Notes | None = None) -> Facts:
        """What runs in the guest ends with the power, or waits while it is suspended."""
        notes = notes or Notes(self._inventory)
        stop_guest(self._inventory, notes, vm.id, keeps_processes=stopped.power_state is State.SUSPENDED)
        if stopped.power_state is State.SUSPENDED:
            hold_customization(notes, vm.id)
        elif stopped.power_state is State.POWERED_OFF:
            break_off_customization(notes, vm.id, self._now(), f"{vm.name} was powered off before it was done")
        return notes.facts(stopped)


def started(notes: Notes, vm: VirtualMachine, now: datetime, durations: Durations) -> VirtualMachine:
    """``vm`` running: it was off, or suspended."""
    if vm.power_state is not State.POWERED_OFF:
        resume_customization(notes, vm.id, now, durations.customize)
        return powered_on(vm)
    starting = reporting(upgraded_at_start(with_system_of_medium(vm)))
    running = powered_on(customized_at_start(notes, starting, now, durations.customize))
    return booting(notes, running, now, durations.boot_guest)
