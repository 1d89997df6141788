"""``com.vmware.vcenter.inventory.network``: which networks are there."""

from __future__ import annotations

from resphere.contract.generated import ids, vcenter_inventory
from resphere.inventory.model import Network
from resphere.services.call import Call
from resphere.services.registry import implements

DISTRIBUTED = "DistributedVirtualPortgroup"


@implements(vcenter_inventory.Network.find, kept=True)
async def find_networks(
    call: Call, networks: tuple[ids.NetworkId, ...]
) -> dict[str, vcenter_inventory.Network.Info | None]:
    """Of each id the type of the managed object: a distributed port group has one of its own.

    :raises NotFound: one of them is no network.
    """
    # Each once, however often a caller repeats it.
    distinct = dict.fromkeys(networks)
    return {id: vcenter_inventory.Network.Info(type=managed_type(call.require(Network, id))) for id in distinct}


def managed_type(network: Network) -> str:
    """vSphere's word for the type of the network."""
    return DISTRIBUTED if network.distributed_switch is not None else network.resource_type
