"""``com.vmware.appliance.timesync``: kept only; the clock is the machine's."""

from __future__ import annotations

from resphere.contract.generated.appliance import Timesync
from resphere.inventory.appliance.clock import TimeSync
from resphere.services.call import Call
from resphere.services.checks.appliance_settings import change_setting, setting
from resphere.services.registry import implements


@implements(Timesync.get, kept=True)
async def get(call: Call) -> Timesync.TimeSyncMode:
    """By what the clock goes."""
    return setting(call, TimeSync).mode


@implements(Timesync.set)
async def set_(call: Call, mode: Timesync.TimeSyncMode) -> None:
    """Choose by what the clock goes."""
    await change_setting(call, TimeSync, lambda _: TimeSync(mode=mode))
