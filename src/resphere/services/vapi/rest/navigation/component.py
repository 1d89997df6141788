"""``com.vmware.vapi.rest.navigation.component``: the components that have something on ``/rest``."""

from __future__ import annotations

from resphere.contract.generated.vapi_rest_navigation import Component
from resphere.contract.metamodel.navigation import components
from resphere.services.call import Call
from resphere.services.checks.metadata import served_by
from resphere.services.registry import implements


@implements(Component.list, kept=True)
async def list_components(call: Call, base_url: str | None) -> tuple[Component.Info, ...]:
    """The components, with where their services are listed."""
    return components(served_by(call), base_url or "")
