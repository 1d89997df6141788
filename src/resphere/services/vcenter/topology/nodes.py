"""``com.vmware.vcenter.topology.nodes`` and ``.replication_status``: one node, which replicates with no other."""

from __future__ import annotations

from resphere.contract.errors import NotFound, message
from resphere.contract.generated import ids
from resphere.contract.generated.vcenter_topology import Nodes
from resphere.services.call import Call
from resphere.services.registry import implements

Id = ids.VcenterVCenterNameId
EMBEDDED = Nodes.ApplianceType.VCSA_EMBEDDED


@implements(Nodes.list, kept=True)
async def list_nodes(call: Call, filter: Nodes.FilterSpec | None) -> tuple[Nodes.Summary, ...]:
    """This vCenter, if its type is among the wanted ones."""
    if filter is not None and filter.types and EMBEDDED not in filter.types:
        return ()
    return (Nodes.Summary(node=Id(call.environment.product.host_name), type=EMBEDDED, replication_partners=()),)


@implements(Nodes.get, kept=True)
async def get(call: Call, node: Id) -> Nodes.Info:
    """This vCenter, by its name.

    :raises NotFound: that is the name of no node.
    """
    name = call.environment.product.host_name
    if node.lower() != name.lower():
        raise NotFound(
            message(
                "resphere.topology.not_found", "There is no node {0}; this vCenter, {1}, is the only one.", node, name
            )
        )
    return Nodes.Info(domain=call.environment.product.sso_domain, type=EMBEDDED, replication_partners=())
