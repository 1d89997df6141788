"""Refusals that both APIs know."""

from __future__ import annotations

from resphere.contract.errors import (
    NotFound,
    message,
    vim_message,
)
from resphere.contract.generated.vcenter_vm import Power
from resphere.contract.model import LocalizableMessage
from resphere.inventory.model import ManagedObject, VirtualMachine

State = Power.State

WORDS = {
    "virtual_machine": ("vm", "Virtual machine"),
    "resource_pool": ("resource_pool", "Resource pool"),
}


STATES = {State.POWERED_ON: "Powered on", State.POWERED_OFF: "Powered off", State.SUSPENDED: "Suspended"}


def invalid_state(vm: VirtualMachine) -> LocalizableMessage:
    """vSphere's own words for a wrong power state."""
    return vim_message(
        "vmsg.InvalidPowerState.summary",
        "The attempted operation cannot be performed in the current state ({0}).",
        STATES[vm.power_state],
    )


def not_found(vcenter: str, cls: type[ManagedObject], identity: str) -> NotFound:
    """The refusal of an unknown id, which vCenter writes with its own instance UUID, ``vcenter``."""
    name, words = WORDS.get(cls.kind, (cls.kind, cls.kind.replace("_", " ").capitalize()))
    return NotFound(
        message(
            f"com.vmware.api.vcenter.{name}.not_found",
            words + " with identifier '{0}' does not exist.",
            f"{identity}:{vcenter}",
        ),
        vim_message(
            "vmsg.ManagedObjectNotFound.summary",
            "The object 'vim.{0}:{1}' has already been deleted or has not been completely created",
            cls.resource_type,
            identity,
        ),
    )
