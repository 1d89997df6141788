"""``com.vmware.appliance.health.swap``."""

from __future__ import annotations

from resphere.contract.generated.appliance_health import Swap
from resphere.services.call import Call
from resphere.services.checks.appliance_health import swap as look
from resphere.services.registry import implements


@implements(Swap.get)
async def get(call: Call) -> Swap.HealthLevel:
    """How much swap space is left."""
    return Swap.HealthLevel((await look(call)).level)
