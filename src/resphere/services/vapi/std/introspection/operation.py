"""``com.vmware.vapi.std.introspection.operation``: what goes into operations and comes out of them."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vapi_std_introspection import Operation
from resphere.contract.metamodel.definitions import operation_info
from resphere.services.call import Call
from resphere.services.checks.metadata import require, require_operation, served_by
from resphere.services.registry import implements


@implements(Operation.list, kept=True)
async def list_operations(call: Call, service_id: ids.VapiServiceId) -> frozenset[str]:
    """The names of the operations of a service.

    :raises NotFound: there is no such service.
    """
    served = served_by(call)
    return frozenset(served.services[require(served.services, "service", service_id)])


@implements(Operation.get, kept=True)
async def get(call: Call, service_id: ids.VapiServiceId, operation_id: ids.VapiOperationId) -> Operation.Info:
    """What goes in, what comes out, and the errors.

    :raises NotFound: there is no such service, or no such operation of it.
    """
    served = served_by(call)
    require_operation(served, service_id, operation_id)
    return operation_info(served, served.operation(service_id, operation_id))
