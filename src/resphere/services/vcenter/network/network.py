"""``com.vmware.vcenter.network``: list."""

from __future__ import annotations

from resphere.contract.generated import ids, vcenter
from resphere.inventory.model import Network
from resphere.services.call import Call
from resphere.services.checks.datacenters import in_datacenters
from resphere.services.registry import implements
from resphere.services.selection import by_id, by_index, limited, select

MOST_LISTED = 1000


@implements(vcenter.Network.list, kept=True)
async def list_networks(call: Call, filter: vcenter.Network.FilterSpec | None) -> tuple[vcenter.Network.Summary, ...]:
    """The networks that match."""
    wanted = filter or vcenter.Network.FilterSpec()
    names, folders, types = wanted.names or (), wanted.folders or (), wanted.types or ()
    found = select(
        call,
        Network,
        [
            by_id(call, Network, wanted.networks),
            by_index(call, Network, "name", names, lambda o: o.name in names),
            by_index(call, Network, "parent", folders, lambda o: o.parent in folders),
            by_index(call, Network, "type", types, lambda o: o.type in types),
            in_datacenters(call, Network, wanted.datacenters),
        ],
    )
    return tuple(
        vcenter.Network.Summary(network=ids.NetworkId(o.id), name=o.name, type=o.type)
        for o in limited(found, MOST_LISTED, "network", call.environment.list_limits)
    )
