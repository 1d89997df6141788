"""What an object stands in, by ids: those that decide who sees it, and the branches that it is in."""

from __future__ import annotations

import msgspec

from resphere.access.grants import GRANTS
from resphere.access.tree import SEARCHED
from resphere.inventory.model import ManagedObject, VirtualMachine
from resphere.replica.replica import Replica
from resphere.replica.table import Lookup

MOST_KEPT = 65_536


class Place(msgspec.Struct, frozen=True, gc=False):
    """The ids of all that an object stands in: first the ``near`` that it stands in directly, then those above."""

    path: tuple[str, ...]
    near: int


NOWHERE = Place((), 1)


def find(among: Lookup, id: str) -> ManagedObject | None:
    """The managed object of that id, of whichever kind; commands know not all kinds."""
    for cls in SEARCHED:
        try:
            found = among.get(cls, id)
        except KeyError:
            continue
        if found is not None:
            return found
    return None


class Places:
    """Where objects stand. What was found is kept as long as nothing moves."""

    def __init__(self) -> None:
        self._moves = -1
        self._kept: dict[tuple[str, ...], Place] = {}

    def of(self, replica: Replica, among: Lookup, obj: ManagedObject, *, moves: bool) -> Place:
        """The place of ``obj`` in ``among``, which is the replica's present state unless something ``moves``."""
        near = (obj.parent or "", obj.resource_pool) if isinstance(obj, VirtualMachine) else (obj.parent or "",)
        if moves or not self._keeps(replica):
            return place(among, near)
        kept = self._kept.get(near)
        if kept is None:
            kept = self._kept[near] = place(among, near)
        return kept

    def _keeps(self, replica: Replica) -> bool:
        try:
            moves = replica.derived(GRANTS).moves
        except KeyError:
            return False
        if moves != self._moves or len(self._kept) > MOST_KEPT:
            self._moves = moves
            self._kept.clear()
        return True


def place(among: Lookup, near: tuple[str, ...]) -> Place:
    """What stands above."""
    direct = [id for id in near if id]
    path = dict.fromkeys(direct)
    for id in direct:
        above = find(among, id)
        while above is not None and above.parent is not None and above.parent not in path:
            path[above.parent] = None
            above = find(among, above.parent)
    return Place(tuple(path), len(direct))
