"""Lets new files onto datastores, never more than there is room for, whoever else writes at the same time.

Who writes a file sees all that was committed, and nothing of what others are about to commit. So the store is told how
much the file takes and how much besides was free: it refuses the change if others have taken more than that meanwhile,
and the plan runs again on what is left. As long as there is room for all, nobody is in anybody's way.
"""

from __future__ import annotations

from collections.abc import Mapping

from resphere.contract.errors import ResourceInaccessible, UnableToAllocateResource, message
from resphere.inventory.effects import Intent
from resphere.inventory.mentions import identified, named
from resphere.inventory.model import Datastore
from resphere.replica.edit import Edit
from resphere.replica.replica import Replica
from resphere.rules.space import free_space

SPACE = "space/"
"""What the names of takings of room begin with."""


def admit(inventory: Replica, edit: Edit, wanted: Mapping[str, int]) -> None:
    """Have the change that ``edit`` makes take that many more bytes on each datastore, by id.

    :raises UnableToAllocateResource: there is no room.
    :raises ResourceInaccessible: the datastore is not accessible, or is no more.
    """
    for datastore, size in wanted.items():
        store = edit.get(Datastore, datastore)
        if store is None or not store.accessible:
            raise ResourceInaccessible(
                message(
                    "resphere.datastore.inaccessible", "The datastore {0} is not accessible.", identified(datastore)
                )
            )
        if size <= 0:
            continue
        free = max(0, free_space(inventory, store) - intended(inventory, edit, store))
        if not edit.take(f"{SPACE}{store.id}", size, free):
            raise no_room(store, free, size)
        # Its capacity, and whether it is accessible, must stay; what others put there is for the store to count.
        edit.rely_on(store)


def intended(inventory: Replica, edit: Edit, datastore: Datastore) -> int:
    """What is decided to be written to the datastore and is not there yet, in bytes."""
    under_way = inventory.by(Intent, "room", datastore.id)
    return sum(intent.room[datastore.id] for id, intent in under_way.items() if edit.get(Intent, id) is not None)


def no_room(store: Datastore, free: int, wanted: int) -> UnableToAllocateResource:
    """The refusal where a datastore is too full."""
    return UnableToAllocateResource(
        message(
            "resphere.vm.disk.no_room",
            "The datastore {0} has {1} bytes free, and {2} are needed.",
            named(store),
            free,
            wanted,
        )
    )
