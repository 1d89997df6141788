"""``com.vmware.appliance.system.version``: what scripts ask first."""

from __future__ import annotations

from resphere.contract.generated.appliance_system import Version
from resphere.contract.moments import wire_time
from resphere.inventory.installation import ONLY, Installation
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.resphere.about import PRODUCT

TYPE = "vCenter Server with an embedded Platform Services Controller"
RELEASED = {"18700403": "October 5, 2021", "24022515": "June 25, 2024", "24957454": "September 29, 2025"}
"""When the builds were released that go with a release of the API; of others nobody knows."""
UNPATCHED = ".00000"
"""What follows the version of a release without patches, as in vCenter 7.0 and 8.0."""


@implements(Version.get, kept=True)
async def get(call: Call) -> Version.VersionStruct:
    """The release, never patched, and when it was installed."""
    installed = call.get(Installation, ONLY)
    # The server notes it before its first worker starts.
    assert installed is not None
    product = call.environment.product
    return Version.VersionStruct(
        version=product.version + UNPATCHED,
        product=PRODUCT,
        build=product.build,
        type=TYPE,
        # As of 8.0.0, which was not patched either.
        summary=f"{PRODUCT} {'.'.join(product.version.split('.')[:2])}",
        releasedate=RELEASED.get(product.build, ""),
        install_time=wire_time(installed.time),
    )
