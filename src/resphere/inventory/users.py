"""Keeps what is deleted from being used by what comes at the same time.

Who begins to use an object relies on it, and so sees that it goes. Who deletes it has to see who came: their number is
taken of something of which the deletion takes all, so that the deletion's plan runs again where anybody came unseen.
Users are in nobody's way.
"""

from __future__ import annotations

from resphere.inventory.edit import Edit
from resphere.inventory.model import Host, Network, ResourcePool, VirtualMachine
from resphere.inventory.replica import Replica

MANY = 2**30
"""More users than there can be."""


def use(edit: Edit, obj: Host | Network | ResourcePool) -> None:
    """Begin to use the object: the change fails where it is changed or deleted meanwhile."""
    edit.rely_on(obj)
    edit.take(_name(obj.id), 1, MANY)


def retire(edit: Edit, id: str) -> None:
    """Let nobody use the object any more: the change fails where somebody began to, unseen by this plan."""
    edit.take(_name(id), MANY, MANY)


def use_networks(inventory: Replica, edit: Edit, before: VirtualMachine | None, after: VirtualMachine) -> None:
    """Begin to use the networks that a VM comes to: they must not be deleted meanwhile, or taken from its host."""
    host = inventory.get(Host, after.host)
    for id in sorted(_networks_of(after) - (_networks_of(before) if before is not None else set())):
        network = inventory.get(Network, id)
        if network is not None and host is not None:
            use(edit, network)
            edit.rely_on(host)


def _networks_of(vm: VirtualMachine) -> set[str]:
    return {nic.backing.network for nic in vm.nics.values() if nic.backing.network is not None}


def _name(id: str) -> str:
    return f"use/{id}"
