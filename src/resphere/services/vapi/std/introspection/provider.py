"""``com.vmware.vapi.std.introspection.provider``: who provides the operations."""

from __future__ import annotations

from functools import partial

from resphere.contract.generated import ids
from resphere.contract.generated.vapi_std_introspection import Provider
from resphere.contract.metamodel.definitions import service_info
from resphere.services.call import Call
from resphere.services.checks.metadata import digest, served_by
from resphere.services.registry import implements

ID = ids.VapiProviderId("resphere")
AT_ONCE = 20
"""Services in one turn: a large one takes some milliseconds."""


@implements(Provider.get, kept=True)
async def get(call: Call) -> Provider.Info:
    """This server, with a digest of what goes into all operations and comes out of them."""
    served = served_by(call)
    name = ("introspection", *served.releases)
    return Provider.Info(id=ID, checksum=await digest(name, served.services, partial(service_info, served), AT_ONCE))
