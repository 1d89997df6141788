"""``com.vmware.vapi.metadata.metamodel.service``: the services of the API."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vapi_metadata_metamodel import Service, ServiceInfo
from resphere.contract.metamodel.infos import service_info
from resphere.services.call import Call
from resphere.services.checks.metadata import described, require, served_by
from resphere.services.registry import implements


@implements(Service.list, kept=True)
async def list_services(call: Call) -> tuple[str, ...]:
    """All services."""
    return tuple(served_by(call).services)


@implements(Service.get, kept=True)
async def get(call: Call, service_id: ids.VapiServiceId) -> ServiceInfo:
    """A service with its operations, and with what stands in it.

    :raises NotFound: there is no such service.
    """
    served = served_by(call)
    return service_info(served, require(served.services, "service", service_id), described())
