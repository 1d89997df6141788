"""``com.vmware.vstats.resource_types``: of what something is measured."""

from __future__ import annotations

from resphere.contract.generated import ids, vstats
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vstats.catalog import TYPES


@implements(vstats.ResourceTypes.list)
async def list_types(call: Call) -> tuple[vstats.ResourceTypes.Summary, ...]:
    """Hosts and virtual machines."""
    return tuple(vstats.ResourceTypes.Summary(type=ids.VstatsModelRsrcTypeId(type)) for type in TYPES)
