"""``com.vmware.appliance.support_bundle.components``: what can be in a support bundle."""

from __future__ import annotations

from resphere.appliance.bundles import GROUPS
from resphere.contract.generated.appliance_support_bundle import Components
from resphere.services.call import Call
from resphere.services.registry import implements


@implements(Components.get, kept=True)
async def get(call: Call) -> dict[str, tuple[str, ...]]:
    """The groups of components, each with its components."""
    return dict(GROUPS)
