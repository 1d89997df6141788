"""``com.vmware.vapi.metadata.metamodel.structure``: the structures that operations take and give."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vapi_metadata_metamodel import Structure, StructureInfo
from resphere.contract.metamodel.infos import structure_info
from resphere.services.call import Call
from resphere.services.checks.metadata import require, served_by
from resphere.services.registry import implements


@implements(Structure.list, kept=True)
async def list_structures(call: Call) -> tuple[str, ...]:
    """All structures."""
    return served_by(call).structures


@implements(Structure.get, kept=True)
async def get(call: Call, structure_id: ids.VapiStructureId) -> StructureInfo:
    """One structure.

    :raises NotFound: there is no such structure.
    """
    served = served_by(call)
    return structure_info(served, require(served.structures, "structure", structure_id))
