"""``com.vmware.vapi.rest.navigation.root``: where ``/rest`` begins."""

from __future__ import annotations

from resphere.contract.generated.vapi_rest_navigation import Root
from resphere.contract.metamodel.navigation import root
from resphere.services.call import Call
from resphere.services.registry import implements


@implements(Root.get, kept=True)
async def get(call: Call, base_url: str | None) -> Root.Info:
    """Where components and resources are listed."""
    return root(base_url or "")
