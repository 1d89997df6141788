"""Refusals that both APIs know."""

from __future__ import annotations

from resphere.contract.errors import (
    NotFound,
    message,
)
from resphere.inventory.model import ManagedObject

WORDS = {
    "virtual_machine": ("vm", "Virtual machine"),
    "resource_pool": ("resource_pool", "Resource pool"),
}


def not_found(cls: type[ManagedObject], identity: str) -> NotFound:
    """The refusal of an unknown id."""
    name, words = WORDS.get(cls.kind, (cls.kind, cls.kind.replace("_", " ").capitalize()))
    return NotFound(
        message(f"com.vmware.api.vcenter.{name}.not_found", words + " with identifier '{0}' does not exist.", identity),
        message(
            "vmsg.ManagedObjectNotFound.summary",
            "The object 'vim.{0}:{1}' has already been deleted or has not been completely created",
            cls.resource_type,
            identity,
        ),
    )
