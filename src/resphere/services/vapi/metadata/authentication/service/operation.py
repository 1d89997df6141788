"""``com.vmware.vapi.metadata.authentication.service.operation``: how callers authenticate, of operations."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vapi_metadata_authentication import OperationInfo
from resphere.contract.generated.vapi_metadata_authentication_service import Operation
from resphere.services.call import Call
from resphere.services.checks.metadata import require, require_operation, served_by
from resphere.services.checks.metadata_kinds import operation_schemes
from resphere.services.registry import implements


@implements(Operation.list, kept=True)
async def list_operations(call: Call, service_id: ids.VapiServiceId) -> tuple[str, ...]:
    """The operations of a service.

    :raises NotFound: there is no such service.
    """
    served = served_by(call)
    return served.services[require(served.services, "service", service_id)]


@implements(Operation.get, kept=True)
async def get(call: Call, service_id: ids.VapiServiceId, operation_id: ids.VapiOperationId) -> OperationInfo:
    """What is told of an operation.

    :raises NotFound: there is no such service, or no such operation of it.
    """
    served = served_by(call)
    require_operation(served, service_id, operation_id)
    return operation_schemes(service_id, operation_id)
