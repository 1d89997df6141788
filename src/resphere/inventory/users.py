"""Keeps what is deleted from being used by what comes at the same time.

Who begins to use an object relies on it, and so sees that it goes. Who deletes it has to see who came: their number is
taken of something of which the deletion takes all, so that the deletion's plan runs again where anybody came unseen.
Users are in nobody's way.
"""

from __future__ import annotations

from resphere.inventory.edit import Edit
from resphere.inventory.model import Host, Network, ResourcePool

MANY = 2**30
"""More users than there can be."""


def use(edit: Edit, obj: Host | Network | ResourcePool) -> None:
    """Begin to use the object: the change fails where it is changed or deleted meanwhile."""
    edit.rely_on(obj)
    edit.take(_name(obj.id), 1, MANY)


def retire(edit: Edit, id: str) -> None:
    """Let nobody use the object any more: the change fails where somebody began to, unseen by this plan."""
    edit.take(_name(id), MANY, MANY)


def _name(id: str) -> str:
    return f"use/{id}"
