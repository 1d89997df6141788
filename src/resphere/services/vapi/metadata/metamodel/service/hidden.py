"""``com.vmware.vapi.metadata.metamodel.service.hidden``: the services that are for inner use only."""

from __future__ import annotations

from resphere.contract.generated.vapi_metadata_metamodel_service import Hidden
from resphere.services.call import Call
from resphere.services.registry import implements


@implements(Hidden.list, kept=True)
async def list_hidden(call: Call) -> tuple[str, ...]:
    """None: what is served is told."""
    return ()
