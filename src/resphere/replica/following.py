"""What is counted over many objects, and kept true by their changes instead of being counted anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from resphere.replica.replica import Replica

L = TypeVar("L")


class Following(Generic[L]):
    """One ledger for each replica, made when it is first asked for.

    ``make`` counts what there is and subscribes the ledger to the replica's changes. The ledger must not hold the
    replica, which would then never be forgotten.
    """

    def __init__(self, make: Callable[[Replica], L]) -> None:
        self._make = make
        self._kept: WeakKeyDictionary[Replica, L] = WeakKeyDictionary()

    def of(self, inventory: Replica) -> L:
        """The replica's ledger."""
        found = self._kept.get(inventory)
        if found is None:
            found = self._kept[inventory] = self._make(inventory)
        return found
