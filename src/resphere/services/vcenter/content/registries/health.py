"""``com.vmware.vcenter.content.registries.health``: whether container registries run."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_content_registries import Health
from resphere.services.call import Call
from resphere.services.checks.registries import health_of, require_registry
from resphere.services.registry import implements


@implements(Health.get, kept=True)
async def get(call: Call, registry: ids.VcenterContentRegistryId) -> Health.Info:
    """Whether the registry runs."""
    return health_of(require_registry(call, registry))
