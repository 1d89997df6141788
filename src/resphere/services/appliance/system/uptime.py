"""``com.vmware.appliance.system.uptime``."""

from __future__ import annotations

from resphere.contract.generated.appliance_system import Uptime
from resphere.inventory.appliance.power import power_of
from resphere.services.call import Call
from resphere.services.registry import implements


@implements(Uptime.get)
async def get(call: Call) -> float:
    """Seconds since the server was started, or since it was rebooted."""
    since = call.environment.present() - power_of(call.inventory).booted
    return max(0.0, since.total_seconds())
