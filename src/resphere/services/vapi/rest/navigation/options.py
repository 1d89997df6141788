"""``com.vmware.vapi.rest.navigation.options``: what may be done at an address of ``/rest``."""

from __future__ import annotations

from resphere.contract.generated.vapi_rest_navigation import OperationModel, Options
from resphere.services.call import Call
from resphere.services.checks.navigation import required_at
from resphere.services.registry import implements


@implements(Options.get, kept=True)
async def get(call: Call, base_url: str | None, url: str) -> tuple[OperationModel, ...]:
    """What may be done at a URL; at that of a service also with what is below it.

    :raises NotFound: nothing stands there.
    """
    return required_at(call, url, base_url or "")
