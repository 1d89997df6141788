"""Guests that reboot: gone for a while, and back by themselves."""

from __future__ import annotations

from resphere.inventory.model import VirtualMachine
from resphere.rules.machines.power_states import State, has_tools, powered_on, with_tools


def rebooting(vm: VirtualMachine) -> VirtualMachine:
    """``vm`` running, its guest not yet."""
    return with_tools(powered_on(vm), run=False)


def rebooted(vm: VirtualMachine) -> VirtualMachine:
    """``vm`` with its guest there again, unless it was stopped meanwhile."""
    return with_tools(vm, run=has_tools(vm)) if vm.power_state is State.POWERED_ON else vm
