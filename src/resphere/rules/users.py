"""Keeps what is deleted from being used by what comes at the same time.

Who begins to use an object relies on it, and so sees that it goes. Who deletes it has to see who came: their number is
taken of something of which the deletion takes all, so that the deletion's plan runs again where anybody came unseen.
Users are in nobody's way.
"""

from __future__ import annotations

from collections.abc import Iterator

from resphere.inventory.model import Datastore, Host, Network, ResourcePool, VirtualMachine
from resphere.inventory.tagging import Category, Tag
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.rules.files import store_of

MANY = 2**30
"""More users than there can be."""


def use(edit: Edit, obj: Datastore | Host | Network | ResourcePool | Tag | Category) -> None:
    """Begin to use the object: the change fails where it is changed or deleted meanwhile."""
    edit.rely_on(obj)
    edit.take(_name(obj.id), 1, MANY)


def use_tag(edit: Edit, tag: Tag) -> None:
    """Begin to go by the tag, which is deleted alone or with its category."""
    use(edit, tag)
    category = edit.get(Category, tag.category)
    if category is not None:
        use(edit, category)


def retire(edit: Edit, id: str) -> None:
    """Let nobody use the object any more: the change fails where somebody began to, unseen by this plan."""
    edit.take(_name(id), MANY, MANY)


def use_connections(inventory: Replica, edit: Edit, before: VirtualMachine | None, after: VirtualMachine) -> None:
    """Begin to use the networks, and the datastores of images, that a VM comes to: they must not be deleted meanwhile,
    or taken from its host."""
    host = inventory.get(Host, after.host)
    known = () if before is None else tuple(_connections(inventory, before))
    for obj in _connections(inventory, after):
        if obj not in known and host is not None:
            use(edit, obj)
            edit.rely_on(host)


def _connections(inventory: Replica, vm: VirtualMachine) -> Iterator[Network | Datastore]:
    for nic in vm.nics.values():
        network = inventory.get(Network, nic.backing.network or "")
        if network is not None:
            yield network
    for cdrom in vm.cdroms.values():
        store = store_of(inventory, vm, cdrom.backing.iso_file) if cdrom.backing.iso_file else None
        if store is not None:
            yield store


def _name(id: str) -> str:
    return f"use/{id}"
