"""``com.vmware.vapi.metadata.metamodel.service.operation``: the operations of services."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vapi_metadata_metamodel import OperationInfo
from resphere.contract.generated.vapi_metadata_metamodel_service import Operation
from resphere.contract.metamodel.infos import operation_info
from resphere.services.call import Call
from resphere.services.checks.metadata import described, require, require_operation, served_by
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
    """One operation.

    :raises NotFound: there is no such service, or no such operation of it.
    """
    served = served_by(call)
    require_operation(served, service_id, operation_id)
    return operation_info(service_id, operation_id, served.operation(service_id, operation_id), described())
