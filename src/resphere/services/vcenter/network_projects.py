"""``com.vmware.vcenter.network.projects`` with VPCs and subnets: those of a vCenter that no NSX is registered with.

There are none. Lists declare no error for an unknown parent, so they are empty, whoever's children are asked for.
"""

from __future__ import annotations

from resphere.contract.errors import NotFound, message
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_network import Projects
from resphere.contract.generated.vcenter_network_projects import Vpcs
from resphere.contract.generated.vcenter_network_projects_vpcs import Subnets
from resphere.services.call import Call
from resphere.services.registry import implements

Vpc = ids.VcenterNetworkVpcId
Subnet = ids.VcenterNetworkSubnetId


@implements(Projects.list, kept=True)
async def list_projects(call: Call, filter: Projects.FilterSpec | None) -> Projects.ListResult:
    """None."""
    return Projects.ListResult(projects=())


@implements(Projects.get, kept=True)
async def get_project(call: Call, project: ids.VcenterNetworkProjectId) -> Projects.Info:
    """Refuse: there is none.

    :raises NotFound: always.
    """
    raise no_project(project)


@implements(Vpcs.list, kept=True)
async def list_vpcs(call: Call, project: Vpc, filter: Vpcs.FilterSpec | None) -> Vpcs.ListResult:
    """None."""
    return Vpcs.ListResult(vpcs=())


@implements(Vpcs.get, kept=True)
async def get_vpc(call: Call, project: Vpc, vpc: Vpc) -> Vpcs.Info:
    """Refuse: there is not even the project.

    :raises NotFound: always.
    """
    raise no_project(project)


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


def no_project(project: str) -> NotFound:
    """The refusal of a project's id."""
    return NotFound(
        message(
            "resphere.network.project_not_found",
            "There is no network project {0}: no NSX is registered with this vCenter.",
            project,
        )
    )
