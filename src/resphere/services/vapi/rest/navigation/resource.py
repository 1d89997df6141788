"""``com.vmware.vapi.rest.navigation.resource``: what may be done with which resources on ``/rest``."""

from __future__ import annotations

from resphere.contract.generated.vapi_rest_navigation import OperationModel, Resource
from resphere.contract.metamodel.navigation import resource_operations, resources
from resphere.services.call import Call
from resphere.services.checks.metadata import described, served_by
from resphere.services.registry import implements


@implements(Resource.list, kept=True)
async def list_resources(call: Call, base_url: str | None) -> tuple[Resource.Info, ...]:
    """The types of resources, with where it is told what may be done with them."""
    return resources(served_by(call), base_url or "")


@implements(Resource.get, kept=True)
async def get(call: Call, base_url: str | None, instance_id: str | None, type_id: str) -> tuple[OperationModel, ...]:
    """What may be done with resources of a type: nothing with those that no service is about."""
    return resource_operations(served_by(call), type_id, instance_id, base_url or "", described())
