"""Ids of what the API tells of itself, which are the same in every world."""

from __future__ import annotations

from resphere.services.checks.metadata_sources import CONTRACT

METADATA_IDS: dict[str, list[str]] = {
    "VapiComponentId": ["com.vmware.cis"],
    "VapiEnumerationId": ["com.vmware.vcenter.vm.power.state"],
    "VapiOperationId": ["get"],
    "VapiPackageId": ["com.vmware.vcenter.vm"],
    "VapiResourceId": ["com.vmware.content.Library"],
    "VapiServiceId": ["com.vmware.vcenter.vm.power"],
    "VapiStructureId": ["com.vmware.vcenter.VM.summary"],
    **{
        f"VapiMetadata{kind}SourceId": [CONTRACT]
        for kind in ("", "Authentication", "Metamodel", "Privilege", "Routing")
    },
}
"""Name of a type of ids -> some that are there."""
