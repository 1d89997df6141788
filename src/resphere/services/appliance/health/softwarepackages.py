"""``com.vmware.appliance.health.softwarepackages``."""

from __future__ import annotations

from resphere.contract.generated.appliance_health import Softwarepackages
from resphere.services.call import Call
from resphere.services.checks.appliance_health import software_packages
from resphere.services.registry import implements


@implements(Softwarepackages.get)
async def get(call: Call) -> Softwarepackages.HealthLevel:
    """Whether there are updates: ``orange``, and ``red`` where one mends security."""
    return Softwarepackages.HealthLevel((await software_packages(call)).level)
