"""``com.vmware.vapi.std.introspection.service``: the services that are there."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vapi_std_introspection import Service
from resphere.services.call import Call
from resphere.services.checks.metadata import require, served_by
from resphere.services.registry import implements


@implements(Service.list, kept=True)
async def list_services(call: Call) -> frozenset[str]:
    """All services."""
    return frozenset(served_by(call).services)


@implements(Service.get, kept=True)
async def get(call: Call, id: ids.VapiServiceId) -> Service.Info:
    """A service with the names of its operations.

    :raises NotFound: there is no such service.
    """
    served = served_by(call)
    names = served.services[require(served.services, "service", id)]
    return Service.Info(operations=frozenset(map(ids.VapiOperationId, names)))
