"""Inventory paths, ``/DC0/vm/web/vm-01``: the names from below the root folder down, each after a slash.

A slash in a name stands there as ``%2f``, as in vCenter's own names. ``/`` alone is the root folder.
"""

from __future__ import annotations

from resphere.inventory.model import (
    ROOT_FOLDER,
    Cluster,
    Datacenter,
    Datastore,
    Folder,
    Host,
    ManagedObject,
    Network,
    ResourcePool,
    VirtualMachine,
)
from resphere.inventory.relations import ancestors, first_with
from resphere.replica.table import Lookup, Reading

IN_PATHS: tuple[type[ManagedObject], ...] = (
    Folder,
    Datacenter,
    Cluster,
    Host,
    ResourcePool,
    Datastore,
    Network,
    VirtualMachine,
)
"""What paths lead to."""

SLASH = "%2f"


class NothingThere(Exception):
    """``part`` is the first name that nothing has; ``parent`` the object that lacks it, at ``parent_path``."""

    def __init__(self, part: str, parent: ManagedObject, parent_path: str) -> None:
        super().__init__(part)
        self.part = part
        self.parent = parent
        self.parent_path = parent_path


def object_by_id(inventory: Lookup, id: str) -> ManagedObject | None:
    """The object of that id, of whatever type that paths lead to."""
    return first_with(inventory, IN_PATHS, id)


def path_of(inventory: Reading, obj: ManagedObject) -> str:
    """The path that leads to ``obj``."""
    names = [each.name for each in (obj, *ancestors(inventory, obj)) if each.parent is not None]
    return "/" + "/".join(name.replace("/", SLASH) for name in reversed(names))


def object_at(inventory: Reading, path: str) -> ManagedObject:
    """The object that the path leads to; a slash at its end, and several in a row, are let pass.

    :raises NothingThere: nothing has that path.
    """
    current: ManagedObject | None = inventory.get(Folder, ROOT_FOLDER)
    assert current is not None  # every vCenter has it
    walked = ""
    for part in filter(None, path.split("/")):
        child = _child(inventory, current, part)
        if child is None:
            raise NothingThere(part, current, walked or "/")
        current, walked = child, f"{walked}/{part}"
    return current


def _child(inventory: Reading, parent: ManagedObject, part: str) -> ManagedObject | None:
    # The name itself may have been given with the escape, as clients of vCenter do.
    for name in {part, part.replace(SLASH, "/").replace(SLASH.upper(), "/")}:
        for cls in IN_PATHS:
            for found in inventory.by(cls, "name", name).values():
                if found.parent == parent.id:
                    return found
    return None
