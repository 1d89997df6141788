"""Uplink port groups: each distributed switch has one, which comes and goes with it.

It is listed with the other port groups (vCenter 6.7 to 8.0, ``vcenter.network`` ``list``) under a name of the switch's
name and number, ``DSwitch-DVUplinks-21`` for ``dvs-21``. The switch's hosts are connected to it by their network
adapters; virtual machines never are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from resphere.contract.generated import vcenter
from resphere.inventory.model import Host, Network
from resphere.replica.table import Reading

SWITCH_NAME = "DSwitch"
"""What vCenter calls a new distributed switch. Switches are no objects here: a switch is there as long as it has a port
group."""


def uplink_name(switch: str) -> str:
    """The name of the uplink port group of the switch with this id."""
    return f"{SWITCH_NAME}-DVUplinks-{switch.rpartition('-')[2]}"


def new_uplink(id: str, name: str, beside: Network) -> Network:
    """The uplink port group of the switch that the port group ``beside`` is on."""
    return Network(
        id=id,
        name=name,
        parent=beside.parent,
        type=vcenter.Network.Type.DISTRIBUTED_PORTGROUP,
        distributed_switch=beside.distributed_switch,
        distributed_switch_uuid=beside.distributed_switch_uuid,
        uplink=True,
    )


def without_uplink(networks: Iterable[Network]) -> Iterator[Network]:
    """Of each switch among them that lacks an uplink port group its first port group."""
    firsts: dict[str, Network] = {}
    having: set[str] = set()
    for network in networks:
        if network.distributed_switch is not None:
            firsts.setdefault(network.distributed_switch, network)
            if network.uplink:
                having.add(network.distributed_switch)
    yield from (first for switch, first in firsts.items() if switch not in having)


def port_groups_of(inventory: Reading, switch: str) -> list[Network]:
    """The port groups of a switch but the uplinks'."""
    return [each for each in inventory.by(Network, "distributed_switch", switch).values() if not each.uplink]


def hosts_of_uplink(inventory: Reading, uplink: Network) -> list[Host]:
    """The hosts of an uplink port group's switch: those that are connected to a port group of it."""
    groups = port_groups_of(inventory, uplink.distributed_switch or "")
    return list(
        {host.id: host for group in groups for host in inventory.by(Host, "network", group.id).values()}.values()
    )
