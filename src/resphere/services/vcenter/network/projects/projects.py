"""``com.vmware.vcenter.network.projects`` with VPCs and subnets: those of a vCenter that no NSX is registered with.

There are none. Lists declare no error for an unknown parent, so they are empty, whoever's children are asked for.
"""

from __future__ import annotations

from resphere.contract.errors import NotFound, message
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_network import Projects
from resphere.services.call import Call
from resphere.services.registry import implements


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


def no_project(project: str) -> NotFound:
    """The refusal of a project's id."""
    return NotFound(
        message(
            "resphere.network.project_not_found",
            "There is no network project {0}: no NSX is registered with this vCenter.",
            project,
        )
    )
