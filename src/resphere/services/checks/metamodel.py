"""What is told of whole packages and components of the metamodel."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from resphere.contract.generated import ids
from resphere.contract.generated.vapi_metadata_metamodel import ComponentData, ComponentInfo, PackageInfo
from resphere.contract.metamodel import infos
from resphere.contract.metamodel.served import Served
from resphere.services.checks.metadata import described, fingerprint, of_packages

KIND = "metamodel"


def package_info(served: Served, package: ids.VapiPackageId) -> PackageInfo:
    """A package that is served, with all that stands in it."""
    return packages_of(served)(package)


def packages_of(served: Served) -> Callable[[ids.VapiPackageId], PackageInfo]:
    """What tells of packages."""
    return partial(infos.package_info, served, describe=described())


async def component_data(served: Served, component: ids.VapiComponentId) -> ComponentData:
    """A component with its packages.

    :raises NotFound: there is no such component.
    """
    packages = await of_packages(served, component, packages_of(served))
    info = ComponentInfo(name=component, packages=packages, metadata={}, documentation="")
    return ComponentData(info=info, fingerprint=await component_fingerprint(served, component))


async def component_fingerprint(served: Served, component: ids.VapiComponentId) -> str:
    """A digest of all that is told of a component.

    :raises NotFound: there is no such component.
    """
    return await fingerprint(served, KIND, component, packages_of(served))
