"""``com.vmware.vcenter.identity.providers``: which other servers vouch for users. None does: this one knows its own."""

from __future__ import annotations

from resphere.contract.generated.vcenter_identity import Providers
from resphere.services.call import Call
from resphere.services.registry import implements


@implements(Providers.list)
async def list_providers(call: Call) -> tuple[Providers.Summary, ...]:
    """None. Everybody may ask, as clients do before they log in."""
    return ()
