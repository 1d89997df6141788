"""``com.vmware.vcenter.topology.replication_status``: replication between the nodes of a linked mode."""

from __future__ import annotations

from resphere.contract.errors import InvalidArgument, message
from resphere.contract.generated.vcenter_topology import ReplicationStatus
from resphere.services.call import Call
from resphere.services.registry import implements


@implements(ReplicationStatus.list, kept=True)
async def list_status(call: Call, filter: ReplicationStatus.FilterSpec | None) -> tuple[ReplicationStatus.Summary, ...]:
    """Nothing: there is no partner to replicate with.

    :raises InvalidArgument: the filter names a node that there is not.
    """
    name = call.environment.product.host_name
    strange = sorted(
        n for n in (filter.nodes if filter is not None and filter.nodes else ()) if n.lower() != name.lower()
    )
    if strange:
        raise InvalidArgument(
            message(
                "resphere.topology.filter",
                "filter.nodes: there is no node {0}; this vCenter, {1}, is the only one.",
                ", ".join(strange),
                name,
            )
        )
    return ()
