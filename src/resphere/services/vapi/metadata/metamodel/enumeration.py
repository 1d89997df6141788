"""``com.vmware.vapi.metadata.metamodel.enumeration``: the enumerations that operations take and give."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vapi_metadata_metamodel import Enumeration, EnumerationInfo
from resphere.contract.metamodel.infos import enumeration_of
from resphere.services.call import Call
from resphere.services.checks.metadata import require, served_by
from resphere.services.registry import implements


@implements(Enumeration.list, kept=True)
async def list_enumerations(call: Call) -> tuple[str, ...]:
    """All enumerations."""
    return served_by(call).enumerations


@implements(Enumeration.get, kept=True)
async def get(call: Call, enumeration_id: ids.VapiEnumerationId) -> EnumerationInfo:
    """One enumeration.

    :raises NotFound: there is no such enumeration.
    """
    served = served_by(call)
    return enumeration_of(served, require(served.enumerations, "enumeration", enumeration_id))
