"""``com.vmware.appliance.health.mem``."""

from __future__ import annotations

from resphere.contract.generated.appliance_health import Mem
from resphere.services.call import Call
from resphere.services.checks.appliance_health import memory
from resphere.services.registry import implements


@implements(Mem.get)
async def get(call: Call) -> Mem.HealthLevel:
    """How much memory is left."""
    return Mem.HealthLevel((await memory(call)).level)
