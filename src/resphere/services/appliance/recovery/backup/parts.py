"""``com.vmware.appliance.recovery.backup.parts``: what belongs to a backup, by vCenter's names."""

from __future__ import annotations

from resphere.contract.errors import VapiError, message
from resphere.contract.generated import ids
from resphere.contract.generated.appliance_recovery_backup import Parts
from resphere.recovery.archives import COMMON, PARTS, SEAT
from resphere.services.call import Call
from resphere.services.registry import implements

MEGABYTE = 1024 * 1024
TEXTS = {
    COMMON: ("Inventory and configuration", "All that this server is, has and keeps, but for what it has told."),
    SEAT: ("Stats, Events, and Tasks", "The events that this server has told, for readers who have missed them."),
}


@implements(Parts.list)
async def list_parts(_call: Call) -> tuple[Parts.Part, ...]:
    """The part that is always in, and those that may be left out."""
    return tuple(part(name) for name in PARTS)


def part(name: str) -> Parts.Part:
    """One of them."""
    title, description = TEXTS[name]
    prefix = f"resphere.recovery.part.{name}"
    return Parts.Part(
        id=ids.ApplianceRecoveryBackupPartsId(name),
        name=Parts.LocalizableMessage(id=f"{prefix}.name", default_message=title, args=()),
        description=Parts.LocalizableMessage(id=f"{prefix}.description", default_message=description, args=()),
        selected_by_default=True,
        optional=name != COMMON,
    )


@implements(Parts.get)
async def get(call: Call, id: ids.ApplianceRecoveryBackupPartsId) -> int:
    """About how large the part is, in megabytes.

    :raises VapiError: there is none; the operation declares nothing better.
    """
    if id not in PARTS:
        text = "There is no part {0}; there are {1}."
        raise VapiError(message("resphere.recovery.no_part", text, id[:80], ", ".join(PARTS)))
    sizes = await call.environment.recovery.archives.sizes()
    return -(-sizes[id] // MEGABYTE)
