"""The inventory as one caller sees it."""

from __future__ import annotations

from collections.abc import Mapping

from resphere.access.view import View
from resphere.replica.replica import Replica
from resphere.replica.table import Reading, T


class Seen:
    """Reads as a replica does, and leaves out what the view does not show."""

    def __init__(self, inventory: Replica, view: View) -> None:
        self._inventory = inventory
        self._view = view

    def get(self, cls: type[T], id: str) -> T | None:
        """The object of this class and id, if there is one and the caller sees it."""
        found = self._inventory.get(cls, id)
        return found if found is not None and self._view.sees(found) else None

    def all(self, cls: type[T]) -> Mapping[str, T]:
        """All objects of the class that the caller sees, in the replica's order. Costs a look at each there is."""
        return self._shown(self._inventory.all(cls))

    def by(self, cls: type[T], index: str, key: str) -> Mapping[str, T]:
        """The objects that have ``key`` in ``index`` and that the caller sees."""
        return self._shown(self._inventory.by(cls, index, key))

    def _shown(self, objects: Mapping[str, T]) -> dict[str, T]:
        return {id: obj for id, obj in objects.items() if self._view.sees(obj)}


def seen(inventory: Replica, view: View) -> Reading:
    """What ``view`` shows of ``inventory``: the replica itself where that is everything, at no cost."""
    return inventory if view.sees_all else Seen(inventory, view)
