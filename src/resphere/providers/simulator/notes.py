"""What a verb of the simulator notes of its own documents: they become part of its facts."""

from __future__ import annotations

from typing import Any, Protocol

from resphere.inventory.facts import Facts
from resphere.inventory.model import VirtualMachine
from resphere.replica.replica import Replica
from resphere.replica.table import Stored, T


class Documents(Protocol):
    """Documents to be read and written: what a verb notes, or a change in the making."""

    def get(self, cls: type[T], id: str) -> T | None:
        """The document as it is left."""

    def put(self, obj: Stored) -> None:
        """The document is to be ``obj``."""

    def delete(self, cls: type[Stored], id: str) -> None:
        """The document is to be no more."""

    def rely_on(self, obj: Stored) -> None:
        """``obj`` must still be as it is when this is stored."""


class Notes:
    """The documents as one verb leaves them, read from the replica where it has not touched them."""

    def __init__(self, inventory: Replica) -> None:
        self._inventory = inventory
        self._written: dict[tuple[type[Stored], str], Any] = {}
        self._relied: list[Stored] = []

    def get(self, cls: type[T], id: str) -> T | None:
        """The document as this verb leaves it."""
        if (cls, id) in self._written:
            written: T | None = self._written[cls, id]
            return written
        return self._inventory.get(cls, id)

    def put(self, obj: Stored) -> None:
        """The document is to be ``obj``."""
        self._written[type(obj), obj.id] = obj

    def delete(self, cls: type[Stored], id: str) -> None:
        """The document is to be no more; none is fine."""
        self._written[cls, id] = None

    def rely_on(self, obj: Stored) -> None:
        """``obj`` must still be as it is when this is stored."""
        self._relied.append(obj)

    def facts(self, machine: VirtualMachine | None = None, result: Any = None) -> Facts:
        """What was noted, with the machine as it is now."""
        gone = [self._inventory.get(cls, id) for (cls, id), obj in self._written.items() if obj is None]
        return Facts(
            machine=machine,
            documents=tuple([obj for obj in self._written.values() if obj is not None]),
            dropped=tuple([obj for obj in gone if obj is not None]),
            relied=tuple(self._relied),
            result=result,
        )
