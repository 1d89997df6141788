"""``com.vmware.appliance.recovery``: whether there are backups."""

from __future__ import annotations

from resphere.contract.generated.appliance import Recovery
from resphere.services.call import Call
from resphere.services.registry import implements


@implements(Recovery.get)
async def get(_call: Call) -> Recovery.Info:
    """There are backups."""
    return Recovery.Info(supported=True)
