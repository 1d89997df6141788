"""``com.vmware.vapi.metadata.metamodel.resource``: the types of resources that services are about."""

from __future__ import annotations

from resphere.contract.generated.vapi_metadata_metamodel import Resource
from resphere.services.call import Call
from resphere.services.checks.metadata import served_by
from resphere.services.registry import implements


@implements(Resource.list, kept=True)
async def list_resources(call: Call) -> frozenset[str]:
    """The types."""
    return frozenset(served_by(call).resources)
