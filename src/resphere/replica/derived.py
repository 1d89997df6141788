"""What is derived from documents, and kept true by their changes instead of being made anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

from resphere.replica.table import Stored

L = TypeVar("L")
T = TypeVar("T", bound=Stored)
V = TypeVar("V")

Hear = Callable[[L, Any, Any], None]
"""Tells a ledger of an object before and after a change; ``None`` is for one that was not or is no more."""


class Derived(Generic[L]):
    """A ledger that each replica keeps; a package declares it in its wiring, and whoever needs it asks the replica::

        LOAD = Derived(Load, {VirtualMachine: Load.vm_changed})
        inventory.derived(LOAD).memory_MiB

    ``make`` gives an empty one. It hears of all objects of the classes in ``hears`` when the replica has been loaded,
    as if they were new, and of each change after that.
    """

    def __init__(self, make: Callable[[], L], hears: Mapping[type[Any], Hear[L]]) -> None:
        self.make = make
        self.hears = hears


class PerObject(Generic[T, V]):
    """A ledger of one frozen value for each object (its summary for lists): made when it is first asked for, and again
    only when the object has changed."""

    def __init__(self, make: Callable[[T], V]) -> None:
        self._make = make
        self._kept: dict[str, tuple[T, V]] = {}

    def __len__(self) -> int:
        """How many values are kept."""
        return len(self._kept)

    def of(self, objects: Iterable[T]) -> tuple[V, ...]:
        """The values of ``objects``, in their order."""
        get = self._kept.get
        values: list[V] = []
        for obj in objects:
            kept = get(obj.id)
            if kept is None or kept[0] is not obj:
                kept = self._kept[obj.id] = (obj, self._make(obj))
            values.append(kept[1])
        return tuple(values)

    def one(self, obj: T) -> V:
        """The value of ``obj``."""
        return self.of((obj,))[0]

    def changed(self, old: T | None, _new: T | None) -> None:
        """Let go of an object that was changed or deleted."""
        if old is not None:
            self._kept.pop(old.id, None)


def per_object(cls: type[T], make: Callable[[T], V]) -> Derived[PerObject[T, V]]:
    """A value for each object of the class."""
    return Derived(lambda: PerObject(make), {cls: PerObject[T, V].changed})
