"""EVC modes of single virtual machines."""

from __future__ import annotations

from resphere.contract.errors import InvalidArgument, message
from resphere.inventory.model import VirtualMachine
from resphere.rules.hardware.devices import STATE_WORDS, State

OLDEST_VERSION = 14
"""Virtual hardware has an EVC mode of its own since vSphere 6.7."""


def require_settable(vm: VirtualMachine) -> None:
    """Refuse a VM that is not off, or whose virtual hardware is too old."""
    if vm.power_state is not State.POWERED_OFF:
        raise invalid("vm", f"must be powered off, and {vm.name} is {STATE_WORDS[vm.power_state]}")
    if int(vm.hardware.version.value.partition("_")[2]) < OLDEST_VERSION:
        raise invalid("vm", f"needs virtual hardware of version {OLDEST_VERSION} or later")


def invalid(field: str, why: str) -> InvalidArgument:
    """The refusal of an EVC mode."""
    return InvalidArgument(message("resphere.vm.evc_mode", "{0}: {1}.", field, why))
