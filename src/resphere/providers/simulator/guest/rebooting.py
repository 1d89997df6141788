"""Guests that start: their Tools run a while later, by themselves."""

from __future__ import annotations

from datetime import datetime, timedelta

from resphere.inventory.guest_reboot import GuestReboot
from resphere.inventory.model import VirtualMachine
from resphere.providers.simulator.notes import Documents
from resphere.rules.machines.power_states import State, has_tools, with_tools


def booting(notes: Documents, vm: VirtualMachine, now: datetime, seconds: float) -> VirtualMachine:
    """The running ``vm``, whose guest is there in so many seconds; at once where these are none."""
    if seconds <= 0 or not has_tools(vm):
        return vm
    notes.put(GuestReboot(id=vm.id, due=now + timedelta(seconds=seconds)))
    return with_tools(vm, run=False)


def rebooted(vm: VirtualMachine) -> VirtualMachine:
    """``vm`` with its guest there again, unless it was stopped meanwhile."""
    return with_tools(vm, run=has_tools(vm)) if vm.power_state is State.POWERED_ON else vm
