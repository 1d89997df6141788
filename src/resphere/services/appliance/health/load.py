"""``com.vmware.appliance.health.load``."""

from __future__ import annotations

from resphere.contract.generated.appliance_health import Load
from resphere.services.call import Call
from resphere.services.checks.appliance_health import load as look
from resphere.services.registry import implements


@implements(Load.get)
async def get(call: Call) -> Load.HealthLevel:
    """How busy the CPUs are."""
    return Load.HealthLevel((await look(call)).level)
