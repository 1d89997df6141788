"""``com.vmware.appliance.access.consolecli``: kept only."""

from __future__ import annotations

from resphere.contract.generated.appliance_access import Consolecli
from resphere.inventory.appliance.access import ConsoleCli
from resphere.services.call import Call
from resphere.services.checks.appliance_settings import change_setting, setting
from resphere.services.registry import implements


@implements(Consolecli.get, kept=True)
async def get(call: Call) -> bool:
    """Whether it is on."""
    return setting(call, ConsoleCli).enabled


@implements(Consolecli.set)
async def set_(call: Call, enabled: bool) -> None:
    """Turn it on or off."""
    await change_setting(call, ConsoleCli, lambda _: ConsoleCli(enabled=enabled))
