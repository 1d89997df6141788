"""``com.vmware.vapi.metadata.metamodel.component``: the API by components."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vapi_metadata_metamodel import Component, ComponentData
from resphere.services.call import Call
from resphere.services.checks.metadata import served_by
from resphere.services.checks.metamodel import component_data, component_fingerprint
from resphere.services.registry import implements


@implements(Component.list, kept=True)
async def list_components(call: Call) -> tuple[str, ...]:
    """The components of the API."""
    return tuple(served_by(call).components)


@implements(Component.get, kept=True)
async def get(call: Call, component_id: ids.VapiComponentId) -> ComponentData:
    """A component with all that is in it, and its fingerprint.

    :raises NotFound: there is no such component.
    """
    return await component_data(served_by(call), component_id)


@implements(Component.fingerprint, kept=True)
async def fingerprint(call: Call, component_id: ids.VapiComponentId) -> str:
    """A digest of what is told of a component.

    :raises NotFound: there is no such component.
    """
    return await component_fingerprint(served_by(call), component_id)
