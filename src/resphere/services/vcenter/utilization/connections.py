"""``com.vmware.vcenter.utilization``: connections of vCenter's own processes, which this server does not have."""

from __future__ import annotations

from resphere.contract.errors import Unsupported, message
from resphere.contract.generated import vcenter_utilization
from resphere.services.call import Call
from resphere.services.registry import implements

Connections = vcenter_utilization.Connections


@implements(Connections.list)
async def list_connections(call: Call, filter_spec: Connections.FilterSpec | None) -> Connections.ListResult:
    """Refused.

    :raises Unsupported: always.
    """
    raise nothing_to_count("TCP connections")


def nothing_to_count(what: str) -> Unsupported:
    """The refusal where processes of vCenter's own would be counted."""
    return Unsupported(
        message(
            "resphere.utilization.no_processes",
            "The {0} of vCenter's services cannot be told: behind this server there are no such processes.",
            what,
        )
    )
