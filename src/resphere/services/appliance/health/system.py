"""``com.vmware.appliance.health.system``: all of it."""

from __future__ import annotations

from datetime import datetime

from resphere.contract.generated.appliance_health import System
from resphere.services.call import Call
from resphere.services.checks.appliance_health import system
from resphere.services.registry import implements


@implements(System.get)
async def get(call: Call) -> System.HealthLevel:
    """The worst colour of all parts of which something is known."""
    return System.HealthLevel((await system(call)).level)


@implements(System.lastcheck)
async def lastcheck(call: Call) -> datetime:
    """When it was looked at last: now, for everything is looked at when it is asked for."""
    return call.environment.present()
