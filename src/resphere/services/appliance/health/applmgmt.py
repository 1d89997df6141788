"""``com.vmware.appliance.health.applmgmt``."""

from __future__ import annotations

from resphere.contract.generated.appliance_health import Applmgmt
from resphere.services.call import Call
from resphere.services.checks.appliance_health import applmgmt
from resphere.services.registry import implements


@implements(Applmgmt.get)
async def get(call: Call) -> str:
    """Whether the service of the appliance's management runs."""
    return (await applmgmt(call)).level.value
