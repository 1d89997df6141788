"""``com.vmware.vapi.metadata.metamodel.resource.model``: the structures that are models of resources."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vapi_metadata_metamodel_resource import Model
from resphere.services.call import Call
from resphere.services.checks.metadata import require, served_by
from resphere.services.registry import implements


@implements(Model.list, kept=True)
async def list_models(call: Call, resource_id: ids.VapiResourceId) -> frozenset[str]:
    """The models of a type of resources.

    :raises NotFound: no service is about such resources.
    """
    served = served_by(call)
    return frozenset(served.models(require(served.resources, "resource", resource_id)))
