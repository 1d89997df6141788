"""``com.vmware.appliance.system.security.global_fips``: kept only."""

from __future__ import annotations

import msgspec

from resphere.contract.generated.appliance_system_security import GlobalFips
from resphere.inventory.appliance.security import GlobalFips as Kept
from resphere.services.call import Call
from resphere.services.checks.appliance_settings import change_setting, setting
from resphere.services.registry import implements


@implements(GlobalFips.get, kept=True)
async def get(call: Call) -> GlobalFips.Info:
    """Whether FIPS mode is on."""
    return GlobalFips.Info(enabled=setting(call, Kept).enabled)


@implements(GlobalFips.update)
async def update(call: Call, spec: GlobalFips.UpdateSpec) -> None:
    """Turn it on or off; what is not given stays."""

    def changed(kept: Kept) -> Kept:
        return kept if spec.enabled is None else msgspec.structs.replace(kept, enabled=spec.enabled)

    await change_setting(call, Kept, changed)
