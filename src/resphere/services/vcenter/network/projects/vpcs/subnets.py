"""``com.vmware.vcenter.network.projects.vpcs.subnets``: subnets of virtual private clouds, of which there are none."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_network_projects_vpcs import Subnets
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.network.projects.projects import no_project

Subnet = ids.VcenterNetworkSubnetId


@implements(Subnets.list, kept=True)
async def list_subnets(
    call: Call, project: Subnet, vpc: Subnet, filter: Subnets.FilterSpec | None
) -> Subnets.ListResult:
    """None."""
    return Subnets.ListResult(subnets=())


@implements(Subnets.get, kept=True)
async def get_subnet(call: Call, project: Subnet, vpc: Subnet, subnet: Subnet) -> Subnets.Info:
    """Refuse: there is not even the project.

    :raises NotFound: always.
    """
    raise no_project(project)
