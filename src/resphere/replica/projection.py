"""Derived values kept with the objects they come from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from resphere.replica.table import Stored

T = TypeVar("T", bound=Stored)
V = TypeVar("V")


class Projection(Generic[T, V]):
    """A frozen value made of each object (its summary for lists), made again only when the object has changed.

    Subscribe :meth:`forget` to the replica, for this not to outlive objects that are deleted::

        replica.subscribe(VirtualMachine, summaries.forget)
    """

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

    def forget(self, old: T | None, _new: T | None) -> None:
        """Let go of an object that was changed or deleted: what a replica calls."""
        if old is not None:
            self._kept.pop(old.id, None)
