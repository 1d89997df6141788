"""``com.vmware.vcenter.network.projects.vpcs``: virtual private clouds of NSX projects, of which there are none."""

from __future__ import annotations

from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_network_projects import Vpcs
from resphere.services.call import Call
from resphere.services.registry import implements
from resphere.services.vcenter.network.projects.projects import no_project

Vpc = ids.VcenterNetworkVpcId


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
