"""``com.vmware.vapi.metadata.metamodel.package``: the API by packages."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vapi_metadata_metamodel import Package, PackageInfo
from resphere.services.call import Call
from resphere.services.checks.metadata import require, served_by
from resphere.services.checks.metamodel import package_info
from resphere.services.registry import implements


@implements(Package.list, kept=True)
async def list_packages(call: Call) -> tuple[str, ...]:
    """The packages of the API."""
    return tuple(served_by(call).packages)


@implements(Package.get, kept=True)
async def get(call: Call, package_id: ids.VapiPackageId) -> PackageInfo:
    """A package with all that is in it.

    :raises NotFound: there is no such package.
    """
    served = served_by(call)
    return package_info(served, require(served.packages, "package", package_id))
