"""What is derived from documents, and kept true by their changes instead of being made anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar, cast

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


class Listing(Generic[T, V]):
    """A ledger of the values of all objects that lists show, in the order of their table.

    What it hands out is the same tuple as long as nothing has changed, and afterwards one with the same values for all
    that has not.
    """

    def __init__(self, shows: Callable[[T], bool], make: Callable[[T], V]) -> None:
        self._shows = shows
        self._values: PerObject[T, V] = PerObject(make)
        self._places: dict[str, int] | None = None
        """Where in the list the value of an object stands, in the list's order; ``None``: nobody has asked yet."""
        self._list: list[V | None] = []
        """``None`` stands for what is gone."""
        self._all: tuple[V, ...] | None = None

    def __len__(self) -> int:
        """How many values are kept."""
        return len(self._values)

    def all(self, table: Mapping[str, T]) -> tuple[V, ...]:
        """The values of what is shown of the whole table."""
        if self._places is None:
            shown = [obj for obj in table.values() if self._shows(obj)]
            self._list = list(self._values.of(shown))
            self._places = {obj.id: place for place, obj in enumerate(shown)}
        elif len(self._places) < len(self._list):
            self._list = [value for value in self._list if value is not None]
            self._places = {id: place for place, id in enumerate(self._places)}
        if self._all is None:
            self._all = cast("tuple[V, ...]", tuple(self._list))
        return self._all

    def of(self, objects: Iterable[T]) -> tuple[V, ...]:
        """The values of some that are shown, in their order."""
        return self._values.of(objects)

    def changed(self, old: T | None, new: T | None) -> None:
        """Follow a change of the table."""
        self._values.changed(old, new)
        if self._places is None:
            return
        self._all = None
        if new is not None and self._shows(new):
            self._put(old, new, self._places)
        elif old is not None:
            place = self._places.pop(old.id, None)
            if place is not None:
                self._list[place] = None

    def _put(self, old: T | None, new: T, places: dict[str, int]) -> None:
        if old is None:
            places[new.id] = len(self._list)
            self._list.append(self._values.one(new))
        elif new.id in places:
            self._list[places[new.id]] = self._values.one(new)
        else:
            # It was there, but not shown: its place is somewhere among the others.
            self._places = None


def listing(cls: type[T], shows: Callable[[T], bool], make: Callable[[T], V]) -> Derived[Listing[T, V]]:
    """The values of all objects of the class that lists show."""
    return Derived(lambda: Listing(shows, make), {cls: Listing[T, V].changed})
