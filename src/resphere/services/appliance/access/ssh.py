"""``com.vmware.appliance.access.ssh``: kept only."""

from __future__ import annotations

from resphere.contract.generated.appliance_access import Ssh
from resphere.inventory.appliance.access import Ssh as Kept
from resphere.services.call import Call
from resphere.services.checks.appliance_settings import change_setting, setting
from resphere.services.registry import implements


@implements(Ssh.get, kept=True)
async def get(call: Call) -> bool:
    """Whether it is on."""
    return setting(call, Kept).enabled


@implements(Ssh.set)
async def set_(call: Call, enabled: bool) -> None:
    """Turn it on or off."""
    await change_setting(call, Kept, lambda _: Kept(enabled=enabled))
