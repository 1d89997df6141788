"""``com.vmware.appliance.shutdown``: after a reboot the appliance comes back; powered off, the server ends."""

from __future__ import annotations

from datetime import timedelta

from resphere.contract.generated.appliance import Shutdown
from resphere.inventory.appliance.power import Action, PlannedShutdown, power_of
from resphere.rules.appliance_values import require_range
from resphere.services.call import Call
from resphere.services.registry import implements

MOST_MINUTES = 365 * 24 * 60


@implements(Shutdown.get)
async def get(call: Call) -> Shutdown.ShutdownConfig:
    """What is planned; empty texts where nothing is."""
    planned = power_of(call.inventory).planned
    if planned is None:
        return Shutdown.ShutdownConfig(action="", reason="")
    return Shutdown.ShutdownConfig(shutdown_time=planned.time, action=planned.action.value, reason=planned.reason)


@implements(Shutdown.cancel)
async def cancel(call: Call) -> None:
    """Forget what is planned."""
    await call.environment.shutdowns.cancel()


@implements(Shutdown.poweroff)
async def poweroff(call: Call, delay: int, reason: str) -> None:
    """Power off in so many minutes, at once where these are 0; what was planned before is forgotten.

    :raises InvalidArgument: fewer minutes, or more than a year has.
    """
    await plan(call, Action.POWEROFF, delay, reason)


@implements(Shutdown.reboot)
async def reboot(call: Call, delay: int, reason: str) -> None:
    """Reboot in so many minutes, at once where these are 0; what was planned before is forgotten.

    :raises InvalidArgument: fewer minutes, or more than a year has.
    """
    await plan(call, Action.REBOOT, delay, reason)


async def plan(call: Call, action: Action, delay: int, reason: str) -> None:
    """Plan it."""
    require_range("delay", delay, 0, MOST_MINUTES)
    time = call.environment.present() + timedelta(minutes=delay)
    await call.environment.shutdowns.plan(PlannedShutdown(time=time, action=action, reason=reason))
