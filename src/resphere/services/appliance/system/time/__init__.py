"""``com.vmware.appliance.system.time``: the time, in the appliance's zone."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from resphere.contract.generated.appliance_system import Time
from resphere.inventory.appliance.clock import TimeZone
from resphere.services.call import Call
from resphere.services.checks.appliance_settings import setting
from resphere.services.registry import implements


@implements(Time.get)
async def get(call: Call) -> Time.SystemTimeStruct:
    """The time as vCenter 7.0 and 8.0 write it, ``Wed 11-23-2022`` and ``08:12:27 PM``, with the zone's short name."""
    now = call.environment.now()
    local = now.astimezone(ZoneInfo(setting(call, TimeZone).name))
    return Time.SystemTimeStruct(
        seconds_since_epoch=now.timestamp(),
        date=f"{local:%a %m-%d-%Y}",
        time=f"{local:%I:%M:%S %p}",
        timezone=f"{local:%Z}",
    )
