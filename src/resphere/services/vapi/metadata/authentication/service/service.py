"""``com.vmware.vapi.metadata.authentication.service``: how callers authenticate, of services."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vapi_metadata_authentication import Service, ServiceInfo
from resphere.services.call import Call
from resphere.services.checks.metadata import require, served_by
from resphere.services.checks.metadata_kinds import service_schemes
from resphere.services.registry import implements


@implements(Service.list, kept=True)
async def list_services(call: Call) -> tuple[str, ...]:
    """The services of the API."""
    return tuple(served_by(call).services)


@implements(Service.get, kept=True)
async def get(call: Call, service_id: ids.VapiServiceId) -> ServiceInfo:
    """What is told of all operations of a service.

    :raises NotFound: there is no such service.
    """
    served = served_by(call)
    return service_schemes(served, require(served.services, "service", service_id))
