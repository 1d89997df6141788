"""``com.vmware.appliance.health.storage``."""

from __future__ import annotations

from resphere.contract.generated.appliance_health import Storage
from resphere.services.call import Call
from resphere.services.checks.appliance_health import storage as look
from resphere.services.registry import implements


@implements(Storage.get)
async def get(call: Call) -> Storage.HealthLevel:
    """How much room is left."""
    return Storage.HealthLevel((await look(call)).level)
