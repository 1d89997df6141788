"""``resphere.about`` and ``resphere.certificates``: what the server is, and whom to trust."""

from __future__ import annotations

from resphere.contract.extensions.about import About
from resphere.services.call import Call
from resphere.services.registry import implements

PRODUCT = "VMware vCenter Server"
ROOT_LINKS = {
    "session": "/api/session",
    "vcenter": "/api/vcenter",
    "tasks": "/api/cis/tasks?action=list",
    "certificates": "/certs/download.zip",
}
VCENTER_LINKS = {
    "clusters": "/api/vcenter/cluster",
    "datacenters": "/api/vcenter/datacenter",
    "datastores": "/api/vcenter/datastore",
    "folders": "/api/vcenter/folder",
    "hosts": "/api/vcenter/host",
    "networks": "/api/vcenter/network",
    "resource_pools": "/api/vcenter/resource-pool",
    "virtual_machines": "/api/vcenter/vm",
}


@implements(About.get, kept=True)
async def get(call: Call) -> About.Info:
    """The server and where its areas begin."""
    return info(call, ROOT_LINKS)


@implements(About.vcenter, kept=True)
async def vcenter(call: Call) -> About.Info:
    """The server and where vCenter's resources are."""
    return info(call, VCENTER_LINKS)


def info(call: Call, links: dict[str, str]) -> About.Info:
    """What clients ask before they trust an API: product, version, build, releases."""
    product = call.environment.product
    return About.Info(
        product=PRODUCT,
        version=product.version,
        build=product.build,
        api_releases=product.api_releases,
        server="resphere",
        server_version=product.server_version,
        provider=product.provider,
        capabilities=product.capabilities,
        instance_uuid=product.instance_uuid,
        links=links,
    )
