"""Standard networks are port groups of hosts: one that no host has any more is no more, as in vCenter."""

from __future__ import annotations

from collections.abc import Iterable

from resphere.contract.generated import vcenter
from resphere.inventory.model import Host, Network
from resphere.inventory.relations import hosts_of_network
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica


def forget_without_hosts(edit: Edit, inventory: Replica, networks: Iterable[str]) -> None:
    """Delete those of ``networks`` that are standard and, as ``edit`` has it, on no host; nobody uses them.

    Another host that has one keeps it, and is relied upon: of two that leave it at once, one looks again.
    """
    for id in networks:
        network = edit.get(Network, id)
        if network is None or network.type is not vcenter.Network.Type.STANDARD_PORTGROUP:
            continue
        now = (edit.get(Host, host.id) for host in hosts_of_network(inventory, id))
        keeper = next((host for host in now if host is not None and id in host.networks), None)
        if keeper is not None:
            edit.rely_on(keeper)
        else:
            edit.delete(Network, id)
