"""``com.vmware.vstats.resource_address_schemas``: how what is measured is addressed."""

from __future__ import annotations

from resphere.contract.generated import ids, vstats
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vstats.catalog import TYPES
from resphere.services.vstats.counters import unknown
from resphere.services.vstats.resources import KEYS

Schemas = vstats.ResourceAddressSchemas


@implements(Schemas.get)
async def get_schema(call: Call, id: str) -> Schemas.Info:
    """How a machine of a type is named.

    :raises NotFound: there is no such schema.
    """
    if id not in TYPES:
        raise unknown("resource address schema", id, "there are " + ", ".join(TYPES))
    return Schemas.Info(
        id=ids.VstatsModelRsrcAddrSchemaId(id),
        schema=(
            Schemas.ResourceIdDefinition(
                key=KEYS[id],
                type=ids.VstatsModelRsrcTypeId(id),
                query_options=Schemas.QueryCapabilities.EQUAL_ALL,
            ),
        ),
    )
