"""``com.vmware.vapi.metadata.privilege.component``: which privileges are needed, of whole components."""

from __future__ import annotations

from functools import partial

from resphere.contract.generated import ids
from resphere.contract.generated.vapi_metadata_privilege import Component, ComponentData, ComponentInfo
from resphere.services.call import Call
from resphere.services.checks.metadata import fingerprint as fingerprint_of
from resphere.services.checks.metadata import of_packages, served_by
from resphere.services.checks.metadata_kinds import package_privileges
from resphere.services.registry import implements

KIND = "privilege"


@implements(Component.list, kept=True)
async def list_components(call: Call) -> tuple[str, ...]:
    """The components of the API."""
    return tuple(served_by(call).components)


@implements(Component.get, kept=True)
async def get(call: Call, component_id: ids.VapiComponentId) -> ComponentData:
    """What is told of all packages of a component, and its fingerprint.

    :raises NotFound: there is no such component.
    """
    served = served_by(call)
    make = partial(package_privileges, served)
    packages = await of_packages(served, component_id, make)
    return ComponentData(
        info=ComponentInfo(packages=packages), fingerprint=await fingerprint_of(served, KIND, component_id, make)
    )


@implements(Component.fingerprint, kept=True)
async def fingerprint(call: Call, component_id: ids.VapiComponentId) -> str:
    """A digest of what is told of a component.

    :raises NotFound: there is no such component.
    """
    served = served_by(call)
    return await fingerprint_of(served, KIND, component_id, partial(package_privileges, served))
