"""``com.vmware.vapi.rest.navigation.service``: the services of components on ``/rest``."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vapi_rest_navigation import Service
from resphere.contract.metamodel.navigation import services
from resphere.services.call import Call
from resphere.services.checks.metadata import require, served_by
from resphere.services.registry import implements


@implements(Service.list, kept=True)
async def list_services(call: Call, base_url: str | None, component_id: str) -> tuple[Service.Info, ...]:
    """The services of a component, with where they are.

    :raises NotFound: there is no such component.
    """
    served = served_by(call)
    return services(served, require(served.components, "component", ids.VapiComponentId(component_id)), base_url or "")
